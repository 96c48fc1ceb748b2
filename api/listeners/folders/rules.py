"""What a source of files is set to: which files, when they are ready, what becomes of them.

setting      usual        means
folder       —            hot_folder: below a folder that the operator named
pattern      *            of names, such as *.csv; capital letters do not count
pickup       stable       rename: as soon as it is there; trigger: NAME.ok or NAME.trg beside it;
stable: its size and time have not changed for stable_s
stable_s     10           seconds
mode         delta        full: what the file leaves out is retired
results      true         false: no result files
every_s      5            seconds between two looks
subfolders   false        true: the folders in it as well, each perhaps of a store
store_from   —            prices_{store}_*.csv: the name of the file says the store
store.NAME   —            what the source calls a store
"""

import fnmatch
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum
from pathlib import Path

from api.listeners.folders.folder import FolderUnreachable
from api.listeners.folders.local import resolve_below
from api.listeners.folders.sftp_place import SFTP_SETTINGS, check_sftp_settings
from esl.domain.errors import FieldProblem, InvalidInput
from esl.domain.import_job import ImportMode
from esl.domain.source import Source, SourceKind
from esl.intake.routing import STORE_FROM
from esl.intake.strict_json import pointer
from esl.services.import_routing import STORE_NAME, UNKNOWN_STORES
from esl.settings import Settings

FOLDER_SETTINGS = frozenset(
    {"pattern", "pickup", "stable_s", "mode", "results", "every_s", "subfolders"}
    | {STORE_FROM, UNKNOWN_STORES}
)
"""Settings of every source of files, beside ``store.NAME``."""

PATTERN_LONGEST = 200
FOLDER_LONGEST = 1000
_STARS_MOST = 5
_EVERY_S = (1, 3600)
_STABLE_S = (1, 3600)
_FLAGS = {"true": True, "false": False}


class PickUp(StrEnum):
    """When a file is ready."""

    RENAME = "rename"
    TRIGGER = "trigger"
    STABLE = "stable"


@dataclass(frozen=True, slots=True, kw_only=True)
class FolderRules:
    """The settings of a source, read."""

    folder: str = ""
    pattern: str = "*"
    pickup: PickUp = PickUp.STABLE
    stable: timedelta = timedelta(seconds=10)
    mode: ImportMode = ImportMode.DELTA
    results: bool = True
    every: timedelta = timedelta(seconds=5)
    subfolders: bool = False


def check_folder_settings(source: Source, settings: Settings | None = None) -> None:
    """Refuse settings with which no folder can be worked on, when they are put.

    Settings of routing are another's to check. Where a hot folder lies is looked at with
    ``settings``; without them, when it is opened.

    Raises:
        InvalidInput: With each setting that is missing, wrong or unknown.
    """
    is_sftp = source.kind is SourceKind.SFTP
    known = FOLDER_SETTINGS | (SFTP_SETTINGS if is_sftp else {"folder"})
    problems = [
        FieldProblem(
            path=pointer("/settings", name),
            detail="unknown here",
            fix=f"Known are {', '.join(sorted(known))} and store.NAME.",
        )
        for name in sorted(source.settings)
        if name not in known and not name.startswith(STORE_NAME)
    ]
    rules = FolderRules()
    try:
        rules = read_rules(source)
    except InvalidInput as exc:
        problems += exc.problems
    try:
        if is_sftp:
            check_sftp_settings(source)
    except InvalidInput as exc:
        problems += exc.problems
    if source.mapping is None:
        fix = "Save a mapping (PUT /api/v1/mappings/NAME) and name it."
        problems.append(FieldProblem(path="/mapping", detail="missing", fix=fix))
    if rules.mode is ImportMode.FULL and not source.accepts_full:
        fix = "Set accepts_full of the source, or mode to delta."
        detail = "full, of a source that does not send complete lists"
        problems.append(FieldProblem(path="/settings/mode", detail=detail, fix=fix))
    if rules.folder and settings is not None and (wrong := _wrong_place(rules, settings)):
        problems.append(wrong)
    if problems:
        raise InvalidInput(problems)


def read_rules(source: Source) -> FolderRules:
    """Read a source's settings, without a look at the folder.

    Raises:
        InvalidInput: With each setting that is missing or wrong.
    """
    read = _Reader(source.settings)
    folder = ""
    if source.kind is SourceKind.HOT_FOLDER:
        folder = read.text("folder", _parse_folder, None) or ""
    pattern = read.text("pattern", _parse_pattern, "*") or "*"
    pickup = read.choice("pickup", [p.value for p in PickUp], PickUp.STABLE.value)
    stable_s = read.seconds("stable_s", _STABLE_S, 10)
    mode = read.choice("mode", [m.value for m in ImportMode], ImportMode.DELTA.value)
    results = read.choice("results", list(_FLAGS), "true")
    every_s = read.seconds("every_s", _EVERY_S, 5)
    subfolders = read.choice("subfolders", list(_FLAGS), "false")
    read.finish()
    return FolderRules(
        folder=folder,
        pattern=pattern,
        pickup=PickUp(pickup),
        stable=timedelta(seconds=stable_s),
        mode=ImportMode(mode),
        results=_FLAGS[results],
        every=timedelta(seconds=every_s),
        subfolders=_FLAGS[subfolders],
    )


