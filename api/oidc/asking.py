"""Asking the provider: bounded in time and size, without redirects, with checked certificates."""

import asyncio
import json
import ssl
from collections.abc import Mapping
from http import HTTPStatus
from pathlib import Path
from typing import Any, Final

import httpx2

from api.oidc.errors import ProviderError, ProviderUnreachable
from esl.domain.errors import SetupError

LONGEST_S: Final = 8.0
"""A whole answer, from the connection to its last byte; people wait for it."""

ANSWER_LARGEST_BYTES: Final = 512 * 1024
"""The keys of Microsoft Entra ID with their certificates take 20 KB."""


class Line:
    """The line to one provider. ``ca_file`` is what its certificate is checked against, if given.

    Raises:
        SetupError: The file holds no certificates, or cannot be read.
    """

    def __init__(self, ca_file: Path | None) -> None:
        try:
            self._trust = ssl.create_default_context(cafile=ca_file)
        except (OSError, ssl.SSLError) as exc:
            raise SetupError(f"setting oidc.ca_file: {ca_file} holds no certificates") from exc
        self._trust.minimum_version = ssl.TLSVersion.TLSv1_2

    async def ask(
        self,
        url: str,
        *,
        form: Mapping[str, str] | None = None,
        auth: tuple[str, str] | None = None,
    ) -> tuple[HTTPStatus, dict[str, Any]]:
        """Get an object of JSON, or with ``form`` post that; return status and object.

        Raises:
            ProviderUnreachable: Nobody answers in time, or with a fault (5xx).
            ProviderError: The answer is too large, no object of JSON, or leads elsewhere.
        """
        try:
            async with (
                asyncio.timeout(LONGEST_S),
                httpx2.AsyncClient(
                    verify=self._trust, trust_env=False, follow_redirects=False, timeout=LONGEST_S
                ) as client,
                client.stream(
                    "GET" if form is None else "POST",
                    url,
                    data=form,
                    auth=auth,
                    # Read as it comes: what is packed small may be huge unpacked.
                    headers={"Accept": "application/json", "Accept-Encoding": "identity"},
                ) as answer,
            ):
                body = bytearray()
                async for part in answer.aiter_raw():
                    body += part
                    if len(body) > ANSWER_LARGEST_BYTES:
                        raise ProviderError(f"{url} answers more than {ANSWER_LARGEST_BYTES} bytes")
                status = answer.status_code
        except TimeoutError as exc:
            raise ProviderUnreachable(f"{url} does not answer within {LONGEST_S:.0f} s") from exc
        except (httpx2.HTTPError, httpx2.InvalidURL) as exc:
            raise ProviderUnreachable(f"{url} does not answer: {type(exc).__name__}") from exc
        return _read(url, status, bytes(body))


def _read(url: str, status: int, body: bytes) -> tuple[HTTPStatus, dict[str, Any]]:
    if status >= HTTPStatus.INTERNAL_SERVER_ERROR:
        raise ProviderUnreachable(f"{url} answers {status}: it has a fault")
    if HTTPStatus.MULTIPLE_CHOICES <= status < HTTPStatus.BAD_REQUEST:
        raise ProviderError(f"{url} answers {status}: redirects are not followed")
    try:
        found = json.loads(body.decode("utf-8"))
        kind = HTTPStatus(status)
    except (ValueError, RecursionError):
        raise ProviderError(f"{url} answers {status} and no JSON") from None
    if not isinstance(found, dict):
        raise ProviderError(f"{url} answers no object of JSON")
    return kind, found
