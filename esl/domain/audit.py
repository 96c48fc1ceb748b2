"""Who did what, and why: decisions that somebody may have to answer for."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from esl.domain.ids import StoreId


@dataclass(frozen=True, slots=True, kw_only=True)
class AuditEntry:
    """One decision. ``detail`` holds what was before and after, as JSON, never a secret."""

    entry_id: int
    at: datetime
    actor: str
    action: str  # "guards", "freeze", "approve", …
    subject: str
    reason: str | None
    detail: Mapping[str, Any] | None
    store_id: StoreId | None = None  # None: of the whole installation
