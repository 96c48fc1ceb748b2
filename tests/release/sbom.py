"""The bill of materials of a release: CycloneDX 1.6, in JSON, the same for the same tree.

::

    component of the release   the project itself, its files, its licence
    required                   what `pip install` of the wheel brings
    optional                   what an extra brings: postgres, dither
    excluded                   what builds and tests it, and is not on a shop's machine
    files                      fonts and scripts that lie in the wheel, by their sums

A package's hashes are those of all files that its lock accepts: wheels for several platforms.
Made by ourselves: `cyclonedx-bom` takes licences from an environment or hashes from a lock, not
both, knows no vendored files, and brings thirty packages, lxml among them.
"""

import json
import uuid
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from typing import Any

from tests.release.licences import NEVER_HERE, licence_of
from tests.release.lock import DEV, POSTGRES, RUNTIME, US, Locked, asked_by
from tests.release.vendored import Vendored

SPEC_VERSION = "1.6"
_BUILD = frozenset({"editables", "hatchling"})
_EXTRAS = frozenset({"epaper-dithering"})
"""Of an extra, though only the developers' lock names them."""


def make_sbom(
    *,
    version: str,
    licence: str,
    made_at: int,
    files: Mapping[str, str],
    locks: Mapping[str, Mapping[str, Locked]],
    vendored: Iterable[Vendored],
) -> str:
    """Write it. ``made_at`` is in seconds since 1970; ``files`` are the release's sums by name."""
    packages = {name: one for lock in (DEV, POSTGRES, RUNTIME) for name, one in locks[lock].items()}
    scopes = scopes_of(locks)
    us = f"pkg:pypi/{US}@{version}"
    refs = {US: us} | {name: _purl(one) for name, one in packages.items()}
    seed = json.dumps(dict(sorted(files.items())))
    components = [_package(one, scopes[name]) for name, one in sorted(packages.items())]
    components += [_file(one) for one in vendored]
    asks = asked_by(packages.values())
    document = {
        "$schema": f"http://cyclonedx.org/schema/bom-{SPEC_VERSION}.schema.json",
        "bomFormat": "CycloneDX",
        "specVersion": SPEC_VERSION,
        "serialNumber": f"urn:uuid:{uuid.uuid5(uuid.NAMESPACE_URL, us + seed)}",
        "version": 1,
        "metadata": {
            "timestamp": datetime.fromtimestamp(made_at, UTC).isoformat().replace("+00:00", "Z"),
            "component": {
                "type": "application",
                "bom-ref": us,
                "name": US,
                "version": version,
                "purl": us,
                "licenses": [{"license": {"id": licence}}],
                "components": [
                    {
                        "type": "file",
                        "bom-ref": f"release:{name}",
                        "name": name,
                        "hashes": _hashes([digest]),
                    }
                    for name, digest in sorted(files.items())
                ],
            },
        },
        "components": components,
        "dependencies": [
            {"ref": refs[name], "dependsOn": sorted(refs[child] for child in asks.get(name, ()))}
            for name in sorted(refs)
        ],
    }
    return json.dumps(document, indent=1, ensure_ascii=False) + "\n"


def scopes_of(locks: Mapping[str, Mapping[str, Locked]]) -> dict[str, str]:
    """Say of each package whether a shop's machine has it: required, optional or excluded."""
    asks = asked_by(locks[DEV].values())
    runtime = _reached(asked_by(locks[RUNTIME].values()), _of_the_wheel(locks[RUNTIME]))
    optional = set(locks[POSTGRES]) - set(locks[RUNTIME]) | _reached(asks, _EXTRAS)
    return {
        name: "required" if name in runtime else "optional" if name in optional else "excluded"
        for lock in locks.values()
        for name in lock
    }


def _of_the_wheel(lock: Mapping[str, Locked]) -> frozenset[str]:
    return frozenset(name for name, one in lock.items() if US in one.via) - _BUILD


def _reached(asks: Mapping[str, set[str]], begun: Iterable[str]) -> set[str]:
    waiting, found = list(begun), set[str]()
    while waiting:
        name = waiting.pop()
        if name not in found:
            found.add(name)
            waiting += asks.get(name, ())
    return found


def _purl(one: Locked) -> str:
    return f"pkg:pypi/{one.name}@{one.version}"


def _package(one: Locked, scope: str) -> dict[str, Any]:
    licence = licence_of(one.name, one.version)
    component: dict[str, Any] = {
        "type": "library",
        "bom-ref": _purl(one),
        "name": one.name,
        "version": one.version,
        "scope": scope,
        "hashes": _hashes(one.sha256),
        "licenses": [{"expression": licence}]
        if licence is not None
        else [{"license": {"name": NEVER_HERE[one.name]}}],
        "purl": _purl(one),
    }
    if one.marker:
        component["properties"] = [{"name": "esl:only-where", "value": one.marker}]
    return component


def _file(one: Vendored) -> dict[str, Any]:
    return {
        "type": "file",
        "bom-ref": f"file:{one.path}",
        "name": one.path,
        "version": one.family.version,
        "description": one.family.name,
        "scope": "required",
        "hashes": _hashes([one.sha256]),
        "licenses": [{"expression": one.family.licence}],
        "externalReferences": [{"type": "vcs", "url": one.family.source}],
        "properties": [{"name": "esl:licence-file", "value": one.family.licence_file}],
    }


def _hashes(digests: Iterable[str]) -> list[dict[str, str]]:
    return [{"alg": "SHA-256", "content": digest} for digest in digests]