def roots_of(settings: Settings) -> tuple[Path, ...]:
    """Return the folders below which hot folders may lie: our own first."""
    return (home_of(settings), *settings.hot_folder_roots)


def home_of(settings: Settings) -> Path:
    """Return where a hot folder lies that is named without a root."""
    return (settings.data_dir / "hot").absolute()


def compile_pattern(pattern: str) -> re.Pattern[str]:
    """Return what names fit a pattern as shells write them; capital letters do not count."""
    return re.compile(fnmatch.translate(pattern), re.IGNORECASE)


class _Reader:
    """Reads settings one by one, and keeps what is wrong with them."""

    def __init__(self, settings: Mapping[str, str]) -> None:
        self._settings = settings
        self._problems: list[FieldProblem] = []

    def text(self, name: str, parse: Callable[[str, str], str], usual: str | None) -> str | None:
        """Read a text; required where ``usual`` is None."""
        found = self._settings.get(name, "")
        path = pointer("/settings", name)
        if not found and usual is not None:
            return usual
        if not found:
            self._note(path, "missing", "Name it, as docs/hot-folder.md tells.")
            return None
        return self.try_to(lambda: parse(found, path))

    def choice(self, name: str, choices: Sequence[str], usual: str) -> str:
        """Read one of some words."""
        found = self._settings.get(name, usual)
        if found not in choices:
            self._note(
                pointer("/settings", name), "not a choice", f"Say one of {', '.join(choices)}."
            )
            return usual
        return found

    def seconds(self, name: str, bounds: tuple[int, int], usual: int) -> int:
        """Read whole seconds."""
        found = self._settings.get(name, str(usual))
        is_number = found.isascii() and found.isdecimal() and len(found) < 10  # noqa: PLR2004
        if not is_number or not bounds[0] <= int(found) <= bounds[1]:
            low, high = bounds
            self._note(pointer("/settings", name), "not whole seconds", f"Say {low} to {high}.")
            return usual
        return int(found)

    def try_to(self, parse: Callable[[], str]) -> str | None:
        """Return what ``parse`` does, or keep what is wrong."""
        try:
            return parse()
        except InvalidInput as exc:
            self._problems.extend(exc.problems)
            return None

    def finish(self) -> None:
        """Raise if anything was wrong."""
        if self._problems:
            raise InvalidInput(self._problems)

    def _note(self, path: str, detail: str, fix: str) -> None:
        self._problems.append(FieldProblem(path=path, detail=detail, fix=fix))


def _parse_folder(text: str, path: str) -> str:
    if len(text) > FOLDER_LONGEST or not text.isprintable() or ".." in Path(text).parts:
        fix = "Write such as tills/main, or the whole path below a folder of hot_folder_roots."
        raise InvalidInput.at(path, "not the path of a folder", fix=fix)
    return text


def _parse_pattern(text: str, path: str) -> str:
    if len(text) > PATTERN_LONGEST or not text.isprintable() or "/" in text:
        raise InvalidInput.at(path, "not a pattern of names", fix="Write such as *.csv.")
    if text.count("*") > _STARS_MOST:
        raise InvalidInput.at(path, f"more than {_STARS_MOST} *", fix="Write such as *.csv.")
    return text


def _wrong_place(rules: FolderRules, settings: Settings) -> FieldProblem | None:
    home, roots = home_of(settings), roots_of(settings)
    path = home / rules.folder
    outside = (
        "below none of the folders for hot folders",
        "Name it without a path, or add its root to hot_folder_roots in esl.toml.",
    )
    words: tuple[str, str] | None = None
    if not any(path.is_relative_to(root.absolute()) for root in roots):
        words = outside  # whether it is there is nobody's business
    else:
        try:
            resolve_below(path, roots)
        except FileNotFoundError:
            if not path.is_relative_to(home):
                words = "not there", "Make the folder, and give the controller's user the right."
        except FolderUnreachable:
            words = outside
        except OSError:
            words = "cannot be looked at", "Give the controller's user the right to read it."
    return FieldProblem(path="/settings/folder", detail=words[0], fix=words[1]) if words else None
