"""What others made and lies in this tree unchanged: fonts and scripts, each file by its sum."""

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from tests.release.lock import PROJECT

SUFFIXES = (".ttf", ".otf", ".ttc", ".woff", ".woff2", ".wasm", ".min.js", ".min.css")
"""Of files that nobody writes by hand: each in the product's folders is in a family below."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Family:
    """Files of one origin. ``pattern`` is that of their paths, ``page`` says more of them."""

    name: str
    version: str
    licence: str
    licence_file: str
    source: str
    pattern: str
    page: str


_NOTO = {
    "licence": "OFL-1.1",
    "licence_file": "renderer/fonts/LICENSE-Noto.txt",
    "source": "https://github.com/googlei18n/noto-fonts",
    "page": "renderer/fonts/README.md",
}

FAMILIES = (
    Family(
        name="Roboto Condensed",
        version="2.138",
        licence="Apache-2.0",
        licence_file="renderer/fonts/LICENSE-Roboto.txt",
        source="https://github.com/google/roboto",
        pattern="renderer/fonts/RobotoCondensed-*.ttf",
        page="renderer/fonts/README.md",
    ),
    *(
        Family(name=name, version=version, pattern=f"renderer/fonts/{file}-*.ttf", **_NOTO)
        for name, version, file in (
            ("Noto Sans", "2.004", "NotoSans"),
            ("Noto Sans Arabic", "2.005", "NotoSansArabic"),
            ("Noto Sans Hebrew", "3.000", "NotoSansHebrew"),
            ("Noto Sans Thai", "2.000", "NotoSansThai"),
            ("Noto Sans Devanagari", "2.001", "NotoSansDevanagari"),
        )
    ),
    Family(
        name="htmx",
        version="4.0.1",
        licence="0BSD",
        licence_file="api/console/static/vendor/LICENSE-htmx",
        source="https://github.com/bigskysoftware/htmx",
        pattern="api/console/static/vendor/h*.js",
        page="api/console/static/vendor/README.md",
    ),
    Family(
        name="zxing-wasm",
        version="3.1.4",
        licence="MIT AND Apache-2.0",
        licence_file="api/console/static/vendor/LICENSE-zxing-wasm",
        source="https://github.com/Sec-ant/zxing-wasm",
        pattern="api/console/static/vendor/zxing-reader.*",
        page="api/console/static/vendor/README.md",
    ),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Vendored:
    """One file of a family, by its path in the project and in the wheel."""

    family: Family
    path: str
    sha256: str


def vendored(project: Path = PROJECT) -> Iterator[Vendored]:
    """Yield every vendored file.

    Raises:
        LookupError: A family has none left.
    """
    for family in FAMILIES:
        files = sorted(project.glob(family.pattern))
        if not files:
            raise LookupError(f"{family.name}: no file is left; take it out of FAMILIES")
        for file in files:
            digest = hashlib.sha256(file.read_bytes()).hexdigest()
            path = file.relative_to(project).as_posix()
            yield Vendored(family=family, path=path, sha256=digest)


def unnamed(project: Path = PROJECT) -> list[str]:
    """Return files that look vendored and are in no family."""
    named = {one.path for one in vendored(project)}
    found = (
        path.relative_to(project).as_posix()
        for folder in ("esl", "renderer", "gateway", "simulator", "api")
        for path in (project / folder).rglob("*")
        if path.name.endswith(SUFFIXES) or ("vendor" in path.parts and path.suffix == ".js")
    )
    return sorted(path for path in found if path not in named)
