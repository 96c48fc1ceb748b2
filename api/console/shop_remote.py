"""The simulator behind a simulated shop: asked and told over its control address.

``esl simulate --control FILE`` writes address and token into FILE for as long as it runs. The file
is read anew each time, so the simulator may be stopped and started again.
"""

import ipaddress
import json
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import httpx2

from api.console.shop_buttons import KnownShop
from esl.domain.errors import EslError

_PATIENCE_S = 5.0
_LABELS_MOST = 500
"""Labels that a page offers by name; of more, only the first."""


class ShopAway(EslError):
    """The simulated shop is not running, or did not answer."""


class ShopRefused(EslError):
    """The simulator did not do it; holds its own words."""


class ShopRemote:
    """The control address in one file. Blocking: call it from threads."""

    def __init__(self, control_file: Path) -> None:
        self._control_file = control_file

    def see(self) -> dict[str, Any]:
        """Return the shop as `simulator.overview.ShopSeen` tells it.

        Raises:
            ShopAway: Nobody answers.
        """
        found: dict[str, Any] = self._ask("GET", "/v1/shop")
        return found

    def known(self) -> KnownShop:
        """Return the names of its gateways, and of its first labels.

        Raises:
            ShopAway: Nobody answers.
        """
        gateways = [str(gateway["gateway"]) for gateway in self.see()["gateways"]]
        page = self._ask("GET", f"/v1/labels?limit={_LABELS_MOST}")["labels"]
        return KnownShop(
            gateways=gateways,
            labels=[str(label["label"]) for label in page],
            heard_by={str(label["label"]): list(label["gateways"]) for label in page},
        )

    def press(self, body: dict[str, object]) -> list[str]:
        """Press a button; return the gateways or labels it was done to.

        Raises:
            ShopAway: Nobody answers.
            ShopRefused: The simulator knows no such gateway or label.
        """
        return [str(name) for name in self._ask("POST", "/v1/buttons", body)["done_to"]]

    def _ask(self, method: str, path: str, body: object = None) -> Any:
        url, token = self._address()
        try:
            answer = httpx2.request(
                method,
                f"{url}{path}",
                json=body,
                headers={"Authorization": f"Bearer {token}"},
                timeout=_PATIENCE_S,
                trust_env=False,
            )
            told = answer.json()
        except (httpx2.HTTPError, ValueError) as exc:
            raise ShopAway("the simulator does not answer") from exc
        if not answer.is_success:
            raise ShopRefused(str(told.get("error", answer.reason_phrase)))
        return told

    def _address(self) -> tuple[str, str]:
        """Read address and token. Only this machine is ever called."""
        try:
            told = json.loads(self._control_file.read_text())
            url, token = str(told["url"]), str(told["token"])
            host = urlsplit(url).hostname or ""
            if not url.startswith("http://") or not ipaddress.ip_address(host).is_loopback:
                raise ShopAway(f"{self._control_file} names no address of this machine")
        except (OSError, ValueError, KeyError, TypeError) as exc:
            raise ShopAway("the simulator is not running") from exc
        return url, token
