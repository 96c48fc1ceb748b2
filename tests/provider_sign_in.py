"""A browser that signs in by `tests.openid_provider`, step by step, and the shop that it is for."""

from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import httpx2

from api.oidc.provider import Provider
from esl.provider_settings import ProviderSettings
from tests.openid_provider import CLIENT, SECRET, OpenIdProvider
from tests.running_house import RunningHouse

GROUPS = [
    {"group": "shelf-managers", "role": "manager", "stores": ["main"]},
    {"group": "shelf-hands", "role": "technician", "stores": ["main", "not-open-yet"]},
    {"group": "shelf-admins", "role": "admin", "stores": ["*"]},
]


def settings_for(provider: OpenIdProvider, own_url: str, **other: Any) -> ProviderSettings:
    """Return settings that fit a provider, and let it know where people come back to."""
    said: dict[str, Any] = {
        "issuer": provider.issuer,
        "client_id": CLIENT,
        "client_secret": SECRET,
        "own_url": own_url,
        "name": "Vrsar account",
        "roles": GROUPS,
    }
    settings = ProviderSettings.model_validate(said | other)
    provider.redirects = [settings.return_address]
    return settings


def set_up(shop: RunningHouse, provider: OpenIdProvider, **other: Any) -> Provider:
    """Have the shop know a provider anew, as after a start."""
    settings = settings_for(provider, shop.url, **other)
    made = Provider(settings, shop.house.settings.data_dir, shop.house.clock)
    shop.app.state.provider = made
    return made


@dataclass(slots=True)
class Browser:
    """A browser of somebody: keeps its cookies, and goes where it is sent only if told to."""

    shop: RunningHouse
    provider: OpenIdProvider
    http: httpx2.Client

    def get(self, path: str, **how: Any) -> httpx2.Response:
        return self.http.get(path if path.startswith("http") else f"{self.shop.url}{path}", **how)

    def begin(self) -> str:
        """Press the button; return where the shop sends the browser."""
        answer = self.get("/sign-in/oidc")
        assert answer.status_code == 303, answer.text
        return answer.headers["location"]

    def agree(self, address: str, name: str) -> str:
        """Say at the provider who one is; return where it sends the browser."""
        answer = self.http.post(address, data={"who": name})
        assert answer.status_code == 303, answer.text
        return answer.headers["location"]

    def sign_in(self, name: str) -> httpx2.Response:
        """Go all the way; return what the shop answers at its end."""
        return self.get(self.agree(self.begin(), name))

    def me(self) -> dict[str, Any] | None:
        answer = self.get("/api/v1/me")
        return answer.json() if answer.is_success else None

    def roles(self) -> set[tuple[str, str]]:
        me = self.me()
        assert me is not None
        return {(one["store"], one["role"]) for one in me["person"]["roles"]}


def query_of(address: str) -> dict[str, str]:
    """Return the parameters in an address."""
    return dict(parse_qsl(urlsplit(address).query))
