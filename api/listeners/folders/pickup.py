"""One folder, looked at again and again: its files are taken one by one, in their order.

::

    ready ──▶ copy to the spool ──▶ row and job ──▶ job ends ──▶ `Settling`: result, move, row
                  │ changed meanwhile                  ▲
                  ▼ not touched                        └─ after a crash it goes on from here

A file of which something is wrong is put aside; the others are taken.
"""

import contextlib
import secrets
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import timedelta

import structlog

from api.imports.spool import BUFFER_BYTES, SpoolFile
from api.listeners.folders.folder import (
    FileGone,
    FileUnusable,
    Folder,
    FolderUnreachable,
    Found,
)
from api.listeners.folders.hold import Desk, Hold, HoldLost
from api.listeners.folders.ready import Readiness
from api.listeners.folders.rules import FolderRules
from api.listeners.folders.settling import Settling
from esl.domain.errors import EslError, Unavailable
from esl.domain.ids import SourceId
from esl.domain.seen_file import FileState, SeenFile, title_of
from esl.services import folder_files
from esl.services.folder_files import Arrived, FileRefused, FileTaken
from esl.store import connectors, seen_files

FILES_A_STEP = 100
AGAIN_S = 60.0
"""How long what could not be read or moved is left alone."""

BACK_OFF_FIRST_S, BACK_OFF_LAST_S = 5, 300
SAID_FROM = 3
"""So many failures in a row that may pass are a problem."""

REFUSED_PAUSE = timedelta(seconds=30)

log = structlog.get_logger()


class StillChanging(EslError):
    """A file changed while it was read."""


class NoRoom(EslError):
    """Our own disk has no room for a file."""


@dataclass(slots=True)
class _Memory:
    """What one process remembers of a folder between two looks."""

    unusable: dict[Found, tuple[float, str]] = field(default_factory=dict)  # until, why
    stays_at_s: float = 0.0  # when those that stay are looked at again


