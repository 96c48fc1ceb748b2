"""Products: found by any word, with what they cost since when; and one close up, with its history.

A price is changed by hand here, with a reason. What the guards say to it is told on the same page.
"""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Annotated, Any, Final

from fastapi import APIRouter, Query
from fastapi.responses import Response
from pydantic import BaseModel, Field

from api.console.acting import Sent, Undo, Wrong, go_on, new_key, wrong_of
from api.console.frame import Frame, Framed, show
from api.console.languages import mark, say
from api.console.own_api import Api, ApiProblem, OwnApi, part
from api.console.words import STATE_OF, STATE_WORDS
from esl.domain.access import Scope
from esl.domain.label import Phase
from esl.domain.pricing import Decision

router = APIRouter(include_in_schema=False)

PRODUCTS_MOST: Final = 50
LABELS_MOST: Final = 24
"""Labels of a product that are shown with how they do; the others are counted."""
LINES_MOST: Final = 40

FILTERS: Final[Mapping[str, str]] = {
    "": mark("All"),
    "without-label": mark("Without a label"),
    "without-price": mark("Without a price"),
    "delisted": mark("Labels of delisted products"),
}
_ASKS: Final[Mapping[str, Mapping[str, str]]] = {
    "without-label": {"paired": "false"},
    "without-price": {"priced": "false"},
    "delisted": {"delisted": "true", "paired": "true"},
}

KIND_WORDS: Final[Mapping[str, str]] = {
    "till": mark("the till's price beneath a promotion"),
    "shelf": mark("what labels show"),
}


class Asked(BaseModel):
    """What somebody looks for."""

    q: str = Field(default="", max_length=100)
    only: str = Field(default="", max_length=20)
    after: str = Field(default="", max_length=64)


@dataclass(frozen=True, slots=True, kw_only=True)
class ProductsPage:
    """Some products of a store."""

    products: Sequence[Mapping[str, Any]]
    q: str
    only: str
    more: str | None  # the address of the next ones
    is_first: bool
    filters: Mapping[str, str] = field(default_factory=lambda: FILTERS)


@dataclass(frozen=True, slots=True, kw_only=True)
class ProductPage:
    """One product, as one moment found it."""

    product: Mapping[str, Any]
    labels: Sequence[Mapping[str, Any]]
    more_labels: int
    lines: Sequence[Mapping[str, Any]]
    waiting: Sequence[Mapping[str, Any]]  # prices of it that the guards hold back
    may_change: bool
    once: str
    older: str | None = None
    wrong: Wrong | None = None
    doubt: Mapping[str, Any] | None = None  # what became of a price that was not simply taken
    asked: Mapping[str, str] = field(default_factory=dict)
    kind_words: Mapping[str, str] = field(default_factory=lambda: KIND_WORDS)

    def typed(self, name: str, otherwise: str | None) -> str:
        """Return what stands in a field: what was typed, or what holds."""
        return self.asked.get(name, otherwise or "")


@router.get("/products")
async def products_page(frame: Framed, api: Api, query: Annotated[Asked, Query()]) -> Response:
    """List the products of the store."""
    only = query.only if query.only in _ASKS else ""
    found = await api.get(
        f"/api/v1/stores/{part(frame.store_id)}/products",
        search=query.q.strip(),
        after=query.after,
        limit=PRODUCTS_MOST,
        **_ASKS.get(only, {}),
    )
    asked = {"q": query.q.strip(), "only": only}
    more = frame.at("/products", after=found["after"], **asked) if found["after"] else None
    page = ProductsPage(
        products=found["products"], q=asked["q"], only=only, more=more, is_first=not query.after
    )
    return show("products", frame, page=page)


@router.get("/products/{sku:path}")
async def product_page(
    sku: str, frame: Framed, api: Api, before: Annotated[int | None, Query(ge=1, le=2**53)] = None
) -> Response:
    """Show one product."""
    return show("product", frame, page=await _look(sku, frame, api, before=before))


