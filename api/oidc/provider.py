"""One provider: what it says of itself and its keys, kept for a while; and the way through it."""

import asyncio
import hmac
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from http import HTTPStatus
from pathlib import Path
from typing import Any, Final
from urllib.parse import quote_plus, urlencode

from api.oidc.asking import Line
from api.oidc.errors import ProviderError
from api.oidc.id_token import Expected, Key, key_of, read_id_token, read_keys
from api.oidc.metadata import Metadata, address_of_metadata, read_metadata
from api.oidc.sealed_cookie import Begun, begin, seal, unseal
from api.secret_box import derive_key
from esl.domain.clock import EffectiveClock
from esl.domain.errors import SetupError
from esl.domain.provider import SaidByProvider
from esl.provider_settings import ProviderSettings

METADATA_KEPT_S: Final = 60.0
"""Short, so that nobody is sent to a provider that is gone."""

KEYS_KEPT_S: Final = 3600.0
"""A key that the provider has withdrawn counts no longer than that."""

KEYS_ASKED_AGAIN_S: Final = 30.0
"""For a key that is not known the keys are fetched again, so often at most."""

FAILURE_KEPT_S: Final = 5.0
"""While it does not answer, one person waits for it and the others are told at once."""

_PURPOSE: Final = b"esl sign-ins by a provider, HMAC-SHA256"
_CODE_LONGEST: Final = 4096
_SECRET_LONGEST: Final = 1000


class Denied(ProviderError):
    """The provider did not let the person in, or the person turned back there."""


