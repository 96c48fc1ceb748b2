"""The table ``[oidc]`` of the settings: an OpenID provider by which people may sign in."""

import ipaddress
from pathlib import Path
from typing import Annotated, Self
from urllib.parse import urlsplit

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, SecretStr, model_validator

from esl.domain.access import ALL_STORES, Role
from esl.domain.errors import InvalidInput
from esl.domain.ids import check_slug
from esl.domain.provider import GroupRole

_LONGEST = 2000


def is_this_machine(host: str) -> bool:
    """Say whether a host in an address is this machine's loopback."""
    try:
        return host == "localhost" or ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def checked_address(text: str) -> str:
    """Return an https address; plain http is for this machine alone, where nobody listens in.

    Raises:
        ValueError: It is another, or holds a password, a query or a fragment.
    """
    try:
        parts = urlsplit(text)
        host, _ = parts.hostname or "", parts.port
    except ValueError:
        raise ValueError("not an address; write https://…") from None
    if not (text.isascii() and text.isprintable()) or " " in text or "\\" in text or not host:
        raise ValueError("not an address; write https://…")
    if parts.scheme != "https" and not (parts.scheme == "http" and is_this_machine(host)):
        raise ValueError("does not begin with https://; plain http is for this machine alone")
    if parts.username is not None or parts.password is not None:
        raise ValueError("holds a name or a password; leave them out")
    if "?" in text or "#" in text:
        raise ValueError("holds “?” or “#”; leave out what follows")
    return text


def _checked_own(text: str) -> str:
    checked = checked_address(text)
    if urlsplit(checked).path.strip("/"):
        raise ValueError("holds a path; write it as https://esl.shop.example")
    return checked.rstrip("/")


def _checked_store(text: str) -> str:
    try:
        return text if text == ALL_STORES else check_slug(text, path="", what="store")
    except InvalidInput as exc:
        raise ValueError(f"{exc.problems[0].detail}; name a store, or “*” for all") from None


def _checked_scope(text: str) -> str:
    if not text or not all(c.isascii() and c.isprintable() and c not in ' "\\' for c in text):
        raise ValueError("not a scope; write one such as profile")
    return text


class GroupRoleSetting(BaseModel):
    """``[[oidc.roles]]``: a group of the provider, and what its people are here."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    group: str = Field(min_length=1, max_length=300)
    role: Role
    stores: list[Annotated[str, AfterValidator(_checked_store)]] = Field(min_length=1)


class ProviderSettings(BaseModel):
    """``[oidc]``: see docs/accounts.md, “Signing in by another company's service”."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    issuer: Annotated[str, AfterValidator(checked_address)] = Field(max_length=_LONGEST)
    client_id: str = Field(min_length=1, max_length=300)
    client_secret: SecretStr | None = None
    client_secret_file: Path | None = None
    own_url: Annotated[str, AfterValidator(_checked_own)] = Field(max_length=_LONGEST)
    name: str = Field(default="company account", min_length=1, max_length=60)
    scopes: list[Annotated[str, AfterValidator(_checked_scope)]] = [
        *("openid", "profile", "email"),
    ]
    groups_claim: str = Field(default="groups", min_length=1, max_length=200)
    roles: list[GroupRoleSetting] = Field(min_length=1, max_length=1000)
    creates_people: bool = True
    links_by_name: bool = False
    ca_file: Path | None = None

    @model_validator(mode="after")
    def _fit_each_other(self) -> Self:
        if self.client_secret is not None and self.client_secret_file is not None:
            raise ValueError("client_secret and client_secret_file are both set; keep one")
        if "openid" not in self.scopes:
            raise ValueError("scopes lack openid, without which no provider says who signs in")
        return self

    @property
    def return_address(self) -> str:
        """Where the provider sends people back to; it must know this address to the letter."""
        return f"{self.own_url}/sign-in/oidc/return"

    @property
    def rules(self) -> tuple[GroupRole, ...]:
        """Which group gives what."""
        return tuple(
            GroupRole(group=one.group, role=one.role, stores=frozenset(one.stores))
            for one in self.roles
        )
