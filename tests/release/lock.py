"""What the locks say: each package by its version, the files it may be, and who asks for it."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

PROJECT = Path(__file__).resolve().parents[2]
RUNTIME, POSTGRES, DEV = "requirements.txt", "requirements-postgres.txt", "requirements-dev.txt"
LOCKS = (RUNTIME, POSTGRES, DEV)
US = "esl-controller"

_ENTRY = re.compile(
    r"^(?P<name>[a-z0-9.-]+)==(?P<version>[^ ;\\\n]+)(?: ; (?P<marker>[^\\\n]+?))?[ \\]*\n"
    r"(?P<hashes>(?:    --hash=sha256:[0-9a-f]{64}[ \\]*\n)+)"
    r"(?P<via>(?:    #[^\n]*\n)*)",
    re.MULTILINE,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Locked:
    """A package of a lock. ``via`` are the packages that ask for it, `US` among them."""

    name: str
    version: str
    marker: str
    sha256: tuple[str, ...]
    via: tuple[str, ...]


def read_lock(text: str) -> dict[str, Locked]:
    """Read a lock as ``uv pip compile`` writes it.

    Raises:
        ValueError: It holds a requirement that is not understood.
    """
    found = {}
    for entry in _ENTRY.finditer(text):
        lines = re.findall(r"# +(?:via +)?(\S[^\n]*)", entry["via"])
        names = (re.sub(r"[ (:\[].*", "", line) for line in lines if line != "via")
        found[entry["name"]] = Locked(
            name=entry["name"],
            version=entry["version"],
            marker=entry["marker"] or "",
            sha256=tuple(re.findall(r"sha256:([0-9a-f]{64})", entry["hashes"])),
            via=tuple(name for name in names if not name.startswith("-")),
        )
    asked = set(re.findall(r"^([A-Za-z0-9_.\[\]-]+) ?[=@<>~!]", text, re.MULTILINE))
    if asked != set(found):
        raise ValueError(f"a lock holds what is not understood: {sorted(asked ^ set(found))}")
    return found


def read_locks(project: Path = PROJECT) -> Mapping[str, Mapping[str, Locked]]:
    """Read all locks of the project, by their names."""
    return {name: read_lock((project / name).read_text("utf-8")) for name in LOCKS}


def asked_by(locked: Iterable[Locked]) -> dict[str, set[str]]:
    """Turn it round: whom each package asks for."""
    found: dict[str, set[str]] = {}
    for one in locked:
        for parent in one.via:
            found.setdefault(parent, set()).add(one.name)
    return found
