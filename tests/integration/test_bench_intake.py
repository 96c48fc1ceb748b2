"""``esl bench intake`` on a small shop: it measures what it says, and notices what is lost."""

import json
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import ClassVar

import pytest
from typer.testing import CliRunner

from api.bench import tills
from api.bench.tills import TillsJob
from api.cli.app import app
from esl.domain.errors import InvalidInput
from esl.store.database import Database
from esl.store.migrate import migrate
from tests.builders import NOON, build_shelf

SMALL = ["--changes", "128", "--clients", "4", "--products", "40", "--rows", "300", "--no-naive"]
RATES = ("single_per_s", "bulk_per_s", "import_rows_per_s", "import_changed_rows_per_s")
TIMES = ("single_p50_ms", "single_p99_ms", "single_p50_ms_during_import")


def figures_of(*arguments: str) -> dict[str, float]:
    done = CliRunner().invoke(app, ["bench", "intake", "--json", *SMALL, *arguments])
    assert done.exit_code == 0, (done.output, done.exception)
    figures: dict[str, float] = json.loads(done.stdout)
    return figures


def test_a_small_shop_is_measured_beside_the_naive_way() -> None:
    figures = figures_of("--naive")
    assert (figures["clients"], figures["single_changes"]) == (4, 128)
    assert (figures["bulk_changes"], figures["import_rows"]) == (5 * 40, 300)
    assert figures["read_back"] == 40
    beside = {"single_p50_ms_during_import", "single_p99_ms_during_import"}  # it may end first
    for name in (*RATES, *TIMES, "single_cpu_us", "import_peak_rss_mb", "naive_single_per_s"):
        assert figures[name] > 0 or name in beside, name
    assert figures["single_p50_ms"] <= figures["single_p99_ms"]
    assert figures["single_p99_ms_during_import"] >= figures["single_p50_ms_during_import"]
    ratio = figures["single_per_s"] / figures["naive_single_per_s"]
    assert figures["naive_ratio"] == pytest.approx(ratio, abs=0.051)


def test_a_database_that_is_in_use_is_left_alone(fresh_postgres_url: str) -> None:
    with closing(Database(fresh_postgres_url)) as database:
        migrate(database, NOON)
        with database.writing.begin() as tx:
            build_shelf(tx)
    done = CliRunner().invoke(app, ["bench", "intake", *SMALL, "--database", fresh_postgres_url])
    assert isinstance(done.exception, InvalidInput)
    assert "has stores already" in str(done.exception)


def test_fewer_products_than_tills_are_refused() -> None:
    done = CliRunner().invoke(app, ["bench", "intake", "--clients", "50", "--products", "20"])
    assert isinstance(done.exception, InvalidInput)


class _Careless(BaseHTTPRequestHandler):
    """Refuses every third change, and answers in two pieces."""

    protocol_version = "HTTP/1.1"
    asked: ClassVar[list[str]] = []

    def do_POST(self) -> None:
        said = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        self.asked.append(said["sku"])
        refuses = len(self.asked) % 3 == 0
        body = json.dumps({"results": [{"decision": "accepted"}]}).encode()
        self.send_response(503 if refuses else 200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        for piece in (body[:5], body[5:]):
            self.wfile.write(piece)
            self.wfile.flush()

    def log_message(self, *_: object) -> None:
        """Say nothing."""


def test_tills_count_what_was_answered_and_believe_nothing_else() -> None:
    with ThreadingHTTPServer(("127.0.0.1", 0), _Careless) as server, ThreadPoolExecutor() as pool:
        serving = pool.submit(server.serve_forever, 0.05)
        host, port = server.server_address[:2]
        job = TillsJob(
            host=str(host),
            port=port,
            path="/",
            token="none",
            clients=2,
            products=6,
            changes=24,
        )
        done = tills.run(job)
        server.shutdown()
        serving.result(10)
    assert done.answers == {"accepted": 16, "503": 8}
    assert len(done.took_ms) == 24
    assert set(done.last_minor) <= {f"sku-{n}" for n in range(6)}
    assert done.at_ms(0.0) <= done.at_ms(0.5) <= done.at_ms(1.0) == max(done.took_ms)


def test_a_till_has_products_of_its_own_and_never_says_the_price_that_holds() -> None:
    job = TillsJob(host="", port=0, path="", token="", clients=3, products=10, changes=99, first=5)
    of_tills = [[job.change(till, turn) for turn in range(40)] for till in range(3)]
    owned = [{number for number, _ in said} for said in of_tills]
    assert all(len(numbers) == 3 for numbers in owned)
    assert len(set.union(*owned)) == 9
    for said in of_tills:
        held: dict[int, int] = {}
        for number, minor in said:
            assert held.get(number, 1000) != minor
            held[number] = minor
