"""A small client of the HTTP API, for the commands, the demo and tills.

What may be sent twice is sent again where the answer is lost, if the client is told to::

    get                 always
    put                 without an ETag: the same twice is the same
    post                with an idempotency key alone; `Client.post_once` makes one
    anything else       never: whether it took effect is for the caller to find out
"""

import random
import ssl
import time
import uuid
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from http import HTTPStatus
from types import TracebackType
from typing import Any, BinaryIO, Final, Self

import httpx2

from esl.domain.errors import EslError, SetupError, Unavailable


class Refused(EslError):
    """The controller answered with a problem; ``status`` and its own words.

    ``again_after_s`` is how long it asked to wait; 0 if it did not.
    """

    def __init__(self, status: int, words: str, *, again_after_s: float = 0.0) -> None:
        self.status = status
        self.again_after_s = again_after_s
        super().__init__(f"the controller answered {status}: {words}")


class Untrusted(SetupError):
    """Who answers there shows a certificate that nobody we trust has signed for that name."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Retries:
    """How often a request is sent at most, and how long the pauses between are.

    They double from ``first_s`` to ``longest_s``, by chance shorter by up to a half, so that a
    hundred tills do not come back at once. A longer ``Retry-After`` counts, up to ``longest_s``.
    """

    tries: int = 6
    first_s: float = 0.25
    longest_s: float = 30.0

    def pause_s(self, tried: int, asked_s: float = 0.0) -> float:
        """Return how long to wait after ``tried`` tries, when the server asked for ``asked_s``."""
        grown_s = self.first_s * 2.0 ** min(tried - 1, _DOUBLINGS_MOST)
        own_s = grown_s * random.uniform(0.5, 1)  # noqa: S311  spreads tills, guards nothing
        return min(self.longest_s, max(own_s, asked_s))


NEVER_AGAIN: Final = Retries(tries=1)
EDITS_MOST: Final = 5
"""How often an edit is made anew for another that was faster."""

_DOUBLINGS_MOST: Final = 20
_COME_BACK: Final = frozenset({HTTPStatus.TOO_MANY_REQUESTS, HTTPStatus.SERVICE_UNAVAILABLE})
"""Not accepted, and worth sending again as it is."""


class Client:
    """Speaks with one controller, with one token. Blocking; use from commands and threads."""

    def __init__(
        self,
        url: str,
        token: str,
        *,
        patience_s: float = 30.0,
        certificate: str = "",
        authority: str = "",
        retries: Retries = NEVER_AGAIN,
    ) -> None:
        """``certificate``, in PEM, is the one that the server must show, whatever its name.

        ``authority``, in PEM, is who must have signed it; its name must be that of ``url``.
        """
        self.url = url
        self._retries = retries
        self._http = httpx2.Client(
            base_url=url,
            headers={"Authorization": f"Bearer {token}"},
            timeout=patience_s,
            verify=_verifying(certificate, authority),
            trust_env=False,
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        exc: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def close(self) -> None:
        """Let the connection go."""
        self._http.close()

    def get(self, path: str, **query: str | int) -> Any:
        """Fetch JSON."""
        return self._send("GET", path, params=query)

    def listed(self, path: str, what: str, **query: str | int) -> list[Any]:
        """Fetch a list whole, page by page; ``what`` is its name in the answer."""
        found: list[Any] = []
        after: str | int | None = None
        while True:
            page = self.get(path, **query | ({} if after is None else {"after": after}))
            found += page[what]
            after = page.get("after")
            if after is None:
                return found

    def put(self, path: str, content: Any, *, seen: str | None = None) -> Any:
        """Put JSON; ``seen`` is the ETag of what is replaced, or ``*``."""
        headers = {"If-Match": seen} if seen is not None else {}
        return self._send("PUT", path, json=content, headers=headers)

    def edit(self, path: str, change: Callable[[Any], Any]) -> Any:
        """Put what ``change`` makes of what is there, and overwrite nobody.

        Where somebody else was faster, theirs is read, and ``change`` made to that.

        Raises:
            Refused: Also where others were faster again and again.
        """
        tried = 0
        while True:
            tried += 1
            read = self._answer("GET", path)
            try:
                return self.put(path, change(read.json()), seen=read.headers["ETag"])
            except Refused as exc:
                if exc.status != HTTPStatus.PRECONDITION_FAILED or tried == EDITS_MOST:
                    raise

    def put_text(self, path: str, content: Any) -> str:
        """Put JSON and return the answer as it stands."""
        return self._answer("PUT", path, json=content).text

    def post(self, path: str, content: Any, *, key: str | None = None) -> Any:
        """Post JSON, with an idempotency key if given."""
        headers = {"Idempotency-Key": key} if key is not None else {}
        return self._send("POST", path, json=content, headers=headers)

    def post_once(self, path: str, content: Any) -> Any:
        """Post JSON with a key of its own: sent again at will, it takes effect once.

        For addresses that take an ``Idempotency-Key``, as those of prices, products and labels do.
        """
        return self.post(path, content, key=uuid.uuid4().hex)

    def post_text(self, path: str, content: Any) -> str:
        """Post JSON, and return the answer as the text it is."""
        return self._answer("POST", path, json=content).text

    def post_file(self, path: str, file: BinaryIO, *, name: str, options: Mapping[str, str]) -> Any:
        """Post a form: a file, read as it is sent, and texts."""
        files = {"file": (name, file, "application/octet-stream")}
        return self._send("POST", path, data=dict(options), files=files)

    def download(self, path: str, **query: str | int) -> Iterator[bytes]:
        """Fetch an answer of any length, in pieces."""
        try:
            with self._http.stream("GET", path, params=query) as answer:
                if not answer.is_success:
                    answer.read()
                    raise Refused(answer.status_code, _words(answer))
                yield from answer.iter_bytes()
        except httpx2.TransportError as exc:
            raise Unavailable(f"the controller did not answer: {type(exc).__name__}") from exc

    def delete(self, path: str) -> Any:
        """Delete something."""
        return self._send("DELETE", path)

    def _send(self, method: str, path: str, **how: Any) -> Any:
        answer = self._answer(method, path, **how)
        return answer.json() if answer.content else None

    def _answer(self, method: str, path: str, **how: Any) -> httpx2.Response:
        tries = self._retries.tries if _may_be_repeated(method, how.get("headers", {})) else 1
        for tried in range(1, tries):
            asked_s = 0.0
            try:
                return self._try(method, path, **how)
            except Refused as exc:
                if exc.status not in _COME_BACK:
                    raise
                asked_s = exc.again_after_s
            except (SetupError, Unavailable):
                pass  # nobody there, or the line broke
            time.sleep(self._retries.pause_s(tried, asked_s))
        return self._try(method, path, **how)

    def _try(self, method: str, path: str, **how: Any) -> httpx2.Response:
        try:
            answer = self._http.request(method, path, **how)
        except httpx2.ConnectError as exc:
            raise _not_connected(exc) from exc
        except httpx2.TransportError as exc:
            raise Unavailable(f"the controller did not answer: {type(exc).__name__}") from exc
        if answer.is_success:
            return answer
        raise Refused(answer.status_code, _words(answer), again_after_s=_again_after_s(answer))


def _may_be_repeated(method: str, headers: Mapping[str, str]) -> bool:
    match method:
        case "GET":
            return True
        case "PUT":
            return "If-Match" not in headers
        case _:
            return method == "POST" and "Idempotency-Key" in headers


def _again_after_s(answer: httpx2.Response) -> float:
    """Read how long the server asks to wait; a date, or nonsense, counts as nothing."""
    text = answer.headers.get("retry-after", "")
    return float(text) if text.isascii() and text.isdecimal() else 0.0


def trusting(certificate: str) -> ssl.SSLContext:
    """Trust this certificate alone: it was read from a file of our own, so its name is nothing."""
    context = ssl.create_default_context(cadata=certificate)
    context.verify_flags |= ssl.VERIFY_X509_PARTIAL_CHAIN
    context.check_hostname = False
    return context


def _verifying(certificate: str, authority: str) -> ssl.SSLContext | bool:
    if certificate:
        return trusting(certificate)
    if not authority:
        return True
    context = ssl.create_default_context(cadata=authority)
    context.verify_flags |= ssl.VERIFY_X509_PARTIAL_CHAIN  # the server's own serves as well
    return context


def _not_connected(exc: BaseException) -> SetupError:
    """Say why nobody was reached; TLS's own reason stands at the root of the chain."""
    root: BaseException | None = exc
    while root is not None:
        if isinstance(root, ssl.SSLCertVerificationError):
            words = f"the certificate shown there is not trusted: {root.verify_message}"
            return Untrusted(words.rstrip("."))
        root = root.__cause__ or root.__context__
    return SetupError("no controller answers there; is it running?")


def _error_words(error: Mapping[str, Any]) -> str:
    """Say what is wrong where, and what to do."""
    return _with_fix(f"{error['pointer']}: {error['detail']}", error.get("fix"))


def _with_fix(words: str, fix: str | None) -> str:
    return f"{words.rstrip('.')}. {fix}" if fix else words


def _words(answer: httpx2.Response) -> str:
    try:
        problem = answer.json()
        errors = "; ".join(_error_words(each) for each in problem.get("errors", ()))
        return errors or _with_fix(str(problem["detail"]), problem.get("fix"))
    except (ValueError, KeyError, TypeError):
        return answer.reason_phrase