class Stale(ProviderError):
    """What came back is of no sign-in that this browser began a moment ago."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Finished:
    """Whom the provider vouches for, and the secret of this sign-in, which serves once."""

    said: SaidByProvider
    once: str


class Provider:
    """The provider of ``settings``. All of it runs on the loop.

    Raises:
        SetupError: The client's secret or the file of authorities cannot be read.
    """

    def __init__(self, settings: ProviderSettings, data_dir: Path, clock: EffectiveClock) -> None:
        self.settings = settings
        self._data_dir = data_dir
        self._clock = clock
        self._line = Line(settings.ca_file)
        self._lock = asyncio.Lock()
        self._metadata: Metadata | None = None
        self._metadata_at_s = 0.0
        self._failure: ProviderError | None = None
        self._failed_at_s = 0.0
        self._keys: tuple[Key, ...] = ()
        self._keys_at_s: float | None = None
        self._asked_again_at_s: float | None = None
        read_client_secret(settings)

    async def begin(self, now: datetime) -> tuple[str, str]:
        """Begin a sign-in; return where to send the browser, and the cookie for it.

        Raises:
            ProviderError: The provider is not there, or not as it should be.
        """
        metadata = await self.metadata()
        begun = begin()
        query = {
            "response_type": "code",
            "client_id": self.settings.client_id,
            "redirect_uri": self.settings.return_address,
            "scope": " ".join(self.settings.scopes),
            "state": begun.state,
            "nonce": begun.nonce,
            "code_challenge": begun.challenge,
            "code_challenge_method": "S256",
        }
        return _with_query(metadata.authorization, query), seal(begun, self._seal_key(), now)

    async def finish(
        self, answer: Mapping[str, str], cookie: str | None, now: datetime
    ) -> Finished:
        """Take what a browser brings back from the provider, and learn who it is.

        Raises:
            Stale: Not this browser's, or of too long ago.
            Denied: The provider says no.
            ProviderError: Something of its word is wrong.
        """
        begun = unseal(cookie, self._seal_key(), now) if cookie is not None else None
        state = answer.get("state", "")
        if begun is None or not hmac.compare_digest(begun.state.encode(), state.encode()):
            raise Stale("no sign-in that this browser began within ten minutes")
        metadata = await self.metadata()
        issuer = answer.get("iss")
        if issuer is None and metadata.names_itself:
            raise ProviderError("the answer does not say which provider it is from (iss)")
        if issuer is not None and issuer != metadata.issuer:
            raise ProviderError("the answer is from another provider (iss)")
        if "error" in answer:
            raise Denied(f"the provider says: {_shown(answer['error'])}")
        code = answer.get("code", "")
        if not 1 <= len(code) <= _CODE_LONGEST:
            raise ProviderError("the answer brings no code")
        token = await self._turn_in(metadata, code, begun)
        expected = Expected(
            issuer=metadata.issuer,
            client_id=self.settings.client_id,
            nonce=begun.nonce,
            groups_claim=self.settings.groups_claim,
        )
        key = await self._key_of(metadata, token)
        return Finished(said=read_id_token(token, key, expected, now), once=begun.secret)

    async def end_session_address(self) -> str | None:
        """Return where somebody signs out of the provider as well; None if that is not offered.

        Raises:
            ProviderError: The provider is not there, or not as it should be.
        """
        metadata = await self.metadata()
        if metadata.end_session is None:
            return None
        query = {
            "client_id": self.settings.client_id,
            "post_logout_redirect_uri": f"{self.settings.own_url}/sign-in",
        }
        return _with_query(metadata.end_session, query)

    @property
    def may_end_sessions(self) -> bool:
        """Say whether the provider offers to sign people out, as far as is known."""
        return self._metadata is None or self._metadata.end_session is not None

    async def metadata(self) -> Metadata:
        """Return what the provider says of itself, at most `METADATA_KEPT_S` ago.

        Raises:
            ProviderError: It is not there, or not as it should be.
        """
        async with self._lock:
            now_s = self._clock.monotonic_s()
            if self._metadata is not None and now_s - self._metadata_at_s < METADATA_KEPT_S:
                return self._metadata
            if self._failure is not None and now_s - self._failed_at_s < FAILURE_KEPT_S:
                raise type(self._failure)(str(self._failure))
            issuer = self.settings.issuer
            try:
                found = await self._get(address_of_metadata(issuer))
                self._metadata = read_metadata(issuer, found)
            except ProviderError as exc:
                self._failure, self._failed_at_s = exc, self._clock.monotonic_s()
                raise
            self._metadata_at_s, self._failure = self._clock.monotonic_s(), None
            return self._metadata

    async def keys(self, metadata: Metadata, *, again: bool = False) -> tuple[Key, ...]:
        """Return the provider's keys, ``again``: as they are now, if we did not just ask.

        Raises:
            ProviderError: They cannot be had.
        """
        async with self._lock:
            now_s = self._clock.monotonic_s()
            is_old = self._keys_at_s is None or now_s - self._keys_at_s >= KEYS_KEPT_S
            asked_s = self._asked_again_at_s
            if again and not is_old:
                is_old = asked_s is None or now_s - asked_s >= KEYS_ASKED_AGAIN_S
                self._asked_again_at_s = now_s if is_old else asked_s
            if is_old:
                self._keys = read_keys(await self._get(metadata.keys))
                self._keys_at_s = now_s
            return self._keys

    async def _key_of(self, metadata: Metadata, token: str) -> Key:
        key = key_of(token, await self.keys(metadata))
        if key is None:
            key = key_of(token, await self.keys(metadata, again=True))
        if key is None:
            raise ProviderError("the ID token is signed by a key that the provider does not show")
        return key

    async def client_error(self) -> str:
        """Turn in a code that there is not; return the error, by which the client's secret shows.

        Raises:
            ProviderError: The provider is not there, or not as it should be.
        """
        _, found = await self._exchange(await self.metadata(), "esl-doctor", begin())
        return _shown(found.get("error"))

    async def _turn_in(self, metadata: Metadata, code: str, begun: Begun) -> str:
        status, found = await self._exchange(metadata, code, begun)
        if status != HTTPStatus.OK:
            raise ProviderError(
                f"the provider does not take the code: {_shown(found.get('error'))}; are client_id "
                "and secret those that it gave?"
            )
        token = found.get("id_token")
        if not isinstance(token, str):
            raise ProviderError("the provider gives no ID token; is the scope openid allowed?")
        return token

    async def _exchange(
        self, metadata: Metadata, code: str, begun: Begun
    ) -> tuple[HTTPStatus, dict[str, Any]]:
        form = {
            "grant_type": "authorization_code",
            "code": code,
            "redirect_uri": self.settings.return_address,
            "code_verifier": begun.verifier,
        }
        secret, auth = read_client_secret(self.settings), None
        client_id = self.settings.client_id
        if secret is None:
            form["client_id"] = client_id
        elif metadata.posts_secret:
            form |= {"client_id": client_id, "client_secret": secret}
        else:
            auth = (quote_plus(client_id), quote_plus(secret))  # RFC 6749, 2.3.1
        return await self._line.ask(metadata.token, form=form, auth=auth)

    async def _get(self, url: str) -> dict[str, Any]:
        status, found = await self._line.ask(url)
        if status != HTTPStatus.OK:
            raise ProviderError(f"{url} answers {status.value}; is oidc.issuer right?")
        return found

    def _seal_key(self) -> bytes:
        return derive_key(self._data_dir, _PURPOSE)


def read_client_secret(settings: ProviderSettings) -> str | None:
    """Return the client's secret, from the settings or the first line of its file, if it has one.

    Raises:
        SetupError: The file cannot be read, is open to others, or holds none.
    """
    if settings.client_secret is not None:
        return settings.client_secret.get_secret_value()
    path = settings.client_secret_file
    if path is None:
        return None
    try:
        if path.stat().st_mode & 0o077:
            raise SetupError(f"others may read {path}; run: chmod 600 {path}")
        secret = path.read_text("utf-8").partition("\n")[0].strip()
    except (OSError, UnicodeDecodeError) as exc:
        raise SetupError(f"setting oidc.client_secret_file: {path} cannot be read") from exc
    if not 1 <= len(secret) <= _SECRET_LONGEST:
        raise SetupError(
            f"setting oidc.client_secret_file: {path} holds no secret in its first line"
        )
    return secret


def _with_query(address: str, query: Mapping[str, str]) -> str:
    return f"{address}{'&' if '?' in address else '?'}{urlencode(query)}"


def _shown(error: Any) -> str:
    """Return an error's name for the log: short, and made of what RFC 6749 allows and no more."""
    text = error if isinstance(error, str) else "no reason"
    return "".join(c for c in text[:80] if c.isascii() and c.isprintable())
