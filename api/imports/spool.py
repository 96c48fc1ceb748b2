"""Files of import jobs, kept until the job has ended.

    esl-data/imports/            0700
      JOB.file                   0600, as it was sent
      JOB.mapping                0600, the mapping that came with it, if one did
      JOB.trial                  0600, while a dry run lasts: a copy of the database
      JOB.tried                  0600, a file whose dry run has ended well: for `Spool.take_tried`

A job is run by the process that has its file.
"""

import contextlib
import hashlib
import io
import os
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from esl.domain.errors import Conflict, EslError, SetupError, Unavailable

BUFFER_BYTES = 256 * 1024
TRIED_KEPT_S = 24 * 3600.0
TRIED_MOST = 8
"""So long, and of so many dry runs, the file is kept for taking it in earnest."""


class ImportStopped(EslError):
    """This process is stopping; the job goes on at its next start."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Spooled:
    """A file that was received whole."""

    job_id: str
    sha256: str
    size_bytes: int


class SpoolFile:
    """A file being received; `finish` it or `discard` it."""

    def __init__(self, path: Path, job_id: str) -> None:
        self._path = path
        self._job_id = job_id
        self._sum = hashlib.sha256()
        self.size_bytes = 0
        try:
            descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        except OSError as exc:
            raise Unavailable(f"the file cannot be kept: {exc.strerror}") from exc
        self._file = os.fdopen(descriptor, "wb", BUFFER_BYTES)

    def write(self, data: bytes) -> None:
        """Add bytes.

        Raises:
            Unavailable: The disk is full.
        """
        try:
            self._file.write(data)
        except OSError as exc:
            raise Unavailable(f"the file cannot be kept: {exc.strerror}") from exc
        self._sum.update(data)
        self.size_bytes += len(data)

    def finish(self) -> Spooled:
        """Keep the file for good.

        Raises:
            Unavailable: The disk is full.
        """
        try:
            self._file.flush()
            os.fsync(self._file.fileno())
            self._file.close()
        except OSError as exc:
            raise Unavailable(f"the file cannot be kept: {exc.strerror}") from exc
        return Spooled(
            job_id=self._job_id, sha256=self._sum.hexdigest(), size_bytes=self.size_bytes
        )

    def discard(self) -> None:
        """Forget what was received."""
        try:
            self._file.close()
        except OSError:
            pass  # what could not be written is not wanted any more
        self._path.unlink(missing_ok=True)


class Spool:
    """The folder of files that wait to be imported."""

    def __init__(self, data_dir: Path) -> None:
        self._folder = data_dir / "imports"

    def receive(self, job_id: str) -> SpoolFile:
        """Begin to receive a file."""
        self._make()
        return SpoolFile(self._folder / f"{job_id}.file", job_id)

    def keep_mapping(self, job_id: str, document: str) -> None:
        """Keep the mapping that came with a file."""
        self._make()
        path = self._folder / f"{job_id}.mapping"
        try:
            descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
            with os.fdopen(descriptor, "w", encoding="utf-8") as file:
                file.write(document)
                file.flush()
                os.fsync(file.fileno())
        except OSError as exc:
            raise Unavailable(f"the mapping cannot be kept: {exc.strerror}") from exc

    def mapping_of(self, job_id: str) -> str:
        """Return the mapping that came with a file.

        Raises:
            Unavailable: It is gone.
        """
        try:
            return (self._folder / f"{job_id}.mapping").read_text(encoding="utf-8")
        except OSError as exc:
            raise Unavailable(f"the mapping of the import is gone: {exc.strerror}") from exc

    def has(self, job_id: str) -> bool:
        """Say whether a job's file is here."""
        return (self._folder / f"{job_id}.file").is_file()

    def open(self, job_id: str, watch: Callable[[int], None]) -> io.BufferedReader:
        """Open a job's file; ``watch`` hears how far it was read, and may raise to end it."""
        return io.BufferedReader(_Watched(self._folder / f"{job_id}.file", watch), BUFFER_BYTES)

    def trial_of(self, job_id: str) -> Path:
        """Say where a dry run may have its copy of the database."""
        return self._folder / f"{job_id}.trial"

    def discard(self, job_id: str) -> None:
        """Delete all that is here of a job."""
        for path in self._folder.glob(f"{job_id}.*"):
            path.unlink(missing_ok=True)

    def keep_tried(self, job_id: str) -> None:
        """Keep the file of a dry run that has ended, so that it can be taken in earnest."""
        self.trial_of(job_id).unlink(missing_ok=True)
        file = self._folder / f"{job_id}.file"
        os.utime(file)  # it is kept from now on
        file.rename(self._tried(job_id))

    def has_tried(self, job_id: str) -> bool:
        """Say whether the file of a dry run is still here."""
        return self._tried(job_id).is_file()

    def take_tried(self, tried_id: str, job_id: str) -> None:
        """Give a job the file of a dry run, and the mapping that came with it; both keep theirs.

        Raises:
            Conflict: The file is here no longer.
        """
        mapping = self._folder / f"{tried_id}.mapping"
        try:
            if mapping.is_file():
                os.link(mapping, self._folder / f"{job_id}.mapping")
            os.link(self._tried(tried_id), self._folder / f"{job_id}.file")
        except FileNotFoundError:
            raise Conflict("the file of this dry run is kept no longer; send it again") from None
        except OSError as exc:
            raise Unavailable(f"the file cannot be kept: {exc.strerror}") from exc

    def forget_tried(self) -> None:
        """Delete files of dry runs that nobody took in earnest: old ones, and more than a few."""
        found: list[tuple[float, str]] = []
        for path in self._folder.glob("*.tried"):
            with contextlib.suppress(FileNotFoundError):  # it was taken at this moment
                found.append((path.stat().st_mtime, path.stem))
        kept_since_s = time.time() - TRIED_KEPT_S
        for number, (at_s, job_id) in enumerate(sorted(found, reverse=True)):
            if number >= TRIED_MOST or at_s < kept_since_s:
                self.discard(job_id)

    def job_ids(self) -> set[str]:
        """Return the jobs of which anything is here, but for dry runs that may be taken yet."""
        found = {path.name.split(".")[0] for path in self._folder.glob("*.*")}
        return {job_id for job_id in found if not self.has_tried(job_id)}

    def _tried(self, job_id: str) -> Path:
        return self._folder / f"{job_id}.tried"

    def _make(self) -> None:
        try:
            self._folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        except OSError as exc:
            raise SetupError(f"{self._folder} cannot be made: {exc.strerror}") from exc


class _Watched(io.FileIO):
    """A file that tells how far it was read."""

    def __init__(self, path: Path, watch: Callable[[int], None]) -> None:
        super().__init__(path, "rb")
        self._watch = watch

    def readinto(self, buffer: Any, /) -> int | None:
        """Read, and tell."""
        count = super().readinto(buffer)
        self._watch(self.tell())
        return count
