"""``python -m tests.release``: make a release of the last commit in ``dist``: docs/releasing.md."""

import argparse
import sys
import tempfile
import tomllib
from pathlib import Path

from tests.release.build import (
    CannotRelease,
    build,
    check_clean,
    export_commit,
    export_tree,
    last_commit_at,
    sha256,
)
from tests.release.lock import PROJECT, US, read_locks
from tests.release.sbom import make_sbom
from tests.release.vendored import vendored

SUMS = "SHA256SUMS"


def release(out: Path, *, as_it_is: bool) -> list[Path]:
    """Make it; return its files, the sums last.

    Raises:
        CannotRelease: Something is not as a release needs it.
    """
    if not as_it_is:
        check_clean()
    out.mkdir(parents=True, exist_ok=True)
    if any(out.iterdir()):
        raise CannotRelease(f"{out} is not empty: move what is in it, or run make clean")
    with tempfile.TemporaryDirectory(prefix="esl-release-") as folder:
        source = Path(folder)
        if as_it_is:
            made_at = export_tree(source)
        else:
            made_at = last_commit_at()
            export_commit(source)
        project = tomllib.loads((source / "pyproject.toml").read_text("utf-8"))["project"]
        files = build(source, out, made_at=made_at)
        text = make_sbom(
            version=project["version"],
            licence=project["license"],
            made_at=made_at,
            files={path.name: sha256(path) for path in files},
            locks=read_locks(source),
            vendored=vendored(source),
        )
    bill = out / f"{US}-{project['version']}.cdx.json"
    bill.write_text(text, "utf-8")
    files.append(bill)
    sums = out / SUMS
    sums.write_text("".join(f"{sha256(path)}  {path.name}\n" for path in files), "utf-8")
    return [*files, sums]


def main() -> int:
    """Make a release and name its files."""
    parser = argparse.ArgumentParser(prog="make release", description=__doc__)
    parser.add_argument("--out", type=Path, default=PROJECT / "dist", help="an empty folder")
    parser.add_argument(
        "--as-it-is", action="store_true", help="of the files as they lie here, committed or not"
    )
    asked = parser.parse_args()
    try:
        made = release(asked.out, as_it_is=asked.as_it_is)
    except (CannotRelease, LookupError, ValueError) as exc:
        sys.stderr.write(f"make release: {exc}\n")
        return 1
    for path in made:
        sys.stdout.write(f"{path.stat().st_size:>9}  {path}\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
