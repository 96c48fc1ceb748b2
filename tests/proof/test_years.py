"""Eight years of a small shop: no table holds more than its bound, which is worked out here.

One day of forty is lived, so a table holds less than in a shop, and whether it grows is the same.
`python -m tests.proof.years` lives every day of a large one. A table that is new fails the test
until it has a bound: in `MOST` if rows of it go in time, else in `esl.services.keeping`.
"""

from collections.abc import Iterator
from types import MappingProxyType
from typing import Any, Final

import pytest

from esl.domain.keeping import AUDIT_LEAST, PRICES_LEAST, Keeping
from esl.services import keeping
from esl.store.tables import metadata
from tests.builders import open_database
from tests.proof.years import Life, judge_chain, live
from tests.proof.years_books import OFTEN

STRIDE: Final = 40
LABELS: Final = 20
LIFE: Final = Life(
    labels=LABELS,
    days=3000,
    keeping=Keeping(prices=PRICES_LEAST, audit=AUDIT_LEAST),
    stride=STRIDE,
    taken_every=STRIDE,
)
LIVED: Final = LIFE.days // STRIDE
SETTLED: Final = 1300
"""Days after which what a person does not set up any more grows no more."""

A_MONTH: Final = 31
CHANGES: Final = 10
"""Prices and pictures of a lived day at most: a list, a till, both edges of a promotion."""

BLOCKS: Final = 6
"""Of a lived day: the list, its reports, a single change, its reports, the evening, the night."""

LEFT_OF_PRICES: Final = LABELS * 5
"""What holds stays: of each product the till's word, hidden or not, and what promotions made."""


def days(kept: int) -> int:
    """Say how many lived days are in so many, with one that begins and one that ends."""
    return kept // STRIDE + 2


def each(what: str, kept: int) -> int:
    """Bound what is written down so often a day, and kept for so long."""
    return OFTEN[what] * days(kept)


PRICES: Final = CHANGES * days(PRICES_LEAST.days + A_MONTH) + LEFT_OF_PRICES
ENTRIES: Final = (OFTEN["decisions of people"] + 8) * days(AUDIT_LEAST.days + A_MONTH)
SHOWN: Final = CHANGES * days(400) + LABELS
CHAIN: Final = (
    BLOCKS * days(400 + A_MONTH)  # all of them
    + LEFT_OF_PRICES  # then one for each record that stays …
    + LABELS
    + 2 * days(AUDIT_LEAST.days + A_MONTH)  # … and those with people's decisions
)
MOST: Final = MappingProxyType(
    {
        "answered_request": each("calls with an idempotency key", 2),
        "person_session": each("sign-ins", 30),
        "sign_in_throttle": each("sign-ins", 1) + 2 * each("wrong passwords", 1),
        "command": each("labels looked for by light", 30),
        "touch": each("labels touched", 30),
        "pairing_event": LABELS * days(400),
        "hook_event": each("calls of web shops", 14),
        "event_delivery": each("messages to subscriptions", 14),
        "happening": 10 * days(30),
        "notification": each("messages to people", 30),
        "mqtt_refused": each("refused messages", 30),
        "import_job": each("files imported", 30),
        "import_row": OFTEN["files imported"] * each("rows of them that are noted", 30),
        "import_store": each("files imported", 30),
        "seen_file": each("files imported", 400),
        "problem": (LABELS + 5) * days(90 + A_MONTH),
        "frame": SHOWN + CHANGES * days(90),
        "batch": 2 * days(400),
        "issued": SHOWN + LABELS,
        "published_payload": CHANGES * days(400),
        "display_log": SHOWN,
        "failure_log": each("failed updates", 400),
        "battery_sample": LABELS * days(400),
        "price_event": PRICES,
        "audit_entry": ENTRIES,
        "audit_block": CHAIN,
        "audit_part": 4 * CHAIN,
        "audit_checkpoint": CHAIN,
        "audit_cut": CHAIN // 2,
    }
)
"""Rows at most: so many a lived day, so many days, and what stays with labels and products."""

NOT_LIVED: Final = MappingProxyType(
    {
        "audit_gap": "PostgreSQL alone; an hour's",
        "flip": "of gateways that stage: test_retention.py",
        "inspection": "of shops that inspect: test_keeping_both_databases.py",
        "inspection_item": "with its inspection: test_keeping_both_databases.py",
        "paper_ticket": "of labels that fail: test_keeping_both_databases.py",
        "link_visit": "of shops with short links: test_short_links_both_databases.py",
        "proposal": "of price engines: test_keeping_both_databases.py",
        "quarantine": "of prices in doubt: test_keeping_both_databases.py",
        "remove_task": "of labels to take off: test_keeping_both_databases.py",
        "scheduled_price": "of prices for later: test_keeping_both_databases.py",
        "sign_in_link": "of forgotten passwords: test_keeping_both_databases.py",
        "zone_change": "of shops with zones: test_zones_both_databases.py",
        "zone_task": "of shops with zones: test_zones_both_databases.py",
    }
)
"""Tables whose rows go, and that this shop does not fill: where their pruning is tested."""

BY_HAND: Final = frozenset({"promotion", "promotion_version", "promotion_store"})
"""A promotion is planned on each lived day: what people set up is kept."""


@pytest.fixture(scope="module")
def lived(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[dict[str, Any], ...]]:
    folder = tmp_path_factory.mktemp("years")
    database = open_database(folder)
    try:
        found = live(database, folder, LIFE)
        yield found, judge_chain(database, folder)
    finally:
        database.close()


def test_every_table_whose_rows_go_has_a_bound_here() -> None:
    assert set(MOST) | set(NOT_LIVED) == set(keeping.PRUNED)
    assert not set(MOST) & set(NOT_LIVED)
    known = {*keeping.BOUNDED, *keeping.PRUNED, *keeping.FOR_GOOD}
    assert known == {*metadata.tables, "alembic_version"}


@pytest.mark.parametrize("table", sorted(MOST))
def test_a_table_never_holds_more_than_its_bound(
    lived: tuple[dict[str, Any], ...], table: str
) -> None:
    found, _ = lived
    held = [look["rows"][table] for look in found["looks"]]
    assert max(held) > 0, "the shop fills it, or the test says nothing of it"
    assert max(held) <= MOST[table]


def test_what_is_set_up_grows_by_hand_alone(lived: tuple[dict[str, Any], ...]) -> None:
    found, _ = lived
    rest = sorted({*keeping.BOUNDED, *keeping.FOR_GOOD} & set(metadata.tables))
    last = found["looks"][-1]["rows"]
    settled = [look["rows"] for look in found["looks"] if look["day"] <= SETTLED]
    for table in rest:
        if table in BY_HAND:
            assert last[table] == LIVED
        else:
            assert last[table] <= max(rows[table] for rows in settled), table


def test_the_chain_verifies_with_records_pruned_and_blocks_cut(
    lived: tuple[dict[str, Any], ...],
) -> None:
    found, chain = lived
    assert (chain["wrong"], chain["not_sealed_yet"]) == (None, 0)
    assert chain["cut"] == found["blocks_cut"] > LIVED
    assert chain["pruned"] > 0
