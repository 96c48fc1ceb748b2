"""Registered sources of files: where the folder of each is, and what its files are."""

import json
import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy import Connection

from api.listeners.folders.below import FoldersBelow
from api.listeners.folders.folder import Folder, FolderUnreachable
from api.listeners.folders.local import LocalFolder
from api.listeners.folders.rules import FolderRules, home_of, read_rules, roots_of
from api.listeners.folders.sftp_place import (
    PASSWORD,
    SSH_KEY,
    SftpLogin,
    SftpPlace,
    read_login,
    read_place,
)
from api.listeners.folders.sftp_thread import SshThread
from api.secret_box import open_box
from esl.domain.clock import EffectiveClock
from esl.domain.errors import InvalidInput, SetupError
from esl.domain.ids import SourceId
from esl.domain.source import Source, SourceKind
from esl.settings import Settings
from esl.store import sources
from esl.store.database import Database

_Owners = dict[tuple[str, ...], tuple[SourceId, bool]]
"""Who has a folder, and whether those within it too."""

FOLDER_KINDS = (SourceKind.HOT_FOLDER, SourceKind.SFTP)


@dataclass(frozen=True, slots=True, kw_only=True)
class FolderSource:
    """A source of files. ``of`` tells its settings and secrets from others, without saying them."""

    source_id: SourceId
    rules: FolderRules
    open_folder: Callable[[], Folder]
    of: int


class FolderSources:
    """Looks sources of files up in the database. Used by one thread at a time."""

    def __init__(self, settings: Settings, database: Database, clock: EffectiveClock) -> None:
        self._settings = settings
        self._database = database
        self._clock = clock
        self._ssh = SshThread()

    def list(self) -> "Sequence[FolderSource]":
        """List the sources that are switched on; one that is set wrongly says so when opened."""
        owners: _Owners = {}
        with self._database.read() as tx:
            standing = [one for kind in FOLDER_KINDS for one in sources.list_sources(tx, kind=kind)]
            standing.sort(key=lambda one: (one.created_at, one.source.source_id))  # first come
            return [
                self._folder_source(tx, one.source, owners)
                for one in standing
                if not one.source.disabled
            ]

    def close(self) -> None:
        """End all connections. Folders that are opened afterwards have new ones."""
        ended, self._ssh = self._ssh, SshThread()
        ended.close()

    def _folder_source(self, tx: Connection, source: Source, owners: "_Owners") -> FolderSource:
        """Make a source ready; ``owners`` are of the folders that others have already."""
        secrets: Sequence[tuple[str, str]] = []
        try:
            if source.kind is SourceKind.SFTP:
                secrets = self._secrets(tx, source)
            rules, open_folder = self._made(source, secrets)
            place = self._place_of(source)
            owner = (
                _overlapping(owners, place, rules)
                or owners.setdefault(place, (source.source_id, rules.subfolders))[0]
            )
            if owner != source.source_id:
                open_folder = _refusing(
                    f"its folder is that of the source {owner}, and both would take each file; "
                    f"give it a folder of its own"
                )
        except (InvalidInput, SetupError) as exc:
            rules, open_folder = FolderRules(), _refusing(_in_words(exc))
        said = json.dumps([dict(source.settings), source.mapping, *secrets], sort_keys=True)
        owned_by = owners.get(self._place_of(source))
        return FolderSource(
            source_id=source.source_id,
            rules=rules,
            open_folder=open_folder,
            of=hash((said, owned_by)),
        )

    def _made(
        self, source: Source, secrets: Sequence[tuple[str, str]]
    ) -> tuple[FolderRules, Callable[[], Folder]]:
        rules = read_rules(source)
        if source.mapping is None:
            raise InvalidInput.at("/mapping", "missing", fix="Give the source a mapping.")
        if source.kind is SourceKind.SFTP:
            place, login = read_place(source.settings), read_login(secrets)
            return rules, lambda: _sftp_folder(place, login, self._ssh, rules)
        roots, home = roots_of(self._settings), home_of(self._settings)
        return rules, lambda: _local_folder(rules, roots, home)

    def _place_of(self, source: Source) -> tuple[str, ...]:
        folder = source.settings.get("folder", "")
        if source.kind is SourceKind.HOT_FOLDER:
            return (os.path.normpath(home_of(self._settings) / folder),)
        server = [source.settings.get(name, "") for name in ("host", "port", "login")]
        return (*server, folder)

    def _secrets(self, tx: Connection, source: Source) -> Sequence[tuple[str, str]]:
        box = open_box(self._settings.data_dir)
        return [
            (sealed.kind, box.open(sealed.sealed, source=source.source_id, kind=sealed.kind))
            for sealed in sources.active_secrets(tx, source.source_id, self._clock.now())
            if sealed.kind in (SSH_KEY, PASSWORD)
        ]


def _overlapping(owners: _Owners, place: tuple[str, ...], rules: FolderRules) -> SourceId | None:
    """Name the source whose folders are this one's, where one has those within its own too."""
    above = owners.get((*place[:-1], os.path.dirname(place[-1])))  # noqa: PTH120  of a server, too
    if above is not None and above[1]:
        return above[0]
    if rules.subfolders:
        for other, (owner, _) in owners.items():
            if (*other[:-1], os.path.dirname(other[-1])) == place:  # noqa: PTH120  as above
                return owner
    return None


def _local_folder(rules: FolderRules, roots: Sequence[Path], home: Path) -> Folder:
    folder = LocalFolder(rules.folder, roots=roots, home=home)
    if not rules.subfolders:
        return folder

    def open_inner(name: str) -> Folder:
        within = os.path.join(rules.folder, name)  # noqa: PTH118  a name may be any bytes
        return LocalFolder(within, roots=roots, home=home, is_made=False)

    return FoldersBelow(folder, open_inner)


def _refusing(words: str) -> Callable[[], Folder]:
    def refuse() -> Folder:
        raise FolderUnreachable(words)

    return refuse


def _in_words(exc: InvalidInput | SetupError) -> str:
    if isinstance(exc, SetupError):
        return str(exc)
    return "; ".join(
        " ".join(filter(None, (f"{problem.path}: {problem.detail}.", problem.fix)))
        for problem in exc.problems
    )


def _sftp_folder(
    place: SftpPlace, login: SftpLogin, thread: SshThread, rules: FolderRules
) -> Folder:
    from api.listeners.folders.sftp import SftpFolder  # noqa: PLC0415  as in `sftp_place`

    folder = SftpFolder(place, login, thread)
    return FoldersBelow(folder, folder.inner) if rules.subfolders else folder
