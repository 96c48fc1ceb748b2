"""What every process of ours is made of that delivers or answers: the one word for two kinds.

``api.house.House`` answers HTTP and may deliver; ``api.worker_process.Workshop`` delivers alone.
Readiness and metrics are the same questions to both.
"""

from typing import Protocol

from api.delivery import Delivery
from api.metrics.meters import Meters
from api.stage_clock import StageClock
from api.syslog.sender import Syslog
from esl.domain.clock import EffectiveClock
from esl.settings import Settings
from esl.store.database import Database
from esl.store.writer import Writer


class Process(Protocol):
    """The parts that readiness and metrics look at."""

    @property
    def settings(self) -> Settings:
        """What it was started with."""

    @property
    def database(self) -> Database:
        """Its database."""

    @property
    def writer(self) -> Writer:
        """Its one writer."""

    @property
    def clock(self) -> EffectiveClock:
        """The never-backward clock."""

    @property
    def delivery(self) -> Delivery | None:
        """The part that sends and listens; None where others do."""

    @property
    def stages(self) -> StageClock:
        """Where its CPU went."""

    @property
    def meters(self) -> Meters:
        """What it counts as it goes."""

    @property
    def syslog(self) -> Syslog | None:
        """Its line to a syslog server; None where none is set."""
