"""The OpenID provider, by asking it what a sign-in would ask; nobody is signed in by that."""

from collections.abc import AsyncIterator
from typing import Final

from api.clock import MachineClock
from api.doctor.finding import Finding, failed, passed, skipped, warned
from api.oidc.errors import ProviderError, ProviderUnreachable
from api.oidc.metadata import Metadata
from api.oidc.provider import Provider
from esl.domain.clock import EffectiveClock
from esl.domain.errors import SetupError
from esl.settings import Settings

_NAME: Final = "sign-in provider"
_BAD_CLIENT: Final = frozenset({"invalid_client", "unauthorized_client"})


async def look_at_provider(settings: Settings) -> AsyncIterator[Finding]:
    """Look at the provider of the settings, if there is one."""
    if settings.oidc is None:
        yield skipped(_NAME, "none is set up")
        return
    try:
        provider = Provider(settings.oidc, settings.data_dir, EffectiveClock(MachineClock()))
    except SetupError as exc:
        yield failed(_NAME, str(exc), "Mend the table [oidc] of the settings: docs/accounts.md.")
        return
    try:
        metadata = await provider.metadata()
    except ProviderUnreachable as exc:
        fix = "Start it, and check oidc.issuer and oidc.ca_file. Passwords work without it."
        yield failed(_NAME, str(exc), fix)
        return
    except ProviderError as exc:
        yield failed(_NAME, str(exc), "Check oidc.issuer: docs/accounts.md.")
        return
    yield passed(_NAME, f"{metadata.issuer} answers, and signs by {_listed(metadata)}")
    try:
        yield await _keys(provider, metadata)
        yield await _client(provider)
    except ProviderError as exc:
        yield failed(_NAME, str(exc), "Look at the provider's log.")


async def _keys(provider: Provider, metadata: Metadata) -> Finding:
    name = f"{_NAME}: keys"
    keys = await provider.keys(metadata)
    if not keys:
        fix = "Have it sign by RS256 (2048 bits or more) or ES256."
        return failed(name, "it shows no key that counts here", fix)
    return passed(name, f"{len(keys)} that may sign")


async def _client(provider: Provider) -> Finding:
    """Say whether it takes our client id and secret, by a code that it never gave."""
    name = f"{_NAME}: client"
    error = await provider.client_error()
    if error in _BAD_CLIENT:
        fix = "Put in what the provider shows for this client: oidc.client_id and client_secret."
        return failed(name, f"it does not take our client id and secret ({error})", fix)
    if error != "invalid_grant":
        fix = f"Look at the provider's log; it must know {provider.settings.return_address}."
        return warned(name, f"it answers {error} to a code that it never gave", fix)
    return passed(name, "it takes our client id and secret")


def _listed(metadata: Metadata) -> str:
    return " and ".join(sorted(metadata.algorithms))
