"""Asking a shop over HTTPS: bounded in time and size, to checked addresses, without redirects."""

import email.utils
import json
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from http import HTTPStatus
from typing import Any, NoReturn

import httpx2

from api.listeners.connectors.addresses import AddressRules
from api.listeners.connectors.errors import (
    NothingThere,
    ShopBusy,
    ShopError,
    ShopRefused,
    ShopUnreachable,
)
from api.listeners.connectors.lines import Lines

ANSWER_LARGEST_BYTES = 16 * 1024 * 1024
"""Decoded: a page of 250 products with long descriptions is about 2 MB."""

STEP_LONGEST_S = 15.0
ANSWER_LONGEST_S = 60.0
WAIT_LONGEST_S = 3600.0
_WAIT_USUAL_S = 30.0
_WAITS = ("retry-after", "x-rate-limit-time-reset-ms")


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What a shop answered, with its headers by lower-case name."""

    status: int
    headers: Mapping[str, str]
    body: bytes

    def json(self) -> Any:
        """Read the body; numbers that are no integers come as texts, so that nothing rounds them.

        Raises:
            ShopRefused: It is not JSON: there is something else at this address.
        """
        try:
            return json.loads(self.body.decode("utf-8-sig"), parse_float=str)
        except (ValueError, RecursionError):
            raise ShopRefused(
                "the answer is not JSON; is this the address of the shop's API?"
            ) from None


def wall_now() -> datetime:
    """Return the wall clock, for dates in ``Retry-After``."""
    return datetime.now(UTC)


@dataclass(slots=True, kw_only=True)
class Fetcher:
    """Speaks with one shop. ``headers`` go with each request and hold its credentials."""

    base_url: str
    rules: AddressRules
    headers: Mapping[str, str] = field(default_factory=dict)
    auth: tuple[str, str] | None = None
    monotonic_s: Callable[[], float] = time.monotonic
    wall: Callable[[], datetime] = wall_now
    largest_bytes: int = ANSWER_LARGEST_BYTES
    longest_s: float = ANSWER_LONGEST_S
    _client: httpx2.Client | None = None
    _lines: Lines = field(default_factory=Lines)

    def get(self, path: str, query: Mapping[str, str] | None = None) -> Answer:
        """Ask for one thing.

        Raises:
            ShopError: There is no good answer.
        """
        return self._send("GET", path, query=query)

    def post(self, path: str, content: Any) -> Answer:
        """Ask by JSON.

        Raises:
            ShopError: There is no good answer.
        """
        return self.post_body(path, json.dumps(content).encode())

    def post_body(self, path: str, body: bytes) -> Answer:
        """Send JSON as it was written: a signature is over its bytes.

        Raises:
            ShopError: There is no good answer.
        """
        return self._send("POST", path, content=body)

    def close(self) -> None:
        """Let the connection go."""
        if self._client is not None:
            self._client.close()
            self._client = None
        self._lines.close()

    def _send(
        self,
        method: str,
        path: str,
        *,
        query: Mapping[str, str] | None = None,
        content: bytes | None = None,
    ) -> Answer:
        base = parse_base(self.base_url, self.rules)
        url = base.join(path) if path.startswith("/") else _below(base, path)
        if (url.scheme, url.host, url.port) != (base.scheme, base.host, base.port):
            raise ShopRefused("the next page is at another address; only the shop's own is read")
        if query:
            url = url.copy_merge_params(dict(query))
        port = url.port or (443 if url.scheme == "https" else 80)
        address = self.rules.address_of(url.host, port)
        headers = {
            "Accept": "application/json",
            **self.headers,
            "Host": url.netloc.decode("ascii"),
        }
        if content is not None:
            headers["Content-Type"] = "application/json"
        if self._client is None:
            self._client = httpx2.Client(
                trust_env=False, follow_redirects=False, timeout=STEP_LONGEST_S
            )

        def note(event: str, info: Mapping[str, Any]) -> None:
            if event == "connection.connect_tcp.complete":
                self._lines.note(address, info["return_value"].get_extra_info("socket"))

        named = {"sni_hostname": url.host} if url.scheme == "https" else {}
        request = self._client.build_request(
            method,
            url.copy_with(host=address, port=port),
            headers=headers,
            content=content,
            extensions=named | {"trace": note},
        )
        try:
            with self._lines.ended_after(self.longest_s, address):
                return self._receive(self._client, request)
        except httpx2.HTTPError as exc:
            if self._lines.was_cut:
                raise ShopUnreachable(f"an answer took longer than {self.longest_s:.0f} s") from exc
            kind = "in time" if isinstance(exc, httpx2.TimeoutException) else "properly"
            raise ShopUnreachable(f"{url.host} does not answer {kind}") from exc

    def _receive(self, client: httpx2.Client, request: httpx2.Request) -> Answer:
        deadline_s = self.monotonic_s() + self.longest_s
        answer = client.send(request, stream=True, auth=self.auth)
        try:
            body = bytearray()
            for part in answer.iter_bytes():
                body += part
                if len(body) > self.largest_bytes:
                    raise ShopRefused(
                        f"an answer of more than {self.largest_bytes // 2**20} MiB; "
                        "ask for smaller pages"
                    )
                if self.monotonic_s() > deadline_s:
                    raise ShopUnreachable(f"an answer took longer than {self.longest_s:.0f} s")
        finally:
            answer.close()
        if not answer.is_success:
            try:
                self._refuse(answer)
            except ShopError as exc:
                exc.status = answer.status_code
                raise
        return Answer(status=answer.status_code, headers=dict(answer.headers), body=bytes(body))

    def _refuse(self, answer: httpx2.Response) -> NoReturn:
        status = answer.status_code
        if status == HTTPStatus.TOO_MANY_REQUESTS or (
            status == HTTPStatus.SERVICE_UNAVAILABLE and "retry-after" in answer.headers
        ):
            raise ShopBusy("the shop asks us to wait", self._wait_s(answer.headers))
        if status >= HTTPStatus.INTERNAL_SERVER_ERROR or status == HTTPStatus.REQUEST_TIMEOUT:
            raise ShopUnreachable(f"the shop answers {status}: it has a fault")
        if status in (HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN):
            raise ShopRefused(
                f"the shop answers {status}: it does not accept the source's credentials, or they "
                "may not read products; make new ones there and put them in"
            )
        if answer.is_redirect:
            raise ShopRefused(
                f"the shop answers {status}: it stands at another address by now; "
                "put the new one into the source (redirects are not followed)"
            )
        if status in (HTTPStatus.NOT_FOUND, HTTPStatus.GONE):
            raise NothingThere(f"the shop answers {status}; check the source's address")
        raise ShopRefused(f"the shop answers {status}; check the source's address and settings")

    def _wait_s(self, headers: Mapping[str, str]) -> float:
        """Read how long to wait: seconds, a date, or BigCommerce's milliseconds."""
        for name in _WAITS:
            text = headers.get(name, "").strip()
            if not text:
                continue
            if text.replace(".", "", 1).isdecimal() and text.isascii() and len(text) <= 12:  # noqa: PLR2004
                wait_s = float(text) / (1000 if name.endswith("-ms") else 1)
            else:
                wait_s = self._until(text)
            return min(max(wait_s, 1.0), WAIT_LONGEST_S)
        return _WAIT_USUAL_S

    def _until(self, text: str) -> float:
        try:
            return (email.utils.parsedate_to_datetime(text) - self.wall()).total_seconds()
        except (ValueError, TypeError):
            return _WAIT_USUAL_S


def parse_base(text: str, rules: AddressRules) -> httpx2.URL:
    """Read the address of a shop.

    Raises:
        ShopRefused: It is none, or one that is closed to us.
    """
    try:
        url = httpx2.URL(text if text.endswith("/") else f"{text}/")
    except httpx2.InvalidURL:
        raise ShopRefused("the source's address is not one; write https://…") from None
    if url.scheme == "http" and rules.names(url.host):
        return url
    if url.scheme != "https" or not url.host:
        raise ShopRefused(
            "the source's address does not begin with https://; plain http is for shops in your "
            "own network, named in the source's setting allow_private"
        )
    return url


def _below(base: httpx2.URL, path: str) -> httpx2.URL:
    """Join a relative path, or take a whole address such as the next page's."""
    try:
        return base.join(path)
    except httpx2.InvalidURL:
        raise ShopRefused("the next page's address is not one") from None
