"""A signed message to another system, as Standard Webhooks 1.0.0 wants it; for tills and events.

HMAC-SHA256 over ``id.timestamp.body``, with each secret that counts at the moment. To checked
addresses alone, without redirects, bounded in time and in what is read of the answer.
"""

import base64
import binascii
import hashlib
import hmac
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Final
from urllib.parse import urlsplit

from api.listeners.connectors.addresses import AddressRules
from api.listeners.connectors.fetch import Fetcher

ANSWER_LONGEST_S: Final = 30.0
ANSWER_LARGEST_BYTES: Final = 64 * 1024
CLAIMED_FOR: Final = timedelta(seconds=90)
"""Longer than a message can take: by then whoever claimed it is dead."""

FIRST_PAUSE: Final = timedelta(seconds=10)
LONGEST_PAUSE: Final = timedelta(hours=1)
_DOUBLES_MOST: Final = 9


class SignedPosts:
    """Sends messages one after another, over one connection while they go to one address."""

    def __init__(self) -> None:
        self._fetcher: Fetcher | None = None
        self._to: tuple[str, bool] | None = None

    def send(
        self,
        url: str,
        body: bytes,
        *,
        message: str,
        secrets: Sequence[str],
        now: datetime,
        allow_private: bool,
    ) -> int:
        """Send a message of JSON once; return the status of the answer, which is a good one.

        Raises:
            ShopError: It was not taken; ``status`` says how it was answered, if it was.
        """
        parts = urlsplit(url)
        if self._fetcher is None or self._to != (url, allow_private):
            self.close()
            host = (parts.hostname or "").lower()
            self._fetcher = Fetcher(
                base_url=f"{parts.scheme}://{parts.netloc}",
                rules=AddressRules(allowed=frozenset({host} if allow_private and host else ())),
                largest_bytes=ANSWER_LARGEST_BYTES,
                longest_s=ANSWER_LONGEST_S,
            )
            self._to = url, allow_private
        sent_at_s = int(now.timestamp())
        self._fetcher.headers = {
            "webhook-id": message,
            "webhook-timestamp": str(sent_at_s),
            "webhook-signature": " ".join(sign(one, message, sent_at_s, body) for one in secrets),
        }
        query = f"?{parts.query}" if parts.query else ""
        return self._fetcher.post_body(f"{parts.path or '/'}{query}", body).status

    def close(self) -> None:
        """Let the connection go."""
        if self._fetcher is not None:
            self._fetcher.close()
            self._fetcher = None


def sign(secret: str, message: str, sent_at_s: int, body: bytes) -> str:
    """Sign a message as Standard Webhooks 1.0.0 wants it; ``secret`` is base64, or ``whsec_…``."""
    try:
        key = base64.b64decode(secret.removeprefix("whsec_"), validate=True)
    except binascii.Error:
        key = secret.encode()
    said = f"{message}.{sent_at_s}.".encode() + body
    return "v1," + base64.b64encode(hmac.new(key, said, hashlib.sha256).digest()).decode()


def pause_after(attempts: int) -> timedelta:
    """Say how long to wait after so many attempts in vain, and one more."""
    doubles: int = 2 ** min(attempts, _DOUBLES_MOST)
    return min(FIRST_PAUSE * doubles, LONGEST_PAUSE)
