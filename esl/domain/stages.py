"""Where the controller's processor time goes, by stage of a label's way.

Whoever measures hands a `Stages` in; without one `NO_STAGES` stands there and measures nothing.
It brings the clock along, because nothing below ``api`` reads one. Two looks at that clock and one
`Stages.add` a batch and stage, never per label.

    began_ns = stages.cpu_ns()
    …
    stages.add(Stage.LOAD, stages.cpu_ns() - began_ns, len(due))
"""

from enum import StrEnum
from typing import Protocol


class Stage(StrEnum):
    """What a label's way is made of, in its order."""

    INTAKE = "intake"  #: a change of the truth, within its transaction; counted in requests
    CLAIM = "claim"  #: what is due is looked up and taken
    LOAD = "load"  #: the truth for it
    RENDER = "render"  #: faces drawn, the equal ones spared
    PICTURE = "picture"  #: codes compared, pictures compressed
    RECORD = "record"  #: written down before it is said
    PUBLISH = "publish"  #: encoded, signed, handed to the broker's connection
    INBOX = "inbox"  #: reports read, judged and written
    COMMIT = "commit"  #: what the writer needs beside the work it is given; in requests


class Stages(Protocol):
    """Takes in what was measured. Thread safe."""

    def cpu_ns(self) -> int:
        """Return the processor time of the calling thread so far, in nanoseconds."""

    def add(self, stage: Stage, cpu_ns: int, labels: int) -> None:
        """Add what a batch of so many labels took."""


class NoStages:
    """Measures nothing."""

    def cpu_ns(self) -> int:
        """Return 0: nobody asked."""
        return 0

    def add(self, stage: Stage, cpu_ns: int, labels: int) -> None:
        """Forget it."""


NO_STAGES = NoStages()
