"""A folder on this machine, or on a share that it has mounted.

    roots of the operator ──resolve──▶ FOLDER ──open, part by part, no links──▶ one descriptor

Whoever may register sources must not be able to read or move every file of this machine: a hot
folder lies below a folder that the operator named. Once opened, all calls go by its descriptor.
"""

import builtins
import contextlib
import errno
import os
import secrets
import stat
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from typing import BinaryIO

from api.listeners.folders.folder import (
    FileGone,
    FileUnusable,
    FolderUnreachable,
    Found,
    fitting,
    numbered,
    oldest,
)

TEMPORARY = ".esl-"
"""Begin of the names of files that are being written; hidden, and no till waits for them."""

_TRIED_NAMES = 10_000
_FOLDER_FLAGS = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
_FILE_FLAGS = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
_OF_THE_FOLDER = frozenset(
    {errno.EIO, errno.ESTALE, errno.ENODEV, errno.ENXIO, errno.EHOSTDOWN, errno.ETIMEDOUT}
    | {errno.ENOTCONN, errno.EBADF}
)


class LocalFolder:
    """A hot folder below one of the operator's ``roots``. A missing one is made in ``home`` only.

    Elsewhere a folder that is missing may be a share that is not mounted: to make it would hide
    that.
    """

    trouble = ""

    def __init__(
        self, folder: str, *, roots: Sequence[Path], home: Path, is_made: bool = True
    ) -> None:
        self._is_made = is_made
        self._path = Path(os.path.normpath(home / folder))
        self._roots = roots
        self._home = home
        self._descriptor = -1

    def list(self, wanted: Callable[[str], bool]) -> list[Found]:
        """List the plain files with wanted names, the oldest first."""
        self._open_anew()
        with self._telling(), os.scandir(self._descriptor) as entries:
            return oldest(self._found(entries, wanted))

    def folders(self) -> builtins.list[str]:
        """Name the folders in it, no links."""
        self._open_anew()
        with self._telling(), os.scandir(self._descriptor) as entries:
            return [os.fsdecode(e.name) for e in entries if e.is_dir(follow_symlinks=False)]

    def look(self, name: str) -> Found | None:
        """Say how a file is at this moment; None if it is gone, or no plain file."""
        with self._telling():
            return self._look(self._folder(), name)

    def open(self, name: str) -> BinaryIO:
        """Open a plain file for reading."""
        try:
            descriptor = os.open(name, _FILE_FLAGS, dir_fd=self._folder())
        except OSError as exc:
            raise self._problem_of(exc, "read") from exc
        if not stat.S_ISREG(os.fstat(descriptor).st_mode):
            os.close(descriptor)
            raise FileGone("it is no plain file")
        os.set_blocking(descriptor, True)
        return os.fdopen(descriptor, "rb")

    def move(self, found: Found, folder: str) -> str:
        """Move a file into a folder within this one, if it is still as it was found."""
        try:
            into = self._inner(folder)
        except OSError as exc:
            raise self._problem_of(exc, f"moved into {folder}/", is_file=False) from exc
        try:
            if self._look(self._folder(), found.name) != found:
                raise FileGone("it is gone, or another one has taken its place")
            return self._move(found, into)
        except OSError as exc:
            raise self._problem_of(exc, f"moved into {folder}/") from exc
        finally:
            os.close(into)

    def write(self, name: str, data: bytes, folder: str = "") -> None:
        """Write a file, whole or not at all, over one of this name."""
        try:
            into = self._inner(folder) if folder else os.dup(self._folder())
        except OSError as exc:
            raise self._problem_of(exc, "written", is_file=False) from exc
        temporary = fitting(f"{TEMPORARY}{secrets.token_hex(8)}", ".tmp")
        try:
            self._write(into, temporary, data)
            os.rename(temporary, name, src_dir_fd=into, dst_dir_fd=into)
        except OSError as exc:
            with contextlib.suppress(OSError):
                os.unlink(temporary, dir_fd=into)
            raise self._problem_of(exc, "written", is_file=False) from exc
        finally:
            os.close(into)

    def remove(self, name: str) -> None:
        """Remove a file; one that is gone already is no error."""
        try:
            os.unlink(name, dir_fd=self._folder())
        except FileNotFoundError:
            pass
        except OSError as exc:
            raise self._problem_of(exc, "removed") from exc

    def close(self) -> None:
        """Let go of the folder."""
        if self._descriptor >= 0:
            with contextlib.suppress(OSError):
                os.close(self._descriptor)
            self._descriptor = -1

    def _folder(self) -> int:
        if self._descriptor < 0:
            self._open_anew()
        return self._descriptor

    def _open_anew(self) -> None:
        """Open the folder by its path: another may be mounted there since it was last opened."""
        self.close()
        try:
            if self._is_made and self._path.is_relative_to(self._home):
                self._path.mkdir(parents=True, exist_ok=True)
            root, parts = resolve_below(self._path, self._roots)
            self._descriptor = _open_parts(root, parts)
        except FileNotFoundError as exc:
            raise FolderUnreachable(
                f"the folder {self._path} is not there; make it, or mount what it is on"
            ) from exc
        except PermissionError as exc:
            raise FolderUnreachable(
                f"the controller may not read the folder {self._path}; give its user the right"
            ) from exc
        except OSError as exc:
            words = exc.strerror or "it cannot be opened"
            raise FolderUnreachable(f"the folder {self._path}: {words}") from exc

    def _inner(self, folder: str) -> int:
        with contextlib.suppress(FileExistsError):
            os.mkdir(folder, dir_fd=self._folder())
        return os.open(folder, _FOLDER_FLAGS, dir_fd=self._folder())

    def _found(
        self, entries: Iterable["os.DirEntry[str]"], wanted: Callable[[str], bool]
    ) -> Iterator[Found]:
        for entry in entries:
            name = os.fsdecode(entry.name)
            if wanted(name) and (found := self._look(self._descriptor, name)) is not None:
                yield found

    def _look(self, folder: int, name: str) -> Found | None:
        try:
            status = os.stat(name, dir_fd=folder, follow_symlinks=False)
        except (FileNotFoundError, NotADirectoryError):
            return None
        if not stat.S_ISREG(status.st_mode):
            return None
        return Found(name=name, size_bytes=status.st_size, modified_ns=status.st_mtime_ns)

    def _move(self, found: Found, into: int) -> str:
        """Take a free name by making an empty file of it, which the moved one then replaces."""
        source = self._folder()
        for number in range(1, _TRIED_NAMES):
            name = numbered(found.name, number)
            try:
                flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC
                os.close(os.open(name, flags, 0o600, dir_fd=into))
            except FileExistsError:
                continue
            try:
                os.rename(found.name, name, src_dir_fd=source, dst_dir_fd=into)
            except BaseException:
                os.unlink(name, dir_fd=into)
                raise
            moved = self._look(into, name)
            if moved is not None and (moved.size_bytes, moved.modified_ns) != (
                found.size_bytes,
                found.modified_ns,
            ):
                self._put_back(name, into, found.name)
                raise FileGone("another one had taken its place, and waits to be taken")
            return name
        raise FileUnusable(f"it cannot be moved: {_TRIED_NAMES} files of its name are there")

    def _put_back(self, name: str, into: int, own: str) -> None:
        """Let a file lie where it was put: it came the moment before the other was moved."""
        for number in range(1, _TRIED_NAMES):
            with contextlib.suppress(FileExistsError):
                os.link(name, numbered(own, number), src_dir_fd=into, dst_dir_fd=self._folder())
                os.unlink(name, dir_fd=into)
                return

    @staticmethod
    def _write(into: int, temporary: str, data: bytes) -> None:
        flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC
        with os.fdopen(os.open(temporary, flags, 0o644, dir_fd=into), "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())

    @contextlib.contextmanager
    def _telling(self) -> Iterator[None]:
        try:
            yield
        except OSError as exc:
            words = exc.strerror or "it cannot be read"
            raise FolderUnreachable(f"the folder {self._path}: {words}") from exc

    def _problem_of(
        self, exc: OSError, what: str, *, is_file: bool = True
    ) -> FileUnusable | FolderUnreachable:
        words = exc.strerror or "the system says no"
        if exc.errno in _OF_THE_FOLDER:
            return FolderUnreachable(f"the folder {self._path}: {words}")
        if is_file and exc.errno in (errno.ENOENT, errno.ELOOP, errno.ENXIO, errno.ENOTDIR):
            return FileGone("it is not there any more, or is no plain file")
        return FileUnusable(f"it cannot be {what}: {words}")


def resolve_below(path: Path, roots: Sequence[Path]) -> tuple[Path, tuple[str, ...]]:
    """Resolve links, and return the root that a folder is below and the way from there.

    Raises:
        FolderUnreachable: It is below none of them.
        FileNotFoundError: It is not there.
        OSError: It cannot be looked at.
    """
    real = path.resolve(strict=True)
    for root in roots:
        with contextlib.suppress(FileNotFoundError):
            below = root.resolve(strict=True)
            if real.is_relative_to(below):
                return below, real.relative_to(below).parts
    named = ", ".join(str(root) for root in roots)
    raise FolderUnreachable(
        f"the folder {path} is below none of the folders for hot folders ({named}); "
        f"add one to hot_folder_roots in esl.toml"
    )


def _open_parts(root: Path, parts: tuple[str, ...]) -> int:
    descriptor = os.open(root, _FOLDER_FLAGS)
    for part in parts:
        try:
            inner = os.open(part, _FOLDER_FLAGS, dir_fd=descriptor)
        finally:
            os.close(descriptor)
        descriptor = inner
    return descriptor
