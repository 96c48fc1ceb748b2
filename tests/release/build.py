"""Builds wheel and source distribution from a copy of a tree: equal trees make equal bytes."""

import hashlib
import io
import os
import shutil
import subprocess
import sys
import tarfile
from pathlib import Path

from tests.release.lock import PROJECT
from tests.tree import GIT, tracked


class CannotRelease(Exception):
    """Something is not as a release needs it; says what to do."""


def check_clean(project: Path = PROJECT) -> None:
    """See that everything is committed.

    Raises:
        CannotRelease: It is not, or this is no clone.
    """
    changed = _git(project, "status", "--porcelain").strip()
    if changed:
        raise CannotRelease(f"commit or remove first:\n{changed.decode()}")


def last_commit_at(project: Path = PROJECT) -> int:
    """Return when the last commit was made, in seconds since 1970: the time of a release."""
    return int(_git(project, "log", "-1", "--format=%ct"))


def export_commit(folder: Path, project: Path = PROJECT) -> None:
    """Write the last commit's files into an empty folder."""
    with tarfile.open(fileobj=io.BytesIO(_git(project, "archive", "HEAD"))) as archive:
        archive.extractall(folder, filter="data")


def export_tree(folder: Path) -> int:
    """Copy the files as they lie here into an empty folder; return when the newest was changed."""
    newest = 0
    for name in tracked():
        copy = folder / name
        copy.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(PROJECT / name, copy)
        newest = max(newest, int((PROJECT / name).stat().st_mtime))
    return newest


def build(source: Path, out: Path, *, made_at: int) -> list[Path]:
    """Build both distributions of a tree into a folder; return their paths.

    Raises:
        CannotRelease: The build failed.
    """
    out.mkdir(parents=True, exist_ok=True)
    before = set(out.iterdir())
    ran = subprocess.run(
        [sys.executable, "-m", "hatchling", "build", "-d", str(out.resolve())],
        cwd=source,
        env={"PATH": os.environ["PATH"], "LC_ALL": "C.UTF-8", "SOURCE_DATE_EPOCH": str(made_at)},
        capture_output=True,
        text=True,
        check=False,
    )
    if ran.returncode != 0:
        raise CannotRelease(f"the build failed:\n{ran.stdout}{ran.stderr}")
    return sorted(set(out.iterdir()) - before)


def sha256(path: Path) -> str:
    """Return a file's SHA-256 in hex."""
    return hashlib.sha256(path.read_bytes()).hexdigest()


def _git(project: Path, *arguments: str) -> bytes:
    try:
        return subprocess.run(
            [*GIT, *arguments], cwd=project, capture_output=True, check=True
        ).stdout
    except (OSError, subprocess.CalledProcessError) as exc:
        raise CannotRelease("a release is made from a clone, with git") from exc
