"""Templates and rules on SQLite and PostgreSQL: kept alike, and safe beside price changes."""

import threading

from esl.domain.face import OfferKind
from esl.domain.ids import TemplateName
from esl.domain.template import NewTemplate, SavedPicture
from esl.domain.template_rule import StockIs, TemplateRule
from esl.services import deliveries
from esl.services.pricing import apply_price_changes
from esl.services.template_choice import preview_rules
from esl.services.templates import delete_template, put_picture, put_rules, save_template
from esl.store import pictures, templates
from esl.store.database import Database
from tests.builders import (
    GATEWAY,
    NOON,
    STORE,
    Controller,
    FakeGateway,
    SimulatedClock,
    a_change,
    build_shelf,
    label_id,
    the_gallery,
)

OWN = TemplateName("own")
GALLERY = the_gallery().keys()


def test_templates_rules_and_pictures_come_back_as_they_were_saved(database: Database) -> None:
    text = "name: own\n# “Voće” ünd 野菜\n"
    picture = SavedPicture(
        name=TemplateName("logo"),
        digest="d1",
        width_px=4,
        height_px=3,
        saved_by="tests",
        saved_at=NOON,
    )
    new = NewTemplate(name=OWN, title="Vlastiti", text=text, digest="t1", pictures={"logo": "d1"})
    rules = (
        TemplateRule(template=OWN, category="Voće*", stock=StockIs.LOW, stock_most=5, weighed=True),
        TemplateRule(template=OWN, kind=OfferKind.MEMBER, panel="*-296x128", products=2, note="n"),
    )
    with database.writing.begin() as tx:
        build_shelf(tx)
        put_picture(tx, STORE, picture, b"\x00png\xff", {}, NOON)
        saved = save_template(tx, STORE, new, NOON, actor="tests", gallery=GALLERY)
        put_rules(tx, STORE, [*rules, TemplateRule(template=OWN)], NOON, gallery=GALLERY, seen=None)
    with database.read() as tx:
        assert pictures.list_pictures(tx, STORE) == [picture]
        assert templates.rules_of(tx, [STORE])[STORE][:2] == rules
        [due] = deliveries.load(tx, [label_id(0)])
        assert str(due.template) == "own@1" == f"own@{saved.version}"
        assert due.template is not None
        [source] = deliveries.load_templates(tx, [due.template]).values()
        assert (source.text, source.pictures) == (text, {"logo": b"\x00png\xff"})
    with database.writing.begin() as tx:
        put_rules(tx, STORE, [], NOON, gallery=GALLERY, seen=None)
        delete_template(tx, STORE, OWN, NOON, actor="tests")
        assert templates.templates_in_use(tx, [STORE]) == {}
        assert [v.is_deleted for v in templates.versions_of(tx, STORE, OWN)] == [True, False]


def test_a_preview_counts_the_same_on_both(database: Database) -> None:
    with database.writing.begin() as tx:
        build_shelf(tx, labels_count=1200)
    with database.read() as tx:
        preview = preview_rules(tx, STORE, [TemplateRule(template=TemplateName("promotion"))])
    assert (preview.labels, preview.changed.labels) == (1200, 1200)
    assert [e.label_id for e in preview.changed.examples] == [label_id(n) for n in range(5)]


def test_rules_and_prices_changed_at_once_leave_every_label_right(database: Database) -> None:
    with database.writing.begin() as tx:
        build_shelf(tx, labels_count=8)
    clock = SimulatedClock()
    shop, gateway = Controller(database, clock), FakeGateway(GATEWAY, clock)
    shop.hear(gateway.hello())
    failures: list[BaseException] = []

    def change_prices() -> None:
        for price in range(200, 215):
            with database.writing.begin() as tx:
                changes = [a_change(f"sku-{n}", price) for n in range(8)]
                apply_price_changes(tx, STORE, changes, NOON, actor="tests")

    def change_rules() -> None:
        for number in range(15):
            names = ("promotion", "standard")
            rule = TemplateRule(template=TemplateName(names[number % 2]))
            with database.writing.begin() as tx:
                put_rules(tx, STORE, [rule], NOON, gallery=GALLERY, seen=None)

    def run(work: object) -> None:
        try:
            work()  # type: ignore[operator]
        except BaseException as exc:  # noqa: BLE001  shown by the test below
            failures.append(exc)

    threads = [threading.Thread(target=run, args=(w,)) for w in (change_prices, change_rules)]
    for thread in threads:
        thread.start()
    while any(thread.is_alive() for thread in threads):
        for put in gateway.obey(shop.dispatcher.step().outgoing):
            shop.hear(gateway.paint(put))
    for thread in threads:
        thread.join()
    assert not failures
    shop.settle(gateway)
    for number, state in enumerate(shop.states()):
        assert (state.due_at, state.problem) == (None, None)
        assert state.shown_digest == shop.wanted_digest(number)
    shop.close()
