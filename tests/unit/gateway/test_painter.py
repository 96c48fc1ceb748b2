"""Which template a picture is drawn with, and what a frame must show before it is sent."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from sqlalchemy import Connection, event, select, update

from esl.domain.face import Face
from esl.domain.ids import TemplateName
from esl.domain.panel import Panel
from esl.domain.template import NewTemplate
from esl.domain.template_rule import DEFAULT_RULES, TemplateRule
from esl.intake.product_json import ProductPut
from esl.services import catalogue, deliveries
from esl.services.templates import put_rules, save_template
from esl.store import places
from esl.store.tables import issued, templates
from gateway.painter import TEMPLATES_KEPT
from renderer.frame import Frame
from renderer.render import Renderer
from renderer.template.template import Template, parse_template
from tests.builders import (
    STORE,
    Controller,
    FakeGateway,
    a_change,
    a_product,
    a_store,
    label_id,
    the_gallery,
)

OpenShop = Callable[..., Controller]

TEXT = """\
name: own
title: Price and code
sample: {name: Jogurt, price: "0.79", currency: EUR, gtin: "9520123456788"}
worst_case: {name: Jogurt, price: "129.99", currency: EUR, gtin: "9520123456788"}
variants:
  - elements:
      - {type: price, box: [0, 0, "50%", "100%"]}
      - {type: qr, box: ["60%", 0, "40%", "100%"]}
