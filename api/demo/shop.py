"""A shop on a running controller: filled over HTTP, its shelf simulated, glass against truth."""

import asyncio
from collections.abc import Mapping, Sequence
from typing import Any

import msgspec

from api.client import Client
from api.clock import MachineClock
from api.demo.sample_shop import GATEWAYS, STORE, STORE_BODY, Place, products
from api.schemas import face_from
from esl.domain.ids import GatewayId
from esl.domain.panel import Panels
from esl.domain.panel_file import load_panels
from gateway.wire.enrolment import Enrolment, from_json
from renderer.render import Renderer
from renderer.template.gallery import load_gallery
from renderer.template.template import Template, parse_template
from simulator.faults import Faults
from simulator.gateway import GatewayOptions
from simulator.pos import tell
from simulator.shop import Shop

_ITEMS_AT_ONCE = 1000


class Demo:
    """One shop: its client, its places, its simulated shelf.

    Making one fills the controller's store with ``goods`` (the sample products by default) and
    registers the labels; run ``shop`` to bring the shelf to life, then `pair`.
    """

    def __init__(
        self,
        client: Client,
        places: Sequence[Place],
        *,
        paint_s: float,
        seed: int,
        goods: Sequence[Mapping[str, Any]] | None = None,
        beacon_s: float = 20.0,
        faults: Faults | None = None,
        broker: Mapping[str, Any] | None = None,
        panels: Panels | None = None,
    ) -> None:
        self.client = client
        self.places = list(places)
        self._renderer, self._gallery = Renderer(), load_gallery()
        self._own_templates: dict[tuple[str, int], Template] = {}  # as many as the store has
        self._panels = panels or load_panels()
        enrolments = self._fill_shop(products() if goods is None else goods, broker or {})
        options = GatewayOptions(
            paint_s=paint_s, jitter=0.5, beacon_s=beacon_s, heartbeat_s=min(10.0, beacon_s)
        )
        self.shop = Shop(
            [
                (
                    enrolments[gateway],
                    [
                        (p.label_id, self._panels.named(p.panel_id))
                        for p in places
                        if p.gateway_id == gateway
                    ],
                )
                for gateway in enrolments
            ],
            clock=MachineClock(),
            sleep=asyncio.sleep,
            seed=seed,
            options=options,
            faults=faults,
        )

    def pair(self) -> None:
        """Pair every label with its product."""
        self._post_all("pairings", [{"label": p.label_id, "sku": p.sku} for p in self.places])

    def change_price(self, sku: str, price: str, *, was: str | None, badge: str | None) -> None:
        """Change one price, as a till does: once, however often the client has to send it."""
        tell(self.client, STORE, sku, price, was=was, badge=badge)

    def mismatches(self) -> list[str]:
        """Compare the pixels each simulated label holds with a fresh render of the truth."""
        wrong: list[str] = []
        for place in self.places:
            face = self.client.get(f"/api/v1/labels/{place.label_id}")["face"]
            panel = self._panels.named(place.panel_id)
            truth = self._renderer.render(face_from(face), panel, self._template_of(place))
            if self.shop.labels[place.label_id].shown_pixels != truth.pixels:
                wrong.append(place.label_id)
        return wrong

    def _template_of(self, place: Place) -> Template:
        """Return the template that a label is drawn with by the truth of now."""
        chosen = self.client.get(f"/api/v1/labels/{place.label_id}/template")
        name, version = str(chosen["template"]), chosen["version"]
        if version is None:
            return self._gallery[name]
        if (name, version) not in self._own_templates:
            text = self.client.get(f"/api/v1/stores/{STORE}/templates/{name}")["text"]
            self._own_templates[name, version] = parse_template(text)
        return self._own_templates[name, version]

    def settled(self) -> int:
        """Count the labels that the controller holds to be right."""
        count, after = 0, ""
        while after is not None:
            page = self.client.get(f"/api/v1/stores/{STORE}/labels", limit=1000, after=after)
            count += sum(label["phase"] == "settled" for label in page["labels"])
            after = page["after"]
        return count

    def _fill_shop(
        self, goods: Sequence[Mapping[str, Any]], broker: Mapping[str, Any]
    ) -> dict[GatewayId, Enrolment]:
        store = f"/api/v1/stores/{STORE}"
        self.client.put(store, STORE_BODY)
        enrolments = {
            gateway: msgspec.structs.replace(
                from_json(self.client.put_text(f"{store}/gateways/{gateway}", {})), **broker
            )
            for gateway in sorted({place.gateway_id for place in self.places} | set(GATEWAYS))
        }
        self._post_all("products", goods)
        self._post_all(
            "labels",
            [
                {"label": p.label_id, "panel": p.panel_id, "gateway": p.gateway_id}
                for p in self.places
            ],
        )
        return enrolments

    def _post_all(self, what: str, items: Sequence[Mapping[str, Any]]) -> None:
        for start in range(0, len(items), _ITEMS_AT_ONCE):
            part = [dict(item) for item in items[start : start + _ITEMS_AT_ONCE]]
            self.client.post_once(f"/api/v1/stores/{STORE}/{what}", part)
