"""The bill of materials names all that is locked or lies in the tree, with licence and sum."""

import hashlib
import json
import re
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from packaging.licenses import canonicalize_license_expression

from tests.release import licences
from tests.release.licences import NEVER_HERE, READ, licence_of
from tests.release.lock import DEV, LOCKS, POSTGRES, PROJECT, RUNTIME, US, read_lock, read_locks
from tests.release.sbom import make_sbom, scopes_of
from tests.release.vendored import FAMILIES, unnamed, vendored

FILES = {
    "esl_controller-1.2.3.tar.gz": "ab" * 32,
    "esl_controller-1.2.3-py3-none-any.whl": "cd" * 32,
}


def sbom(**changed: Any) -> dict[str, Any]:
    given = {
        "version": "1.2.3",
        "licence": "MIT",
        "made_at": 1_772_373_787,
        "files": FILES,
        "locks": read_locks(),
        "vendored": list(vendored()),
    }
    read: dict[str, Any] = json.loads(make_sbom(**(given | changed)))
    return read


@pytest.fixture(scope="module")
def bill() -> dict[str, Any]:
    return sbom()


@pytest.fixture(scope="module")
def packages(bill: dict[str, Any]) -> dict[str, dict[str, Any]]:
    return {one["name"]: one for one in bill["components"] if one["type"] == "library"}


def sums(component: dict[str, Any]) -> set[str]:
    assert all(one["alg"] == "SHA-256" for one in component["hashes"])
    return {one["content"] for one in component["hashes"]}


@pytest.mark.asvs("15.1.2")
@pytest.mark.parametrize("lock", LOCKS)
def test_every_locked_requirement_is_named_with_licence_and_hashes(
    packages: dict[str, dict[str, Any]], lock: str
) -> None:
    text = (PROJECT / lock).read_text("utf-8")
    entries = re.split(r"\n(?=[a-z])", text)[1:]
    assert len(entries) > 40
    for entry in entries:
        name, version = re.match(r"([^=]+)==([^ ;\\]+)", entry).groups()  # type: ignore[union-attr]
        found = packages[name]
        assert found["version"] == version
        assert found["purl"] == f"pkg:pypi/{name}@{version}"
        assert sums(found) == set(re.findall(r"sha256:([0-9a-f]{64})", entry)), name
        [licence] = found["licenses"]
        if name in NEVER_HERE:
            assert "emscripten" in found["properties"][0]["value"]
        else:
            assert canonicalize_license_expression(licence["expression"]) == licence["expression"]


LICENCES = {"Apache-2.0", "OFL-1.1", "0BSD", "Apache-2.0 AND MIT", "MIT AND Apache-2.0"}


def test_every_vendored_file_is_named_with_licence_and_checksum(bill: dict[str, Any]) -> None:
    files = {one["name"]: one for one in bill["components"] if one["type"] == "file"}
    assert len(files) == 16
    for name, one in files.items():
        assert sums(one) == {hashlib.sha256((PROJECT / name).read_bytes()).hexdigest()}
        assert one["licenses"][0]["expression"] in LICENCES
        assert (PROJECT / one["properties"][0]["value"]).is_file()
    assert unnamed() == []


def test_a_vendored_file_that_nobody_named_is_found(tmp_path: Path) -> None:
    for one in vendored():
        copy = tmp_path / one.path
        copy.parent.mkdir(parents=True, exist_ok=True)
        copy.write_bytes(b"")
    assert unnamed(tmp_path) == []
    (tmp_path / "api" / "console" / "static" / "zxing.wasm").write_bytes(b"")
    (tmp_path / "renderer" / "fonts" / "Other-Bold.woff2").write_bytes(b"")
    assert unnamed(tmp_path) == [
        "api/console/static/zxing.wasm",
        "renderer/fonts/Other-Bold.woff2",
    ]
    (tmp_path / "renderer" / "fonts" / "NotoSansThai-Regular.ttf").unlink()
    (tmp_path / "renderer" / "fonts" / "NotoSansThai-Bold.ttf").unlink()
    with pytest.raises(LookupError, match="Noto Sans Thai: no file is left"):
        list(vendored(tmp_path))


