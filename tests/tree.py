"""The files of this project: those that git has or would take; without git, those that lie here."""

import os
import subprocess
from pathlib import Path

from tests.unit.test_house_rules import NOT_OURS, PROJECT

GIT = ("git", "-c", "safe.directory=*")
"""Also where the folder belongs to somebody else, as it does on machines that only test it."""


def tracked() -> list[str]:
    """Name every file that is there, by its path below the project."""
    try:
        listed = subprocess.run(
            [*GIT, "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
            cwd=PROJECT,
            capture_output=True,
            check=True,
        ).stdout
    except (OSError, subprocess.CalledProcessError):  # no git, or no clone
        return walked()
    names = (os.fsdecode(name) for name in listed.split(b"\0") if name)
    # One that was deleted stays listed until that is committed.
    return sorted(name for name in names if (PROJECT / name).is_file())


def walked(project: Path = PROJECT) -> list[str]:
    """Name every file below a folder but those that nobody would take."""
    found: list[str] = []
    for folder, inner, names in os.walk(project):
        inner[:] = [name for name in inner if name not in NOT_OURS and not name.startswith(".")]
        inside = Path(folder).relative_to(project)
        found += [str(inside / name) for name in names if not name.startswith(".")]
    return sorted(found)
