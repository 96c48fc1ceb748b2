"""How old a record of the audit chain must be to be gone: by its kind, and by what was noted.

==================== =====================================================================
what labels showed   400 days
signed payloads      400 days
prices               400 days at least, and older than the audit says that it forgot
the audit            1,100 days at least, and the same
==================== =====================================================================

Who verifies the chain asks this of each record that is missing, and who cuts it of each that a
block has held: what a cut stands for nobody can look at any more.
"""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Final

from sqlalchemy import Connection

from esl.domain.chain import NOTED_KINDS, RecordKind
from esl.domain.keeping import AUDIT_LEAST, PRICES_LEAST
from esl.services.retention import HISTORY_KEPT
from esl.store import forgotten
from esl.store.columns import instant_text

_LEAST: Final[Mapping[RecordKind, timedelta]] = {
    RecordKind.AUDIT: AUDIT_LEAST,
    RecordKind.PRICE: PRICES_LEAST,
    RecordKind.DISPLAY: HISTORY_KEPT,
    RecordKind.PUBLISHED: HISTORY_KEPT,
}
"""Younger records are missing whatever anybody noted."""


def gone_before(tx: Connection, now: datetime) -> dict[RecordKind, str]:
    """Say of each kind how old a record must be to be missing: empty, none may be."""
    noted = forgotten.said_forgotten(tx)
    return {
        kind: min(noted.get(kind, ""), instant_text(now - least))
        if kind in NOTED_KINDS
        else instant_text(now - least)
        for kind, least in _LEAST.items()
    }