@router.post("/products/{sku:path}/price")
async def change_price(sku: str, frame: Framed, api: Api, form: Sent) -> Response:
    """Change its price by hand."""
    asked = {name: form.text(name) for name in ("price", "was", "badge", "reason")}
    body: dict[str, str | None] = {"sku": sku, "price": _decimal(asked["price"])}
    body |= {"was": _decimal(asked["was"]) or None, "badge": asked["badge"] or None}
    body |= {"reason": asked["reason"]}
    at = f"/api/v1/stores/{part(frame.store_id)}/hand-prices"
    try:
        answer = (await api.send("POST", at, body, headers=form.once)).json()
    except ApiProblem as problem:
        page = await _look(sku, frame, api, wrong=wrong_of(problem), asked=asked)
        return show("product", frame, status=problem.status, page=page)
    here = frame.at(f"/products/{part(sku)}")
    match answer["decision"]:
        case Decision.ACCEPTED:
            undo = Undo(
                path=frame.at(f"/products/{part(sku)}/undo"), fields={"batch": str(answer["batch"])}
            )
            return go_on(here, say("The price holds now, and goes to its labels."), undo=undo)
        case Decision.UNCHANGED:
            return go_on(here, say("This price held already: nothing was changed."))
    page = await _look(sku, frame, api, doubt=answer, asked=asked)
    return show("product", frame, page=page)


@router.post("/products/{sku:path}/undo")
async def undo_price(sku: str, frame: Framed, api: Api, form: Sent) -> Response:
    """Take back the change that was just made."""
    at = f"/api/v1/stores/{part(frame.store_id)}/hand-prices/{part(form.text('batch') or '-')}"
    try:
        await api.send("POST", f"{at}/undo", headers=form.once)
    except ApiProblem as problem:
        page = await _look(sku, frame, api, wrong=wrong_of(problem))
        return show("product", frame, status=problem.status, page=page)
    return go_on(frame.at(f"/products/{part(sku)}"), say("The price from before holds again."))


async def _look(
    sku: str,
    frame: Frame,
    api: OwnApi,
    *,
    before: int | None = None,
    wrong: Wrong | None = None,
    doubt: Mapping[str, Any] | None = None,
    asked: Mapping[str, str] | None = None,
) -> ProductPage:
    at = f"/api/v1/stores/{part(frame.store_id)}"
    product, history, waiting = await asyncio.gather(
        api.get(f"{at}/products/{part(sku)}"),
        api.get(f"{at}/price-history", sku=sku, before=before, limit=LINES_MOST),
        api.get(f"{at}/quarantine", sku=sku),
    )
    labels = product["labels"][:LABELS_MOST] if frame.may(Scope.LABEL_READ) else []
    hanging = await asyncio.gather(*(api.get(f"/api/v1/labels/{part(one)}") for one in labels))
    older = history["before"]
    return ProductPage(
        product=product,
        labels=[_label(one) for one in hanging],
        more_labels=len(product["labels"]) - len(labels),
        lines=history["lines"],
        waiting=waiting["prices"],
        may_change=frame.may(Scope.PRICE_WRITE),
        once=new_key(),
        older=frame.at(f"/products/{part(sku)}", before=older) if older else None,
        wrong=wrong,
        doubt=doubt,
        asked=asked or {},
    )


def _label(view: Mapping[str, Any]) -> dict[str, Any]:
    state = STATE_OF[Phase(view["phase"])]
    digest = view["shown_digest"]
    return {
        "label": view["label"],
        "place": view["place"],
        "state": state,
        "word": say(STATE_WORDS[state]),
        "shown": f"/api/v1/labels/{view['label']}/frames/{digest}.png" if digest else None,
    }


def _decimal(text: str) -> str:
    """Read a price as people type it, “1,29 €” too, as the API writes it; else as it was typed."""
    plain = text.strip(" €$£\u00a0").replace("\u00a0", "")
    return plain.replace(",", ".") if plain.count(",") == 1 and "." not in plain else plain
