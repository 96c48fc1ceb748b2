"""A release: the same bytes from the same tree, with everything a shop needs and nothing more."""

import json
import os
import re
import shutil
import signal
import stat
import subprocess
import sys
import sysconfig
import tarfile
import time
import tomllib
import zipfile
from collections.abc import Callable
from pathlib import Path

import httpx2
import pytest

from api.private_files import read_runtime_file
from tests.release.build import CannotRelease, build, check_clean, export_tree, sha256
from tests.release.lock import PROJECT
from tests.served import environment, wait_until
from tests.tree import GIT
from tests.unit.test_no_secrets import holds_no_secret

PACKAGES = ("esl", "renderer", "gateway", "simulator", "api")
MADE_AT = 1_772_373_787
VERSION = tomllib.loads((PROJECT / "pyproject.toml").read_text("utf-8"))["project"]["version"]


@pytest.fixture(scope="module")
def source(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of this tree."""
    folder = tmp_path_factory.mktemp("source")
    export_tree(folder)
    return folder


@pytest.fixture(scope="module")
def built(source: Path, tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    """Its source distribution and its wheel."""
    return build(source, tmp_path_factory.mktemp("dist"), made_at=MADE_AT)


@pytest.fixture(scope="module")
def wheel(built: list[Path]) -> Path:
    return next(path for path in built if path.suffix == ".whl")


@pytest.fixture(scope="module")
def members(wheel: Path) -> list[str]:
    with zipfile.ZipFile(wheel) as opened:
        return opened.namelist()


def test_equal_trees_make_equal_bytes(source: Path, built: list[Path], tmp_path: Path) -> None:
    copy = tmp_path / "elsewhere" / "source"
    shutil.copytree(source, copy)
    for path in copy.rglob("*"):
        os.utime(path, (1, 1))
        if path.is_file():
            path.chmod(0o600 | (path.stat().st_mode & stat.S_IXUSR))
    again = build(copy, tmp_path / "dist", made_at=MADE_AT)
    assert {path.name: sha256(path) for path in again} == {p.name: sha256(p) for p in built}
    later = build(copy, tmp_path / "later", made_at=MADE_AT + 3600)
    assert {sha256(path) for path in later}.isdisjoint({sha256(path) for path in built})


def test_the_wheel_holds_what_a_shop_needs(source: Path, members: list[str]) -> None:
    held = set(members)
    for folder in PACKAGES:
        files = (path for path in (source / folder).rglob("*") if path.is_file())
        assert {path.relative_to(source).as_posix() for path in files} - held == set()
    ends = (".ttf", ".yaml", ".html", ".css", ".js", ".toml", ".py")
    counted = {end: sum(name.endswith(end) for name in members) for end in ends}
    assert counted[".ttf"] == 12
    assert all(counted.values()), counted
    versions = [name for name in members if "/migrations/versions/0" in name]
    assert len(versions) >= 34
    licences = [name for name in members if ".dist-info/licenses/" in name]
    assert len(licences) == 6
    assert f"esl_controller-{VERSION}.dist-info/METADATA" in held


@pytest.mark.asvs("13.4.1")
def test_the_wheel_holds_nothing_more(members: list[str]) -> None:
    tops = {name.partition("/")[0] for name in members}
    dist_info = f"esl_controller-{VERSION}.dist-info"
    assert tops == {*PACKAGES, dist_info}
    wrong = re.compile(
        r"(^|/)(tests?|\.git[^/]*|\.ci|__pycache__|esl-data)(/|$)|\.(pyc|db|log|pem)$"
    )
    assert [name for name in members if wrong.search(name)] == []


def test_the_source_can_be_tested_and_released_again(built: list[Path], tmp_path: Path) -> None:
    [source] = [path for path in built if path.name.endswith(".tar.gz")]
    with tarfile.open(source) as opened:
        opened.extractall(tmp_path, filter="data")
    [folder] = tmp_path.iterdir()
    for name in ("Makefile", "requirements.txt", "requirements-dev.txt", "LICENSE", "README.md"):
        assert (folder / name).is_file(), name
    for name in ("tests", "docs", "deploy", ".ci"):
        assert any((folder / name).iterdir()), name
    assert not (folder / ".git").exists()
    [again] = [
        path for path in build(folder, tmp_path / "dist", made_at=MADE_AT) if path.suffix == ".whl"
    ]
    assert sha256(again) in {sha256(path) for path in built}


@pytest.mark.asvs("13.3.1")
def test_no_file_of_the_wheel_holds_a_secret(wheel: Path) -> None:
    with zipfile.ZipFile(wheel) as opened:
        found = [
            finding
            for name in opened.namelist()
            for finding in holds_no_secret(name, opened.read(name).decode("utf-8", "replace"))
        ]
    assert found == []


# ── In a blank environment ──────────────────────────────────────────────────────────────────


@pytest.fixture(scope="module")
def esl(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """``esl`` of an environment with the wheel; what it asks for is lent by this one.

    A line in a ``.pth`` file lends packages, but not what their own ``.pth`` files add: the
    project's own folder, under test elsewhere, stays out of it.
    """
    folder = tmp_path_factory.mktemp("blank") / "venv"
    subprocess.run([sys.executable, "-m", "venv", folder], check=True, timeout=120)
    python = folder / "bin" / "python"
    pip = [python, "-m", "pip", "--disable-pip-version-check", "--no-input", "--quiet"]
    subprocess.run(
        [*pip, "install", "--no-index", "--no-deps", wheel], check=True, timeout=120, cwd=folder
    )
    [site] = folder.glob("lib/python3*/site-packages")
    (site / "lent.pth").write_text(f"{sysconfig.get_path('purelib')}\n")
    return folder / "bin" / "esl"


Run = Callable[..., "subprocess.CompletedProcess[str]"]


@pytest.fixture
def run(esl: Path, tmp_path: Path) -> Run:
    def run(*arguments: str) -> "subprocess.CompletedProcess[str]":
        return subprocess.run(
            [esl, *arguments],
            cwd=tmp_path,
            env=environment(),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )

    return run


def test_the_installed_wheel_is_what_runs(esl: Path, run: Run) -> None:
    said = run("--version")
    assert (said.returncode, said.stdout) == (0, f"esl {VERSION}\n"), said.stderr
    where = subprocess.run(
        [esl.with_name("python"), "-c", "import api.cli; print(api.cli.__file__)"],
        capture_output=True,
        text=True,
        check=True,
        cwd=esl.parent,
    ).stdout
    assert where.startswith(str(esl.parent.parent))


def test_a_shop_begins_with_it(run: Run, esl: Path, tmp_path: Path) -> None:
    begun = run("init", "--yes")
    assert begun.returncode == 0, begun.stderr
    looked = run("doctor", "--json")
    assert looked.returncode == 0, looked.stdout + looked.stderr
    assert json.loads(looked.stdout)["result"] in ("pass", "warn")
    process = subprocess.Popen(
        [esl, "serve", "--port", "0"],
        cwd=tmp_path,
        env=environment(),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    data = tmp_path / "esl-data"
    try:
        wait_until(lambda: read_runtime_file(data) is not None, "the start", 90)
        runtime = read_runtime_file(data)
        assert runtime is not None
        with httpx2.Client(
            base_url=runtime.url,
            headers={"Authorization": f"Bearer {runtime.token}"},
            trust_env=False,
            timeout=60,
        ) as client:
            ready = _ready(client)
            assert ready["checks"]["migrations"]["ok"]
            page = client.get("/", follow_redirects=True)
            assets = re.findall(r'(?:src|href)="(/[^"]+\.(?:js|css))"', page.text)
            assert assets
            assert [path for path in assets if client.get(path).status_code != 200] == []
            assert client.get("/api/v1/openapi.json").status_code == 200
        process.send_signal(signal.SIGTERM)
        assert process.wait(30) == 0
    finally:
        process.kill()
        process.wait()


def test_it_draws_a_label_from_its_own_fonts_and_templates(run: Run, tmp_path: Path) -> None:
    drawn = run("render", "--panel", "bwry-296x128", "--png", "label.png")
    assert drawn.returncode == 0, drawn.stderr
    assert (tmp_path / "label.png").read_bytes().startswith(b"\x89PNG")


def _ready(client: httpx2.Client) -> dict[str, dict[str, dict[str, bool]]]:
    deadline = time.monotonic() + 60
    while (answer := client.get("/readyz")).status_code != 200:
        assert time.monotonic() < deadline, answer.text
        time.sleep(0.1)
    found: dict[str, dict[str, dict[str, bool]]] = answer.json()
    return found


# ── What is not fit is refused ──────────────────────────────────────────────────────────────


def test_a_release_of_what_is_not_committed_is_refused(tmp_path: Path) -> None:
    with pytest.raises(CannotRelease, match="from a clone"):
        check_clean(tmp_path)
    git = [*GIT, "-c", "user.name=a", "-c", "user.email=a@example.org"]
    for command in (["init", "-q"], ["commit", "-q", "--allow-empty", "-m", "x"]):
        subprocess.run([*git, *command], cwd=tmp_path, check=True)
    check_clean(tmp_path)
    (tmp_path / "new.py").touch()
    with pytest.raises(CannotRelease, match=r"(?s)commit or remove first:.*new\.py"):
        check_clean(tmp_path)


def test_a_build_that_fails_says_why(tmp_path: Path) -> None:
    (tmp_path / "pyproject.toml").write_text("[project]\nname = 'x'\n")
    with pytest.raises(CannotRelease, match=r"(?s)the build failed:.*version"):
        build(tmp_path, tmp_path / "dist", made_at=MADE_AT)