@pytest.mark.parametrize("family", FAMILIES, ids=lambda one: one.name)
def test_what_is_said_of_a_family_stands_on_its_page(family: Any) -> None:
    page = (PROJECT / family.page).read_text("utf-8")
    assert family.version in page
    assert Path(family.licence_file).name in page


def test_scopes_are_those_of_a_shop(packages: dict[str, dict[str, Any]]) -> None:
    scopes = {name: one["scope"] for name, one in packages.items()}
    said = {"fastapi": "required", "starlette": "required", "pydantic-core": "required"}
    said |= {"psycopg": "optional", "psycopg-binary": "optional", "epaper-dithering": "optional"}
    said |= {"hatchling": "excluded", "pluggy": "excluded", "pytest": "excluded"}
    assert {name: scopes[name] for name in said} == said
    assert set(Counter(scopes.values())) == {"required", "optional", "excluded"}
    runtime = read_locks()[RUNTIME]
    assert {name for name, scope in scopes.items() if scope == "required"} < set(runtime)


def test_dependencies_form_one_graph(bill: dict[str, Any]) -> None:
    refs = {one["bom-ref"] for one in bill["components"] if one["type"] == "library"}
    us = bill["metadata"]["component"]["bom-ref"]
    graph = {one["ref"]: one["dependsOn"] for one in bill["dependencies"]}
    assert set(graph) == refs | {us}
    assert {child for children in graph.values() for child in children} <= refs
    waiting, seen = [us], {us}
    while waiting:
        new = set(graph[waiting.pop()]) - seen
        seen |= new
        waiting += new
    assert seen == refs | {us}, "somebody asks for each package"


def test_the_release_itself_is_named_by_its_sums(bill: dict[str, Any]) -> None:
    head = bill["metadata"]
    assert head["timestamp"] == "2026-03-01T14:03:07Z"
    assert (head["component"]["name"], head["component"]["version"]) == (US, "1.2.3")
    assert {one["name"]: sums(one) for one in head["component"]["components"]} == {
        name: {digest} for name, digest in FILES.items()
    }
    assert (bill["bomFormat"], bill["specVersion"]) == ("CycloneDX", "1.6")


def test_equal_trees_have_equal_bills_and_others_another_number(bill: dict[str, Any]) -> None:
    assert sbom() == bill
    other = sbom(files=FILES | {"esl_controller-1.2.3.tar.gz": "ef" * 32})
    assert other["serialNumber"] != bill["serialNumber"]


def test_a_lock_that_is_not_understood_is_refused() -> None:
    entry = "rich==15.0.0 \\\n    --hash=sha256:" + "0" * 64 + "\n    # via typer\n"
    assert read_lock(f"# head\n{entry}")["rich"].via == ("typer",)
    for wrong in ("rich==15.0.0\n", "rich>=15\n", "Rich[x]==1 --hash=sha256:00\n"):
        with pytest.raises(ValueError, match="what is not understood"):
            read_lock(f"{entry}{wrong.replace('rich', 'other')}")


def test_a_licence_that_nobody_read_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(LookupError, match="not installed: read its licence"):
        licence_of("no-such-package", "1")
    with pytest.raises(LookupError, match="another installed"):
        licence_of("fastapi", "0.0.1")
    version = read_locks()[RUNTIME]["jinja2"].version
    monkeypatch.setattr(licences, "READ", {})
    with pytest.raises(LookupError, match="names its licence in words"):
        licence_of("jinja2", version)


def test_what_was_read_is_still_locked() -> None:
    locks = read_locks()
    locked = {name for lock in locks.values() for name in lock}
    assert set(READ) | set(NEVER_HERE) <= locked
    assert set(scopes_of(locks)) == locked
    assert set(locks[RUNTIME]) < set(locks[POSTGRES])
    assert len(locks[DEV]) > len(locks[POSTGRES])
