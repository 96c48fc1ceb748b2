"""What docs/connect-my-pos.md and the pages it leads to tell people to do works as written."""

import re
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from tests.fake_shops import (
    BEGAN,
    FakeBigCommerce,
    FakeErpNext,
    FakeMagento,
    FakeOdoo,
    FakeRest,
    FakeShop,
    FakeShopify,
    FakeSquare,
    FakeWooCommerce,
    Product,
    served,
)
from tests.pages import ROOT, Terminal
from tests.served import wait_until
from tests.services import free_port, require

DOCS = ROOT / "docs"
FIRST = DOCS / "connect-my-pos.md"
PAGES = sorted((DOCS / "pos").glob("*.md"))
LINKED = [
    DOCS / f"{name}.md"
    for name in ("intake", "import", "hot-folder", "mqtt-in", "webhooks", "compat")
]
SHOPS: dict[str, tuple[type[FakeShop], str, str, int, str]] = {
    "shopify": (FakeShopify, "x-shopify-access-token", "shpat_0123456789abcdef", 2999, "T-1"),
    "woocommerce": (
        *(FakeWooCommerce, "authorization"),
        *("Basic Y2tfMDEyMzQ1Njc4OTpjc18wMTIzNDU2Nzg5YWJjZGVm", 1290, "W-1"),
    ),
    "bigcommerce": (FakeBigCommerce, "x-auth-token", "access-token-0123", 1500, "B-1"),
    "square": (FakeSquare, "authorization", "Bearer EAAA-0123456789abcdef", 350, "Q-1"),
    "odoo": (FakeOdoo, "content-type", "application/json", 820, "O-1"),
    "erpnext": (
        *(FakeErpNext, "authorization"),
        *("token 0a1b2c3d4e5f:api-secret-of-erpnext", 640, "E-1"),
    ),
    "magento": (FakeMagento, "authorization", "Bearer access-token-of-magento", 1900, "M-1"),
    "rest": (FakeRest, "x-key", "key-of-the-api-0123", 550, "R-1"),
}
"""Shop, header, what must stand in it, and the price and SKU of the one product it sells."""


@pytest.fixture(scope="module")
def terminal(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Terminal]:
    """A terminal in which the first page has been run."""
    for program in ("curl", "openssl"):
        require(program)
    opened = Terminal(tmp_path_factory.mktemp("reader"), free_port())
    try:
        assert opened.read(FIRST) >= 3
        yield opened
    finally:
        opened.close()


@pytest.mark.parametrize(
    "page", [*PAGES, *LINKED, DOCS / "connectors.md"], ids=lambda page: page.stem
)
def test_a_page_works_as_written(terminal: Terminal, page: Path) -> None:
    with ExitStack() as stack:
        system = "shopify" if page.stem == "connectors" else page.stem
        if system in SHOPS:
            kind, header, secret, cents, sku = SHOPS[system]
            shop = kind()
            shop.secret_header = (header, secret)  # type: ignore[misc]
            shop.key = "api-key-of-odoo-0123"
            shop.products[1] = Product(1, sku, cents, BEGAN)
            stack.enter_context(served(shop))
            terminal.alter = lambda text: at_home(text, shop.url)
            stack.callback(setattr, terminal, "alter", lambda text: text)
        compared = terminal.read(page)
        if system in SHOPS:
            wait_until(lambda: bool(shop.asked), "the connector asked", 60)
    assert compared or page.parent == DOCS, "a page that shows no answer"


def at_home(text: str, url: str) -> str:
    """Put a shop on this machine in the place of the page's, and allow it to be asked."""
    found = re.search(r'"address": "https://[^/"]+', text)
    if found is None:
        return text
    return text.replace(found[0], f'"allow_private": "127.0.0.1", "address": "{url}')


def test_every_page_is_in_the_table() -> None:
    linked = set(re.findall(r"\((?:pos/)([a-z-]+\.md)\)", FIRST.read_text("utf-8")))
    assert linked == {page.name for page in PAGES}


@pytest.mark.parametrize("page", [FIRST, *PAGES], ids=lambda page: page.stem)
def test_its_links_lead_somewhere(page: Path) -> None:
    text = page.read_text("utf-8")
    for target, anchor in re.findall(r"\]\(([^)#:]*)(?:#([^)]*))?\)", text):
        there = page.parent / target if target else page
        assert there.exists(), target
        if anchor:
            titles = re.findall(r"^#+ (.*)$", there.read_text("utf-8"), re.MULTILINE)
            slugs = [re.sub(r"[^\w -]", "", title).lower().replace(" ", "-") for title in titles]
            assert anchor in slugs, f"{target}#{anchor}"
