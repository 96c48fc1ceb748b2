"""What the webhook route works with: the sources, refusals worth a log line, whom to wake."""

from collections.abc import Callable
from dataclasses import dataclass, field

import structlog

from api.listeners.hook_sources import HookSource, RememberedSources
from esl.intake.hooks.request import HookSecrets, Refused
from esl.intake.hooks.verifiers import HookKind

REFUSALS_TOLD_EVERY_S = 60.0
"""A shop whose secret is wrong calls a hundred times an hour; a log line a minute is enough."""

NOBODY = HookSource(
    source_id="",
    kind=HookKind.SHOPIFY,
    secrets=HookSecrets(secrets=["checked so that an unknown source takes as long as a known"]),
)

log = structlog.get_logger()


def _nobody_to_wake() -> None:
    pass


@dataclass(slots=True, kw_only=True)
class HookDoor:
    """One for each application. ``wake`` tells the inbox that an event was stored."""

    sources: RememberedSources
    monotonic_s: Callable[[], float]
    wake: Callable[[], None] = _nobody_to_wake
    _told: dict[tuple[str, str], tuple[float, int]] = field(default_factory=dict)

    def forget_sources(self) -> None:
        """Ask for sources and secrets anew: some were changed, and that is committed."""
        self.sources.forget_all()

    def tell_refused(self, source: HookSource, refused: Refused) -> None:
        """Log why a known source was refused, with how often since the last line."""
        key = (source.source_id, refused.reason.value)
        now_s = self.monotonic_s()
        told_s, kept_back = self._told.get(key, (-REFUSALS_TOLD_EVERY_S, 0))
        if now_s - told_s < REFUSALS_TOLD_EVERY_S:
            self._told[key] = (told_s, kept_back + 1)
            return
        self._told[key] = (now_s, 0)
        log.warning(
            "webhook refused",
            source=source.source_id,
            reason=refused.reason.value,
            detail=refused.detail,
            others_since=kept_back,
        )
