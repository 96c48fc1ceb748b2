"""The licence of each package, as an SPDX expression: from its own metadata, or from reading it."""

from collections.abc import Mapping
from importlib import metadata

from packaging.licenses import InvalidLicenseExpression, canonicalize_license_expression

READ: Mapping[str, str] = {
    "axe-playwright-python": "MIT AND MPL-2.0",
    "colorama": "BSD-3-Clause",  # only on Windows
    "editables": "MIT",
    "grimp": "BSD-2-Clause",
    "import-linter": "BSD-2-Clause",
    "iotcore": "MIT",
    "jinja2": "BSD-3-Clause",
    "markdown-it-py": "MIT",
    "mdurl": "MIT",
    "pathspec": "MPL-2.0",
    "python-bidi": "LGPL-3.0-or-later",
    "qrcode": "BSD-3-Clause",
    "reportlab": "BSD-3-Clause",
    "shellingham": "ISC",
    "sortedcontainers": "Apache-2.0",
    "trove-classifiers": "Apache-2.0",
    "tzdata": "Apache-2.0",  # only on Windows
    "uharfbuzz": "Apache-2.0",
}
"""Packages whose metadata says it in words of its own: read in their licence files."""

NEVER_HERE: Mapping[str, str] = {
    "httpx2-jsfetch": "not looked up: for browsers (emscripten), and never installed here",
}
"""Packages of the locks that no machine of ours can install, with the words for that."""


def licence_of(name: str, version: str) -> str | None:
    """Return a package's licence as an SPDX expression; None for what is in `NEVER_HERE`.

    Raises:
        LookupError: Nobody has said it yet; says what to do.
    """
    if name in NEVER_HERE:
        return None
    if name in READ:
        return READ[name]
    try:
        found = metadata.metadata(name)
    except metadata.PackageNotFoundError as exc:
        raise LookupError(f"{name} is not installed: read its licence, and put it in READ") from exc
    if metadata.version(name) != version:
        raise LookupError(f"{name} {version} is locked and another installed: make test, or update")
    try:
        said = found.get("License-Expression") or found.get("License") or ""
        return str(canonicalize_license_expression(said))
    except InvalidLicenseExpression as exc:
        raise LookupError(
            f"{name} names its licence in words: read it, and put it in READ"
        ) from exc