"""
OTHER_TEXT = TEXT.replace('"50%"', '"55%"')


def save(shop: Controller, text: str = TEXT, *, name: str = "own") -> int:
    text = text.replace("name: own", f"name: {name}")
    parsed = parse_template(text)
    new = NewTemplate(
        name=TemplateName(name), title="t", text=text, digest=parsed.digest, pictures={}
    )
    now = shop.time.now()
    return shop.writer.write(
        lambda tx: save_template(tx, STORE, new, now, actor="tests", gallery=set())
    ).version


def obey(shop: Controller, *rules: TemplateRule) -> int:
    now = shop.time.now()
    touched = shop.writer.write(
        lambda tx: put_rules(tx, STORE, rules, now, gallery=the_gallery().keys(), seen=None)
    )
    return len(touched)


def rule(template: str = "own", **asked: Any) -> TemplateRule:
    return TemplateRule(template=TemplateName(template), **asked)


def put_product(shop: Controller, number: int, **product: Any) -> None:
    put = ProductPut(product=a_product(f"sku-{number}", **product), price=None)
    now = shop.time.now()
    shop.writer.write(lambda tx: catalogue.put_products(tx, STORE, [put], now, actor="tests"))


def sent(shop: Controller, gateway: FakeGateway) -> list[str]:
    """Let the dispatcher take one step, paint what it sends, and name the labels."""
    puts = gateway.obey(shop.dispatcher.step().outgoing)
    for put in puts:
        shop.hear(gateway.paint(put))
    return sorted(put.label for put in puts)


def drawn_with(shop: Controller, number: int) -> list[str]:
    with shop.database.read() as tx:
        query = select(issued.c.template).where(issued.c.label_id == label_id(number))
        return list(tx.execute(query.order_by(issued.c.rev)).scalars())


# ── Which template ─────────────────────────────────────────────────────────────────────────


def test_a_rule_change_repaints_exactly_the_labels_concerned(
    open_shop: OpenShop, gateway: FakeGateway
) -> None:
    shop = open_shop(labels_count=3)
    put_product(shop, 1, category="Voće")
    shop.hear(gateway.hello())
    assert sent(shop, gateway) == [label_id(0), label_id(1), label_id(2)]
    assert save(shop) == 1
    assert sent(shop, gateway) == [], "no label is drawn with it yet"
    assert obey(shop, rule(category="Voće")) == 1
    assert sent(shop, gateway) == [label_id(1)]
    assert save(shop, OTHER_TEXT) == 2
    assert sent(shop, gateway) == [label_id(1)]
    assert obey(shop) == 1
    assert sent(shop, gateway) == [label_id(1)]
    assert drawn_with(shop, 1) == ["standard", "own@1", "own@2", "standard"]
    assert drawn_with(shop, 0) == ["standard"]
    assert shop.label(1).shown_digest == shop.wanted_digest(1)


def test_a_template_saved_again_without_a_difference_in_pixels_sends_nothing(
    open_shop: OpenShop, gateway: FakeGateway
) -> None:
    shop = open_shop()
    shop.hear(gateway.hello())
    save(shop)
    obey(shop, rule())
    sent(shop, gateway)
    assert save(shop, TEXT.replace("title: Price", "title: The price")) == 2
    assert sent(shop, gateway) == []
    assert shop.label().settled_rev == shop.label().wanted_rev


def test_a_template_that_can_no_longer_be_read_fails_its_labels_alone(
    open_shop: OpenShop, gateway: FakeGateway
) -> None:
    shop = open_shop(labels_count=2)
    put_product(shop, 1, category="Voće")
    save(shop)
    obey(shop, rule(category="Voće"))
    shop.hear(gateway.hello())

    def spoil(tx: Connection) -> None:
        tx.execute(update(templates).values(text="name: [", digest="0" * 64))

    shop.writer.write(spoil)
    assert sent(shop, gateway) == [label_id(0)]
    bad = shop.label(1)
    assert (bad.problem, bad.due_at, bad.sent_rev) == ("template_unusable", None, 0)
    assert "own@1" in str(bad.problem_detail)
    save(shop, OTHER_TEXT)
    assert sent(shop, gateway) == [label_id(1)]


def test_a_template_that_nobody_has_fails_the_label(
    open_shop: OpenShop, gateway: FakeGateway
) -> None:
    shop = open_shop()
    shop.hear(gateway.hello())

    def put(tx: Connection) -> None:
        put_rules(tx, STORE, [rule("gone")], shop.time.now(), gallery={"gone"}, seen=None)

    shop.writer.write(put)
    assert sent(shop, gateway) == []
    assert shop.label().problem == "template_unusable"
    assert "'gone'" in str(shop.label().problem_detail)


def test_a_template_is_read_and_parsed_once(
    open_shop: OpenShop, gateway: FakeGateway, monkeypatch: pytest.MonkeyPatch
) -> None:
    parsed: list[str] = []

    def count(text: str, **how: Any) -> Template:
        parsed.append(text)
        return parse_template(text, **how)

    monkeypatch.setattr("gateway.painter.parse_template", count)
    shop = open_shop(labels_count=5)
    save(shop)
    obey(shop, rule())
    shop.hear(gateway.hello())
    assert len(sent(shop, gateway)) == 5
    put_product(shop, 0, brand="Dukat")
    assert len(sent(shop, gateway)) == 1
    assert parsed == [TEXT]
    save(shop, OTHER_TEXT)
    assert len(sent(shop, gateway)) == 5
    assert parsed == [TEXT, OTHER_TEXT]


def test_rules_and_templates_cost_no_query_per_label(open_shop: OpenShop) -> None:
    shop = open_shop(labels_count=40)
    save(shop)
    obey(shop, rule(brand="x"), rule())
    asked: list[str] = []

    def note(_connection: object, _cursor: object, statement: str, *_rest: object) -> None:
        asked.append(statement)

    def count(numbers: range) -> int:
        asked.clear()
        with shop.database.read() as tx:
            due = deliveries.load(tx, [label_id(n) for n in numbers])
            deliveries.load_templates(tx, shop.painter.unknown(due))
        return len(asked)

    event.listen(shop.database.reading, "before_cursor_execute", note)
    assert count(range(40)) == count(range(1)) <= 8


def test_the_oldest_templates_are_forgotten_first(open_shop: OpenShop) -> None:
    shop = open_shop()
    save(shop)
    obey(shop, rule())
    with shop.database.read() as tx:
        [due] = deliveries.load(tx, [label_id(0)])
        [ref] = shop.painter.unknown([due])
        [source] = deliveries.load_templates(tx, [ref]).values()
    shop.painter.learn({ref: source})
    assert not shop.painter.unknown([due])
    others = {replace(ref, version=n + 2): source for n in range(TEMPLATES_KEPT - 1)}
    shop.painter.learn(others)
    assert not shop.painter.unknown([due])
    shop.painter.learn({replace(ref, version=9999): source})
    assert shop.painter.unknown([due]) == {ref}


# ── What is sent is proven ─────────────────────────────────────────────────────────────────


class Spoilt(Renderer):
    """A renderer with a fault: what it draws of one product is not what it says."""

    def __init__(self, spoil: Callable[[Frame], Frame]) -> None:
        super().__init__()
        self.spoil = spoil

    def render(self, face: Face, panel: Panel, template: Template, **_: object) -> Frame:
        frame = super().render(face, panel, template)
        return self.spoil(frame) if face.sku == "sku-1" else frame


def blackened(frame: Frame) -> Frame:
    """Turn a run of pixels in the middle of the code black."""
    at = len(frame.pixels) * 4 // 5
    return Frame.of(
        frame.panel_id, frame.pixels[:at] + b"\0" * 600 + frame.pixels[at + 600 :], frame.codes
    )


def mistaken(frame: Frame) -> Frame:
    """Draw one content's modules, and mean another's."""
    codes = tuple(code._replace(content="https://other.example/") for code in frame.codes)
    return Frame.of(frame.panel_id, frame.pixels, codes)


def proving_shop(
    open_shop: OpenShop, spoil: Callable[[Frame], Frame], *, percent: int
) -> Controller:
    shop = open_shop(renderer=Spoilt(spoil), labels_count=2)
    store = a_store(read_back_percent=percent)
    shop.writer.write(lambda tx: places.put_store(tx, store))
    save(shop)
    obey(shop, rule())
    for number, gtin in enumerate(("3850139171587", "9520123456788")):
        put_product(shop, number, gtin=gtin)
    return shop


def test_a_frame_whose_code_is_spoilt_is_not_sent(
    open_shop: OpenShop, gateway: FakeGateway
) -> None:
    shop = proving_shop(open_shop, blackened, percent=0)
    shop.hear(gateway.hello())
    assert sent(shop, gateway) == [label_id(0)]
    bad = shop.label(1)
    assert (bad.problem, bad.due_at, bad.sent_rev) == ("code_unreadable", None, 0)
    assert drawn_with(shop, 1) == []


def test_a_code_that_was_proven_is_looked_at_again_when_its_pixels_change(
    open_shop: OpenShop, gateway: FakeGateway
) -> None:
    shop = proving_shop(open_shop, lambda frame: frame, percent=0)
    shop.hear(gateway.hello())
    assert sent(shop, gateway) == [label_id(0), label_id(1)]
    assert isinstance(shop.renderer, Spoilt)
    shop.renderer.spoil = blackened
    shop.price(a_change("sku-0", 777), a_change("sku-1", 777))
    sent(shop, gateway)
    assert drawn_with(shop, 0) == ["own@1", "own@1"]
    assert drawn_with(shop, 1) == ["own@1", "neutral"], "a neutral face instead"


@pytest.mark.parametrize(("percent", "labels"), [(0, 2), (100, 1)])
def test_the_share_set_by_the_store_is_decoded_before_it_is_sent(
    open_shop: OpenShop, gateway: FakeGateway, percent: int, labels: int
) -> None:
    shop = proving_shop(open_shop, mistaken, percent=percent)
    shop.hear(gateway.hello())
    assert len(sent(shop, gateway)) == labels
    assert shop.label(1).problem == ("code_unreadable" if percent else None)
    assert shop.label(0).problem is None


def test_every_template_that_our_own_rules_choose_is_in_the_gallery() -> None:
    gallery = the_gallery()
    assert {rule.template for rule in DEFAULT_RULES} <= gallery.keys()
    for own in DEFAULT_RULES:
        assert gallery[own.template].file.products >= (own.products or 1)
