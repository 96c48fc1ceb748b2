"""What a provider says of itself: OpenID Connect Discovery 1.0."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import urlsplit

from api.oidc.errors import ProviderError
from esl.provider_settings import checked_address, is_this_machine

ALGORITHMS: Final = ("RS256", "ES256")
"""What may sign an ID token. None that is symmetric: who can check such a one can make it."""

_LONGEST: Final = 2000


@dataclass(frozen=True, slots=True, kw_only=True)
class Metadata:
    """Where the provider does what."""

    issuer: str
    authorization: str
    token: str
    keys: str
    end_session: str | None
    names_itself: bool  # says its issuer when it sends people back (RFC 9207)
    posts_secret: bool  # takes the client's secret in the form alone
    algorithms: frozenset[str]  # by which it says it signs, of those that we take


def address_of_metadata(issuer: str) -> str:
    """Return where a provider describes itself."""
    return f"{issuer.rstrip('/')}/.well-known/openid-configuration"


def read_metadata(issuer: str, found: Mapping[str, Any]) -> Metadata:
    """Read a description; it must be that of ``issuer``, to the letter.

    Raises:
        ProviderError: It is another's, or lacks what is needed, or names an address that is not
            https.
    """
    said = found.get("issuer")
    if said != issuer:
        shown = said if isinstance(said, str) and said.isprintable() else "nobody"
        raise ProviderError(
            f"the provider calls itself {shown[:_LONGEST]} and not {issuer}; write oidc.issuer "
            "as it does, to the letter"
        )
    algorithms = found.get("id_token_signing_alg_values_supported", ["RS256"])
    usable = frozenset(a for a in ALGORITHMS if isinstance(algorithms, list) and a in algorithms)
    if not usable:
        raise ProviderError(f"the provider signs by none of {', '.join(ALGORITHMS)}")
    methods = found.get("token_endpoint_auth_methods_supported", ["client_secret_basic"])
    return Metadata(
        issuer=issuer,
        authorization=_address(found, "authorization_endpoint", issuer),
        token=_address(found, "token_endpoint", issuer),
        keys=_address(found, "jwks_uri", issuer),
        end_session=(
            _address(found, "end_session_endpoint", issuer)
            if found.get("end_session_endpoint") is not None
            else None
        ),
        names_itself=found.get("authorization_response_iss_parameter_supported") is True,
        posts_secret=isinstance(methods, list)
        and "client_secret_basic" not in methods
        and "client_secret_post" in methods,
        algorithms=usable,
    )


def _address(found: Mapping[str, Any], name: str, issuer: str) -> str:
    value = found.get(name)
    if not isinstance(value, str) or len(value) > _LONGEST:
        raise ProviderError(f"the provider's description lacks {name}")
    try:
        # A query is allowed (RFC 6749, 3.1), a fragment is not.
        checked_address(value.partition("?")[0])
        inward = is_this_machine(urlsplit(value).hostname or "")
    except ValueError as exc:
        raise ProviderError(f"the provider's {name} {exc}") from None
    if "#" in value or not (value.isascii() and value.isprintable()) or " " in value:
        raise ProviderError(f"the provider's {name} is not an address")
    if inward and not is_this_machine(urlsplit(issuer).hostname or ""):
        raise ProviderError(f"the provider's {name} is on this machine, and the provider is not")
    return value
