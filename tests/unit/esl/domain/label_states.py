"""Label states for tests of judgements, without a database."""

from typing import Any

from esl.domain.label import LabelState, Lane
from tests.builders import GATEWAY, PANEL, STORE


def a_label(**changes: Any) -> LabelState:
    """A paired label that shows revision 4 as "four"."""
    fields: dict[str, Any] = {
        "label_id": "label-0000",
        "store_id": STORE,
        "gateway_id": GATEWAY,
        "panel_id": PANEL,
        "epoch": 1,
        "wanted_rev": 4,
        "sent_rev": 4,
        "settled_rev": 4,
        "shown_rev": 4,
        "shown_digest": "four",
        "incarnation": 1,
        "attempts": 0,
        "due_at": None,
        "lane": Lane.NORMAL,
        "problem": None,
        "problem_detail": None,
        "paired": True,
        "battery_mv": None,
        "temperature_c": None,
        "rssi_dbm": None,
        "firmware": None,
        "seen_at": None,
    }
    return LabelState(**(fields | changes))
