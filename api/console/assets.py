"""The pages' own files: style, scripts, icon. Read once, served from memory, kept by browsers.

Each address holds the hash of the content, ``/static/3fa9c1d2e4b50617/wall.css``, so a browser may
keep it for a year and never shows an old one.
"""

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from http import HTTPStatus
from importlib.resources import files
from importlib.resources.abc import Traversable

from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.types import Receive, Scope, Send

MOUNTED_AT = "/static"

_MEDIA_TYPES = {
    ".css": "text/css",
    ".js": "text/javascript",
    ".svg": "image/svg+xml",
    ".wasm": "application/wasm",
}
"""What is served; licences and notes beside the files are not."""

_KEPT = "public, max-age=31536000, immutable"


@dataclass(frozen=True, slots=True, kw_only=True)
class Asset:
    """One file: its address below `MOUNTED_AT`, its type and its bytes."""

    path: str
    media_type: str
    content: bytes


class Assets:
    """Every file below ``api/console/static``, as an ASGI application; anybody may fetch them."""

    def __init__(self) -> None:
        folder = files("api.console").joinpath("static")
        self._by_name = {name: _load(name, file) for name, file in _walk(folder, "")}
        self._by_path = {asset.path: asset for asset in self._by_name.values()}
        paths = "\n".join(sorted(self._by_path))
        self.version = _digest(paths.encode())
        """Changes when any file does."""

    def address(self, name: str) -> str:
        """Return a file's address, for pages: ``wall.css`` → ``/static/…/wall.css``."""
        return f"{MOUNTED_AT}/{self._by_name[name].path}"

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        request = Request(scope, receive)
        path = request.url.path.removeprefix(f"{MOUNTED_AT}/")
        asset = self._by_path.get(path)
        if request.method not in ("GET", "HEAD"):
            answer: Response = PlainTextResponse(
                "only GET", HTTPStatus.METHOD_NOT_ALLOWED, {"Allow": "GET, HEAD"}
            )
        elif asset is None:
            answer = PlainTextResponse("no such file", HTTPStatus.NOT_FOUND)
        else:
            headers = {"Cache-Control": _KEPT}
            answer = Response(asset.content, headers=headers, media_type=asset.media_type)
        await answer(scope, receive, send)


def _walk(folder: Traversable, prefix: str) -> Iterator[tuple[str, Traversable]]:
    for item in folder.iterdir():
        name = f"{prefix}{item.name}"
        if item.is_dir():
            yield from _walk(item, f"{name}/")
        elif any(name.endswith(suffix) for suffix in _MEDIA_TYPES):
            yield name, item


def _load(name: str, file: Traversable) -> Asset:
    content = file.read_bytes()
    suffix = name[name.rindex(".") :]
    path = f"{_digest(content)}/{name}"
    return Asset(path=path, media_type=_MEDIA_TYPES[suffix], content=content)


def _digest(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()[:16]
