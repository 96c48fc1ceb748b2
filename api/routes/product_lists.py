"""A store's products, page by page, with their prices and the labels that speak for them."""

from typing import Annotated, Any

from fastapi import APIRouter, Query
from pydantic import BaseModel, Field
from sqlalchemy import Connection

from api import doors
from api.auth import Asker, TheHouse
from api.product_notes import since_view
from api.schemas import product_view
from esl.domain.access import Scope
from esl.domain.errors import InvalidInput
from esl.domain.ids import SKU_MAX_CHARACTERS, Sku
from esl.intake.product_json import NAME_LONGEST
from esl.intake.template_json import BRAND_LONGEST, CATEGORY_LONGEST
from esl.services.finding import find_products
from esl.store.product_pages import (
    ListedProduct,
    Since,
    Which,
    prices_since,
    products_after,
    products_of,
)

router = APIRouter(prefix="/api/v1/stores/{store}", tags=["products and prices"])

SEARCH_LONGEST = 100


class ProductPage(BaseModel, extra="forbid"):
    """Which products; what is named must fit in all of it."""

    after: str = Field(
        default="", max_length=SKU_MAX_CHARACTERS, description="“after” of the page before."
    )
    limit: int = Field(default=100, ge=1, le=1000)
    category: str | None = Field(default=None, min_length=1, max_length=CATEGORY_LONGEST)
    brand: str | None = Field(default=None, min_length=1, max_length=BRAND_LONGEST)
    name: str | None = Field(
        default=None, min_length=1, max_length=NAME_LONGEST, description="How its name begins."
    )
    priced: bool | None = Field(default=None, description="With a price that holds, or without.")
    paired: bool | None = Field(default=None, description="With a label, or without.")
    delisted: bool | None = Field(
        default=None, description="Whose price was taken away and not said again; or any other."
    )
    search: str = Field(
        default="",
        max_length=SEARCH_LONGEST,
        description="Words, each of which is in its SKU, its name or one of its GTINs.",
    )


@router.get("/products")
async def list_products(
    store: str, house: TheHouse, who: Asker, page: Annotated[ProductPage, Query()]
) -> dict[str, Any]:
    """List a store's products by SKU, with their till's prices, since when, and their labels.

    What promotions make of a price stands with the product alone.
    """
    store_id = await doors.enter(house, who, Scope.PRICE_READ, store)
    for name in ("after", "category", "brand", "name", "search"):
        if "\0" in (getattr(page, name) or ""):
            raise InvalidInput.at(f"/{name}", "a NUL character", fix="Send printable text.")
    currency = (await doors.store_for(house, store_id)).currency
    which = Which(
        category=page.category,
        brand=page.brand,
        name=page.name,
        is_priced=page.priced,
        is_paired=page.paired,
        is_delisted=page.delisted,
    )

    def query(tx: Connection) -> tuple[list[ListedProduct], dict[Sku, Since]]:
        if page.search.strip():
            skus = find_products(
                tx, store_id, which, page.search, after=page.after, limit=page.limit
            )
            found = products_of(tx, store_id, skus)
        else:
            found = products_after(tx, store_id, which, after=page.after, limit=page.limit)
        return found, prices_since(tx, store_id, [one.product.sku for one in found])

    found, since = await doors.read(house, query)
    return {
        "products": [
            product_view(one.product, one.price, currency)
            | since_view(since.get(one.product.sku))
            | {"labels": list(one.labels)}
            for one in found
        ],
        "after": found[-1].product.sku if len(found) == page.limit else None,
    }
