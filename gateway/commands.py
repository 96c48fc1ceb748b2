"""Commands under way to one gateway, by id: whom an answer concerns that names no label.

A gateway that cannot read a command, or does not know it, answers ``failed`` with its id alone.
Without this book the command's labels would wait out their patience and be sent the same again.
"""

from collections import OrderedDict
from collections.abc import Mapping, Sequence

from esl.domain.ids import LabelId

LABELS_MOST = 4096
"""Labels remembered for one gateway: as many as one command may name."""

Told = tuple[LabelId, int]
"""A label and the revision a command told it."""


class CommandsOut:
    """The latest commands of one gateway; older ones are forgotten."""

    def __init__(self) -> None:
        self._told: OrderedDict[int, Sequence[Told]] = OrderedDict()
        self._failed: dict[int, set[LabelId]] = {}  # of those told
        self._labels = 0

    def note_sent(self, commands: Mapping[int, Sequence[Told]]) -> None:
        """Note commands that leave, by id, and what each tells its labels."""
        for command_id, told in commands.items():
            self._labels += len(told) - len(self._told.pop(command_id, ()))
            self._told[command_id] = told
        while self._labels > LABELS_MOST and len(self._told) > 1:
            command_id, told = self._told.popitem(last=False)
            self._failed.pop(command_id, None)
            self._labels -= len(told)

    def note_shown(self, command_id: int) -> None:
        """Forget a command that told one label alone, which shows it: nobody will ask for it."""
        if len(self._told.get(command_id, ())) == 1:
            del self._told[command_id]
            self._failed.pop(command_id, None)
            self._labels -= 1

    def told(self, command_id: int) -> Sequence[Told]:
        """Say what a command told whom; nothing if it is not known."""
        return self._told.get(command_id, ())

    def note_failed(self, command_id: int, label_id: LabelId) -> None:
        """Note that a command came to nothing for a label: said again, it is no news."""
        if any(label_id == told for told, _ in self.told(command_id)):
            self._failed.setdefault(command_id, set()).add(label_id)

    def has_failed(self, command_id: int, label_id: LabelId) -> bool:
        """Say whether a command is known to have come to nothing for a label."""
        return label_id in self._failed.get(command_id, ())

    def clear(self) -> None:
        """Forget all: a new session answers none of them."""
        self._told.clear()
        self._failed.clear()
        self._labels = 0

    def __len__(self) -> int:
        """Count the commands remembered."""
        return len(self._told)
