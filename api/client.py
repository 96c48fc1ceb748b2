"""A small client of the HTTP API, for the commands and the demo."""

from collections.abc import Iterator, Mapping
from types import TracebackType
from typing import Any, BinaryIO, Self

import httpx2

from esl.domain.errors import EslError, SetupError, Unavailable


class Refused(EslError):
    """The controller answered with a problem; ``status`` and its own words."""

    def __init__(self, status: int, words: str) -> None:
        self.status = status
        super().__init__(f"the controller answered {status}: {words}")


class Client:
    """Speaks with one controller, with one token. Blocking; use from commands and threads."""

    def __init__(self, url: str, token: str, *, patience_s: float = 30.0) -> None:
        self.url = url
        self._http = httpx2.Client(
            base_url=url,
            headers={"Authorization": f"Bearer {token}"},
            timeout=patience_s,
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

    def put(self, path: str, content: Any, *, seen: str | None = None) -> Any:
        """Put JSON; ``seen`` is the ETag of what is replaced, or ``*``."""
        headers = {"If-Match": seen} if seen is not None else {}
        return self._send("PUT", path, json=content, headers=headers)

    def put_text(self, path: str, content: Any) -> str:
        """Put JSON and return the answer as it stands."""
        return self._answer("PUT", path, json=content).text

    def post(self, path: str, content: Any, *, key: str | None = None) -> Any:
        """Post JSON, with an idempotency key if given."""
        headers = {"Idempotency-Key": key} if key is not None else {}
        return self._send("POST", path, json=content, headers=headers)

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
        try:
            answer = self._http.request(method, path, **how)
        except httpx2.ConnectError as exc:
            raise SetupError("no controller answers there; is it running?") from exc
        except httpx2.TransportError as exc:
            raise Unavailable(f"the controller did not answer: {type(exc).__name__}") from exc
        if answer.is_success:
            return answer
        raise Refused(answer.status_code, _words(answer))


def _words(answer: httpx2.Response) -> str:
    try:
        problem = answer.json()
        errors = "; ".join(f"{e['pointer']}: {e['detail']}" for e in problem.get("errors", ()))
        return errors or str(problem["detail"])
    except (ValueError, KeyError, TypeError):
        return answer.reason_phrase
