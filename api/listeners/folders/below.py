"""The folders within a folder, one for each store perhaps, as one `Folder`.

    tills/                       the source's folder, with subfolders = true
      0007/prices.csv            here its name is 0007/prices.csv
      0007/done/  0007/rejected/  0007/prices.csv.result.csv
      0008/…

Each has its own ``done/``, ``rejected/`` and results, so that a till sees nothing of others. One
level is looked at. A folder in it that cannot be worked with holds up no other.
"""

from collections.abc import Callable
from dataclasses import replace
from typing import BinaryIO, Protocol

from api.listeners.folders.folder import (
    DONE,
    REJECTED,
    FileGone,
    Folder,
    FolderUnreachable,
    Found,
    oldest,
)

FOLDERS_MOST = 1000
"""Folders in one folder: each is listed at every look."""

_TROUBLES_SAID = 3


class Parent(Folder, Protocol):
    """A folder that says which folders are in it."""

    def folders(self) -> list[str]:
        """Name the folders in it, no links."""
        ...


class FoldersBelow:
    """A folder and the folders in it. ``open_inner`` opens one of them by its name."""

    def __init__(self, top: Parent, open_inner: Callable[[str], Folder]) -> None:
        self._top = top
        self._open_inner = open_inner
        self._inner: dict[str, Folder] = {}
        self.trouble = ""

    def list(self, wanted: Callable[[str], bool]) -> list[Found]:
        """List the files with wanted names (without their folders') in all of them."""
        names = sorted(name for name in self._top.folders() if _is_for_files(name))
        if len(names) > FOLDERS_MOST:
            raise FolderUnreachable(
                f"there are more than {FOLDERS_MOST} folders in the folder; "
                f"make sources of several folders"
            )
        for gone in self._inner.keys() - set(names):
            self._inner.pop(gone).close()
        found, troubles = self._top.list(wanted), []
        for name in names:
            try:
                inside = self._folder(name).list(wanted)
            except FolderUnreachable as exc:
                if exc.may_pass:  # the server is gone, and with it all of them
                    raise
                self._inner.pop(name).close()
                troubles.append(str(exc))
                continue
            found += [replace(one, name=f"{name}/{one.name}") for one in inside]
        self.trouble = " ".join(troubles[:_TROUBLES_SAID])
        return oldest(found)

    def look(self, name: str) -> Found | None:
        """Say how a file is at this moment; see `Folder`."""
        folder, bare = self._of(name)
        try:
            found = folder.look(bare)
        except FolderUnreachable as exc:
            if exc.may_pass or folder is self._top:
                raise
            return None  # its folder is gone, or shut
        return replace(found, name=name) if found is not None else None

    def open(self, name: str) -> BinaryIO:
        """Open a plain file for reading; see `Folder`."""
        folder, bare = self._of(name)
        with _ThatFolderAlone(folder is self._top):
            return folder.open(bare)

    def move(self, found: Found, folder: str) -> str:
        """Move a file into ``done`` or ``rejected`` beside it; see `Folder`."""
        own, bare = self._of(found.name)
        with _ThatFolderAlone(own is self._top):
            moved = own.move(replace(found, name=bare), folder)
        return found.name.removesuffix(bare) + moved

    def write(self, name: str, data: bytes, folder: str = "") -> None:
        """Write a file into the folder that its name says; see `Folder`."""
        own, bare = self._of(name)
        with _ThatFolderAlone(own is self._top):
            own.write(bare, data, folder)

    def remove(self, name: str) -> None:
        """Remove a file; see `Folder`."""
        folder, bare = self._of(name)
        with _ThatFolderAlone(folder is self._top):
            folder.remove(bare)

    def close(self) -> None:
        """Let go of all of them."""
        while self._inner:
            self._inner.popitem()[1].close()
        self._top.close()

    def _of(self, name: str) -> tuple[Folder, str]:
        """Return the folder that a name speaks of, and the name within it."""
        folder, _, bare = name.rpartition("/")
        return (self._folder(folder) if folder else self._top), bare

    def _folder(self, name: str) -> Folder:
        if name not in self._inner:
            self._inner[name] = self._open_inner(name)
        return self._inner[name]


class _ThatFolderAlone:
    """Takes a folder within that is gone or shut for a file that is: the others go on."""

    def __init__(self, is_top: bool) -> None:  # noqa: FBT001  private, and said by name nowhere
        self._is_top = is_top

    def __enter__(self) -> None:
        return

    def __exit__(self, kind: object, exc: BaseException | None, trace: object) -> None:
        if isinstance(exc, FolderUnreachable) and not exc.may_pass and not self._is_top:
            raise FileGone(str(exc)) from exc


def _is_for_files(name: str) -> bool:
    return not name.startswith(".") and name.lower() not in (DONE, REJECTED)
