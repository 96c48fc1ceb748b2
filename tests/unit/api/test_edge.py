"""The edge: how much comes in, and what every answer carries."""

import json
from collections.abc import Sequence

import pytest
from starlette.responses import PlainTextResponse, Response
from starlette.types import Message, Receive, Scope, Send

from api.edge import BODY_LARGEST_BYTES, Edge
from api.metrics.meters import Meters
from esl.settings import Settings
from renderer.pictures.upload_limits import FILE_LIMIT_BYTES

ROOM = BODY_LARGEST_BYTES


class _Application:
    """Answers with the length of the body it was given."""

    def __init__(self, headers: dict[str, str] | None = None) -> None:
        self.bodies: list[bytes] = []
        self._headers = headers

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        message = await receive()
        self.bodies.append(message["body"])
        assert not message["more_body"]
        answer: Response = PlainTextResponse(str(len(message["body"])), headers=self._headers)
        await answer(scope, receive, send)


async def ask(
    application: _Application,
    pieces: Sequence[bytes],
    *,
    headers: dict[str, str] | None = None,
    to: tuple[str, str] = ("POST", "/"),
) -> tuple[int, dict[str, str], int]:
    """Send a request in pieces; return status, headers, and how many pieces were read."""
    sent: list[Message] = []
    read = 0

    async def receive() -> Message:
        nonlocal read
        read += 1
        if read > len(pieces):
            return {"type": "http.disconnect"}
        more = read < len(pieces)
        return {"type": "http.request", "body": pieces[read - 1], "more_body": more}

    async def send(message: Message) -> None:
        sent.append(message)

    raw = [(k.lower().encode(), v.encode("latin-1")) for k, v in (headers or {}).items()]
    method, path = to
    scope = {"type": "http", "method": method, "path": path, "headers": raw, "query_string": b""}
    await Edge(application, Settings(), meters=Meters())(scope, receive, send)
    start = sent[0]
    return start["status"], {k.decode(): v.decode() for k, v in start["headers"]}, read


@pytest.mark.parametrize(
    "pieces", [[b""], [b"x"], [b"x" * ROOM], [b"x"] * 100, [b"x" * (ROOM - 1), b"x"], [b"", b"x"]]
)
async def test_a_body_within_the_limit_comes_through_whole(pieces: list[bytes]) -> None:
    application = _Application()
    status, _, _ = await ask(application, pieces)
    assert (status, application.bodies) == (200, [b"".join(pieces)])


@pytest.mark.parametrize("pieces", [[b"x" * (ROOM + 1)], [b"x" * ROOM, b"x", b"y"]])
async def test_a_body_that_grows_beyond_the_limit_reaches_nobody(pieces: list[bytes]) -> None:
    application = _Application()
    status, headers, read = await ask(application, pieces)
    assert (status, headers["connection"], application.bodies) == (413, "close", [])
    assert read <= 2, "the rest stays unread"


async def test_a_body_announced_beyond_the_limit_is_not_read_at_all() -> None:
    application = _Application()
    headers = {"Content-Length": str(ROOM + 1)}
    status, _, read = await ask(application, [b"x"], headers=headers)
    assert (status, read, application.bodies) == (413, 0, [])


PICTURE = "/api/v1/stores/s1/pictures/logo"


@pytest.mark.parametrize(
    ("method", "path", "size", "status"),
    [
        ("PUT", PICTURE, FILE_LIMIT_BYTES, 200),
        ("PUT", PICTURE, FILE_LIMIT_BYTES + 1, 413),
        ("POST", PICTURE, ROOM + 1, 413),
        ("PUT", f"{PICTURE}/more", ROOM + 1, 413),
        ("PUT", f"/x{PICTURE}", ROOM + 1, 413),
        ("PUT", "/api/v1/stores/s1/templates/own", ROOM + 1, 413),
    ],
)
async def test_a_picture_alone_may_be_as_large_as_pictures_may_be(
    method: str, path: str, size: int, status: int
) -> None:
    found, _, _ = await ask(_Application(), [b"x" * size], to=(method, path))
    assert found == status


@pytest.mark.parametrize(
    ("method", "path", "detail", "fix"),
    [
        ("PUT", PICTURE, "2097152 bytes; nothing was stored", "Scale the picture down"),
        ("POST", "/api/v1/stores/s1/products", "1048576 bytes; nothing was stored", "several"),
        ("POST", "/api/v1/render", "1048576 bytes; nothing was drawn", "Send less"),
        ("PUT", "/api/v1/stores/s1", "1048576 bytes; nothing was stored", "Send less"),
    ],
)
async def test_what_is_too_large_is_told_what_helps(
    method: str, path: str, detail: str, fix: str
) -> None:
    said: list[Message] = []

    async def receive() -> Message:
        return {"type": "http.request", "body": b"x" * (FILE_LIMIT_BYTES + 1), "more_body": False}

    async def send(message: Message) -> None:
        said.append(message)

    scope = {"type": "http", "method": method, "path": path, "headers": [], "query_string": b""}
    await Edge(_Application(), Settings(), meters=Meters())(scope, receive, send)
    problem = json.loads(said[1]["body"])
    assert problem["detail"] == f"a body of more than {detail}"
    assert fix in problem["fix"]


@pytest.mark.parametrize("announced", ["²", "-1", "1e9", "0x10", " ", "nonsense"])
async def test_a_length_that_is_no_number_counts_for_nothing(announced: str) -> None:
    application = _Application()
    status, _, _ = await ask(application, [b"abc"], headers={"Content-Length": announced})
    assert (status, application.bodies) == (200, [b"abc"])


async def test_what_the_application_says_of_itself_stays() -> None:
    own = {"Cache-Control": "private, max-age=60", "Referrer-Policy": "origin"}
    _, headers, _ = await ask(_Application(own), [b""])
    assert headers["cache-control"] == "private, max-age=60"
    assert headers["referrer-policy"] == "origin"
    assert headers["x-content-type-options"] == "nosniff"
