"""Which files of a folder are ready to be taken.

    rename    prices.csv is there                  its till wrote prices.csv.tmp and renamed it
    trigger   prices.csv.ok is there as well       its till writes the second when done
    stable    size and time did not change for a while, as far as we looked

Names that programs give to files they are still writing are never taken, nor our own.
"""

from collections.abc import Callable
from dataclasses import dataclass

from api.listeners.folders.folder import DONE, REJECTED, Folder, Found
from api.listeners.folders.rules import FolderRules, PickUp, compile_pattern

RESULT, ERROR, NOTE = ".result.csv", ".error.txt", ".note.txt"
"""Endings of what we write into a folder."""

TRIGGERS = (".ok", ".trg")
UNFINISHED = (".tmp", ".temp", ".part", ".partial", ".filepart", ".crdownload", ".swp", "~")
EMPTY_FOR_S = 60.0
"""A stable file without content is taken for one that is still to be filled for so long."""


@dataclass(frozen=True, slots=True)
class _Watched:
    found: Found
    since_s: float


class Readiness:
    """Looks at one folder again and again. ``monotonic_s`` tells the time."""

    def __init__(self, rules: FolderRules, monotonic_s: Callable[[], float]) -> None:
        self._rules = rules
        self._monotonic_s = monotonic_s
        self._fits = compile_pattern(rules.pattern)
        self._watched: dict[str, _Watched] = {}
        self._triggers: dict[str, Found] = {}

    def ready(self, folder: Folder) -> list[Found]:
        """List the files that are ready, the oldest first."""
        match self._rules.pickup:
            case PickUp.RENAME:
                return folder.list(self.is_wanted)
            case PickUp.TRIGGER:
                return self._triggered(folder)
            case PickUp.STABLE:
                return self._stable(folder.list(self.is_wanted))

    def is_wanted(self, name: str) -> bool:
        """Say whether a file of this name is to be taken when it is ready."""
        lower = name.lower()
        if name.startswith(".") or lower in (DONE, REJECTED):
            return False
        if lower.endswith((RESULT, ERROR, NOTE, *UNFINISHED)):
            return False
        if self._rules.pickup is PickUp.TRIGGER and lower.endswith(TRIGGERS):
            return False
        return self._fits.match(name) is not None

    def triggers_of(self, name: str) -> list[Found]:
        """List the trigger files that made a file ready."""
        return [
            found
            for trigger, found in self._triggers.items()
            if trigger[: -len(_trigger_of(trigger))] == name
        ]

    def trigger_is_newer(self, found: Found) -> bool:
        """Say whether a file's trigger was written after it; True where there are none.

        One that could not be removed would else make the next file of its name ready before it
        is whole.
        """
        if self._rules.pickup is not PickUp.TRIGGER:
            return True
        triggers = self.triggers_of(found.name)
        return any(one.modified_ns >= found.modified_ns for one in triggers)

    def changed(self, found: Found) -> None:
        """Note that a file was still changing: its time begins anew."""
        self._watched.pop(found.name, None)

    def _triggered(self, folder: Folder) -> list[Found]:
        listed = folder.list(
            lambda name: bool(_trigger_of(name)) and self.is_wanted(name[: -len(_trigger_of(name))])
        )
        self._triggers = {one.name: one for one in listed}
        names = dict.fromkeys(one.name[: -len(_trigger_of(one.name))] for one in listed)
        looked = (folder.look(name) for name in names)
        return sorted((f for f in looked if f is not None), key=lambda f: (f.modified_ns, f.name))

    def _stable(self, listed: list[Found]) -> list[Found]:
        now_s = self._monotonic_s()
        before, self._watched = self._watched, {}
        ready: list[Found] = []
        for found in listed:
            watched = before.get(found.name)
            if watched is None or watched.found != found:
                watched = _Watched(found, now_s)
            self._watched[found.name] = watched
            stable_s = self._rules.stable.total_seconds()
            if now_s - watched.since_s >= (
                stable_s if found.size_bytes else max(stable_s, EMPTY_FOR_S)
            ):
                ready.append(found)
        return ready


def _trigger_of(name: str) -> str:
    """Return a name's ending if it is that of a trigger, else nothing."""
    return next((name[-len(end) :] for end in TRIGGERS if name.lower().endswith(end)), "")