class Pickup:
    """Works on one source's folder. ``open_folder`` may raise `FolderUnreachable`."""

    def __init__(
        self,
        source: SourceId,
        rules: FolderRules,
        open_folder: Callable[[], Folder],
        desk: Desk,
    ) -> None:
        self._source = source
        self._rules = rules
        self._open_folder = open_folder
        self._desk = desk
        self._folder: Folder | None = None
        self._readiness = Readiness(rules, desk.clock.monotonic_s)
        self._memory = _Memory()

    def step(self) -> bool:
        """Look once, and take what is ready; True if there is more to be taken at once.

        Raises:
            Unavailable: The database did not answer, or another process works here.
        """
        now = self._desk.clock.now()
        with self._desk.database.read() as tx:
            state = connectors.connector_state(tx, self._source, now)
            if state.due_at > now:
                return False
            lying = seen_files.lying_files(tx, self._source)
            due = seen_files.results_due(tx, self._source, now)
        try:
            folder = self._opened()
            fresh = self._fresh(self._readiness.ready(folder), lying)
            stays = [f for f in lying if f.state is FileState.STAYS]
            looks_again = bool(stays) and self._now_s() >= self._memory.stays_at_s
            unsettled = [f for f in lying if f.state is not FileState.STAYS]
            has_work = fresh or unsettled or due or looks_again
            if not has_work and state.problem == self._standing_problem(len(stays)):
                return False
        except FolderUnreachable as exc:
            self._fail(exc)
            return False
        hold = Hold.get(self._desk, self._source)
        if hold is None:
            return False
        settling = Settling(self._source, self._rules, folder, self._readiness, self._desk, hold)
        try:
            if looks_again:
                settling.look_after(stays)
                self._memory.stays_at_s = self._now_s() + AGAIN_S
            is_settled = all(settling.settle(file) for file in unsettled)
            # One that was handed in again is older than all that follow it.
            taken = fresh[:FILES_A_STEP] if is_settled else []
            refused = self._take_each(folder, taken, settling, hold)
            settling.tell_results(due)
        except FolderUnreachable as exc:
            self._end_failed(hold, exc)
            return False
        except Unavailable:
            if self._desk.stopping.is_set():
                hold.end(problem=state.problem, pause=timedelta())
            raise
        self._end(hold, refused)
        return not refused and (len(fresh) > FILES_A_STEP or not is_settled)

    def close(self) -> None:
        """Let go of the folder."""
        folder, self._folder = self._folder, None
        if folder is not None:
            folder.close()

    def _take_each(self, folder: Folder, fresh: list[Found], settling: Settling, hold: Hold) -> str:
        """Take files; return why the source cannot be used, or nothing."""
        for found in fresh:
            if self._desk.stopping.is_set():
                break
            try:
                file = self._take(folder, found, hold)
                if file is not None:
                    settling.settle(file)
            except FileGone:
                continue
            except StillChanging:
                self._readiness.changed(found)
            except FileUnusable as exc:
                self._leave_alone(found, str(exc))
            except (Unavailable, FolderUnreachable):
                raise
            except EslError as exc:  # the source: switched off, without a mapping, too much waits
                return str(exc)
        return ""

    def _take(self, folder: Folder, found: Found, hold: Hold) -> SeenFile | None:
        """Copy a file, and make a job of it; None if somebody else has it."""
        job_id = secrets.token_hex(8)
        with _saying_no_room():
            spooled = self._desk.spool.receive(job_id)
        is_kept = False
        try:
            refused = self._copy(folder, found, spooled, hold)
            if folder.look(found.name) != found:
                raise StillChanging("it changed while it was read")
            with _saying_no_room():
                sha256 = spooled.finish().sha256
            file = self._write_down(self._arrived(found, sha256, job_id), refused)
            is_kept = file.job_id == job_id
        except FileTaken:
            return None
        finally:
            if not is_kept:
                spooled.discard()
        self._desk.wake()
        log.info("file found", source=self._source, file=title_of(found.name), job=file.job_id)
        return file

    def _copy(self, folder: Folder, found: Found, spooled: SpoolFile, hold: Hold) -> str:
        """Copy a file; return why it is not worth a job, or nothing."""
        most = self._desk.most_bytes
        if found.size_bytes == 0:
            return "It is empty. Write the list into it, and rename it when it is whole."
        if found.size_bytes > most:
            return (
                f"It has more than {most // 2**20} MiB. Send it in parts, or raise "
                f"import_largest_mib in esl.toml."
            )
        with folder.open(found.name) as file:
            while data := file.read(BUFFER_BYTES):
                with _saying_no_room():
                    spooled.write(data)
                if spooled.size_bytes > found.size_bytes:
                    raise StillChanging("it grew while it was read")
                if self._desk.stopping.is_set():
                    raise Unavailable("this process is stopping")
                hold.keep()
        if spooled.size_bytes != found.size_bytes:
            raise StillChanging("it shrank while it was read")
        return ""

    def _write_down(self, arrived: Arrived, refused: str) -> SeenFile:
        write, now = self._desk.writer.write, self._desk.clock.now()
        if not refused:
            try:
                return write(lambda tx: folder_files.take_file(tx, arrived, now))
            except FileRefused as exc:
                refused = str(exc)
        return write(lambda tx: folder_files.refuse_file(tx, arrived, refused, now))

    def _arrived(self, found: Found, sha256: str, job_id: str) -> Arrived:
        title = title_of(found.name)
        return Arrived(
            source=self._source,
            name=found.name,
            size_bytes=found.size_bytes,
            modified_ns=found.modified_ns,
            sha256=sha256,
            job_id=job_id,
            path=f"{self._rules.folder}/{title}",
            title=title,
            mode=self._rules.mode,
            has_result=self._rules.results,
        )

    def _fresh(self, ready: list[Found], lying: list[SeenFile]) -> list[Found]:
        """Leave out what was taken before, and what is to be left alone for a while."""
        known = {(f.name, f.size_bytes, f.modified_ns) for f in lying}
        stale = {f.name for f in lying}
        now_s, fresh = self._now_s(), []
        left = self._memory.unusable
        self._memory.unusable = {one: left[one] for one in ready if one in left}
        for found in ready:
            if (found.name, found.size_bytes, found.modified_ns) in known:
                continue
            if found.name in stale and not self._readiness.trigger_is_newer(found):
                continue
            if now_s >= self._memory.unusable.get(found, (0.0, ""))[0]:
                fresh.append(found)
        return fresh

    def _leave_alone(self, found: Found, why: str) -> None:
        if found not in self._memory.unusable:
            log.warning("file unusable", source=self._source, file=title_of(found.name), why=why)
        self._memory.unusable[found] = (self._now_s() + AGAIN_S, why)

    def _standing_problem(self, stays: int) -> str:
        """Say what is wrong in the folder as it stands."""
        words = [
            f"{title_of(found.name)}: {why}." for found, (_, why) in self._memory.unusable.items()
        ][:3]
        if self._folder is not None and self._folder.trouble:
            words.insert(0, self._folder.trouble)
        if stays:
            words.insert(
                0,
                f"{stays} files were taken and cannot be moved away; they are remembered, and "
                f"not taken again. Give the controller the right to move them.",
            )
        return " ".join(words)[: connectors.PROBLEM_LONGEST]

    def _end(self, hold: Hold, refused: str) -> None:
        with self._desk.database.read() as tx:
            lying = seen_files.lying_files(tx, self._source)
        stays = sum(1 for file in lying if file.state is FileState.STAYS)
        problem = refused or self._standing_problem(stays)
        if refused:
            log.warning("folder waits", source=self._source, why=refused)
        hold.end(problem=problem, pause=REFUSED_PAUSE if refused else timedelta())

    def _fail(self, exc: FolderUnreachable) -> None:
        hold = Hold.get(self._desk, self._source)
        if hold is not None:
            self._end_failed(hold, exc)

    def _end_failed(self, hold: Hold, exc: FolderUnreachable) -> None:
        self.close()
        attempts = min(hold.attempts + 1, 1000)
        is_said = not exc.may_pass or attempts >= SAID_FROM
        pause_s = min(BACK_OFF_FIRST_S * 2 ** min(attempts - 1, 10), BACK_OFF_LAST_S)
        if attempts == (SAID_FROM if exc.may_pass else 1):
            log.warning("folder unreachable", source=self._source, why=str(exc))
        hold.end(
            problem=str(exc) if is_said else "",
            pause=timedelta(seconds=pause_s),
            attempts=attempts,
        )

    def _opened(self) -> Folder:
        if self._folder is None:
            self._folder = self._open_folder()
        return self._folder

    def _now_s(self) -> float:
        return self._desk.clock.monotonic_s()


@contextlib.contextmanager
def _saying_no_room() -> Iterator[None]:
    """Tell a disk of ours that is full from a database that is busy."""
    try:
        yield
    except Unavailable as exc:
        raise NoRoom(f"its files cannot be copied to the data folder: {exc}") from exc


__all__ = ["Desk", "HoldLost", "Pickup"]
