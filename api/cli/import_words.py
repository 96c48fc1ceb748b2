"""What an import came to, in words: counts, refused rows, prices held back, what to do next."""

import json
import sys
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

from rich.console import Console
from rich.table import Table

from esl.domain.import_job import LEFT_OUT, ImportState
from esl.domain.pricing import Decision

_ROWS_SHOWN = 50
_HELD_SHOWN = 20
_SAME_SHOWN = 3  # rows that are named where many have one reason
_ALL = "all of them with: --report rows.csv"

NOT_BELIEVED = frozenset({"net_content", "unit"})
"""Fields that are left out because we are careful, not because the list is wrong."""


@dataclass(slots=True)
class Noted:
    """What a report says beside the counts: prices held back, fields left out by name."""

    held: list[dict[str, Any]] = field(default_factory=list)
    left_out: Counter[str] = field(default_factory=Counter)

    @property
    def is_wrong(self) -> bool:
        """Say whether the list holds a field that cannot be right, such as a mistyped GTIN."""
        return bool(self.left_out.keys() - NOT_BELIEVED)


def read_report(pieces: Iterable[bytes]) -> Noted:
    """Read a report as JSON while it comes: an object a line, of which most are not kept."""
    noted, rest = Noted(), b""
    for piece in pieces:
        *lines, rest = (rest + piece).split(b"\n")
        for line in lines:
            _note(noted, line)
    _note(noted, rest)
    return noted


def _note(noted: Noted, line: bytes) -> None:
    if not line.startswith(b'{"row":'):
        return
    said = json.loads(line.rstrip(b",\r"))
    if said["decision"] == LEFT_OUT:
        noted.left_out[said["field"]] += 1
    elif said["decision"] == Decision.QUARANTINED.value and len(noted.held) < _HELD_SHOWN:
        noted.held.append(said)


def print_import(job: dict[str, Any], noted: Noted) -> None:
    """Print what became of an import."""
    if job["state"] != ImportState.DONE:
        _print_failure(job)
        return
    console = Console(markup=False, highlight=False)
    counts, rejected = job["counts"], job["summary"]["rejected"]
    table = Table("", "", show_header=False, box=None)
    for name in ("rows", "products", "accepted", "unchanged", "superseded", "quarantined"):
        table.add_row(name, f"{counts[name]:,}")
    table.add_row("rejected", f"{counts['rejected']:,}")
    if job["mode"] == "full":
        table.add_row("retired", f"{counts['retired']:,}")
    table.add_row("labels affected", f"{counts['labels_affected']:,}")
    console.print(table)
    if stores := job["summary"].get("stores"):
        console.print(_table_of(stores))
    if rejected:
        shown = _print_refused(rejected, console)
        if counts["rejected"] > shown:
            print(f"and {counts['rejected'] - shown:,} more; {_ALL}")
    if noted.left_out:
        fields = ", ".join(f"{name} ({n:,})" for name, n in noted.left_out.most_common())
        print(f"Rows taken without a field that cannot be read or believed: {fields}; {_ALL}")
    if job["detail"]:
        print(job["detail"])
    if counts["quarantined"]:
        _print_held(job, noted, console)
    if job["dry_run"]:
        print("Nothing was stored: this was a dry run.")
    elif counts["accepted"] and job["batch"] is not None and job["store"] is not None:
        path = f"/api/v1/stores/{job['store']}/batches/{job['batch']}/roll-back"
        print(f"This was batch {job['batch']}; to take it back: POST {path}")


def _print_refused(rejected: Sequence[dict[str, Any]], console: Console) -> int:
    """Print why rows were refused, the same reason once; return how many rows that tells of."""
    rows_of: dict[tuple[str, str], list[int]] = {}
    for line in rejected:
        rows_of.setdefault((line["field"], line["reason"]), []).append(line["row"])
    table = Table("row", "field", "why it was refused")
    shown = 0
    for (name, reason), rows in list(rows_of.items())[:_ROWS_SHOWN]:
        numbers = ", ".join(map(str, rows[:_SAME_SHOWN]))
        table.add_row(numbers + (", …" if rows[_SAME_SHOWN:] else ""), name, reason)
        if rows[_SAME_SHOWN:]:
            table.add_row("", "", f"… {len(rows):,} rows in all")
        shown += len(rows)
    console.print(table)
    return shown


def _print_failure(job: dict[str, Any]) -> None:
    for line in job["summary"]["rejected"]:
        place = f" at {line['field']}" if line["field"] else ""
        print(f"esl: {line['reason']}{place}", file=sys.stderr)
    what = "cancelled" if job["state"] == ImportState.CANCELLED else "refused"
    taken = job["counts"]["accepted"]
    print(
        f"esl: the import was {what}; "
        + (f"{taken} products were taken before" if taken else "nothing of it was taken"),
        file=sys.stderr,
    )


def _print_held(job: dict[str, Any], noted: Noted, console: Console) -> None:
    """Name the prices that wait, and how another person lets them hold."""
    table = Table("row", "sku", "why its price is held back")
    for line in noted.held:
        table.add_row(str(line["row"]), line["sku"] or "", line["reason"])
    console.print(table)
    count = job["counts"]["quarantined"]
    if count > len(noted.held):
        print(f"and {count - len(noted.held):,} more; {_ALL}")
    would = "Would be held back" if job["dry_run"] else "Held back"
    print(f"{would} until another person approves: {count:,}. Labels keep showing the old price.")
    if not job["dry_run"]:
        store = f" --store {job['store']}" if job["store"] else " --store STORE"
        print(f"See them with:            esl quarantine list{store}")
        print(f"Somebody else approves:   esl quarantine approve NUMBER{store} --token THEIR.token")


def _table_of(stores: dict[str, dict[str, int]]) -> Table:
    shown = ("products", "accepted", "unchanged", "quarantined", "rejected", "retired")
    table = Table("store", *shown)
    for name, counts in stores.items():
        table.add_row(name, *(f"{counts[each]:,}" for each in shown))
    return table
