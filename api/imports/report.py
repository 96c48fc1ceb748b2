"""A report as JSON or CSV, in pieces: it may have 200,000 lines."""

import csv
import io
import json
from collections.abc import Iterator

from api.imports.views import REPORT_FIELDS, csv_cells, line_view
from esl.store import import_jobs
from esl.store.database import Database
from esl.store.import_jobs import NumberedLine

_LINES_AT_ONCE = 5000


def report_pieces(database: Database, job_id: str, form: str) -> Iterator[str]:
    """Write a job's report: ``form`` is ``json`` or ``csv``."""
    return _csv(database, job_id) if form == "csv" else _json(database, job_id)


def _pages(database: Database, job_id: str) -> Iterator[list[NumberedLine]]:
    after = 0
    while True:
        with database.read() as tx:
            found = import_jobs.lines_of(tx, job_id, after=after, limit=_LINES_AT_ONCE)
        if not found:
            return
        after = found[-1][0]
        yield found


def _json(database: Database, job_id: str) -> Iterator[str]:
    yield f'{{"id": {json.dumps(job_id)}, "rows": ['
    glue = "\n"
    for page in _pages(database, job_id):
        yield glue + ",\n".join(json.dumps(line_view(line)) for _, line in page)
        glue = ",\n"
    yield "\n]}\n"


def _csv(database: Database, job_id: str) -> Iterator[str]:
    yield ",".join(REPORT_FIELDS) + "\r\n"
    for page in _pages(database, job_id):
        text = io.StringIO()
        csv.writer(text).writerows(csv_cells(line) for _, line in page)
        yield text.getvalue()
