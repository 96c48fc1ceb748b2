"""Short links: what faces say stays, where they lead does not, and no label is painted for it."""

from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from datetime import date, timedelta

import pytest

from esl.domain.errors import Conflict, InvalidInput, NotFound
from esl.domain.ids import LabelId, Sku
from esl.domain.place import Pairing
from esl.domain.short_link import LinkSetting, make_code
from esl.services import deliveries, links, pairing
from esl.services.links import Export
from esl.store import short_links
from esl.store.database import Database
from esl.store.shelf_tables import short_links as rows
from esl.store.tables import labels
from tests.builders import (
    GATEWAY,
    NOON,
    STORE,
    Controller,
    FakeGateway,
    SimulatedClock,
    build_shelf,
    label_id,
    revs_of,
)

SHELF = 3
WHO = "person:ana"
SETTING = LinkSetting(
    base="https://go.shop.example",
    hosts=("www.shop.example", "offers.example"),
    rule="https://www.shop.example/{store}/{sku}",
    in_faces=True,
)


@pytest.fixture
def clock() -> SimulatedClock:
    return SimulatedClock()


@pytest.fixture
def gateway(clock: SimulatedClock) -> FakeGateway:
    return FakeGateway(GATEWAY, clock)


@pytest.fixture
def shop(database: Database, clock: SimulatedClock, gateway: FakeGateway) -> Iterator[Controller]:
    with database.writing.begin() as tx:
        build_shelf(tx, labels_count=SHELF)
    with closing(Controller(database, clock)) as controller:
        controller.hear(gateway.state(online=True), gateway.hello())
        controller.settle(gateway)
        yield controller


def put(shop: Controller, setting: LinkSetting = SETTING) -> tuple[LabelId, ...]:
    touched: tuple[LabelId, ...] = shop.writer.write(
        lambda tx: links.put_setting(tx, STORE, setting, NOON, actor=WHO)
    )
    return touched


def retarget(shop: Controller, sku: str, target: str | None) -> short_links.ShortLink:
    return shop.writer.write(
        lambda tx: links.set_target(tx, STORE, Sku(sku), target, NOON, actor=WHO)
    )


def said(shop: Controller, number: int) -> str | None:
    with shop.database.read() as tx:
        [due] = deliveries.load(tx, [label_id(number)])
    assert due.face is not None
    return due.face.link


def leads(shop: Controller, sku: str) -> str | None:
    with shop.database.read() as tx:
        setting = short_links.setting_of(tx, STORE)
        assert setting is not None
        return links.leads_to(links.link_of(tx, STORE, Sku(sku)), setting)


def test_faces_say_short_links_from_when_the_store_wants_them(
    shop: Controller, gateway: FakeGateway
) -> None:
    long = said(shop, 0)
    assert put(shop, replace(SETTING, in_faces=False)) == ()
    assert said(shop, 0) == long
    assert put(shop) == tuple(label_id(n) for n in range(SHELF))
    assert said(shop, 0) == f"https://go.shop.example/s/{make_code(STORE, Sku('sku-0'))}"
    shop.settle(gateway)
    assert shop.label(0).shown_digest == shop.wanted_digest(0)
    assert put(shop) == (), "the same again changes no label"
    assert put(shop, replace(SETTING, hosts=("www.shop.example",))) == ()
    assert len(put(shop, replace(SETTING, in_faces=False))) == SHELF
    assert said(shop, 0) == long


def test_another_target_gives_no_label_a_new_revision(
    shop: Controller, gateway: FakeGateway
) -> None:
    put(shop)
    shop.settle(gateway)
    with shop.database.read() as tx:
        before = revs_of(tx), tx.execute(labels.select().order_by(labels.c.label_id)).all()
    shown = [shop.label(n).shown_digest for n in range(SHELF)]
    for target in ("https://offers.example/a", "https://offers.example/b", None):
        retarget(shop, "sku-0", target)
        put(shop, replace(SETTING, rule="https://offers.example/{sku}?t=" + str(target is None)))
        with shop.database.read() as tx:
            after = revs_of(tx), tx.execute(labels.select().order_by(labels.c.label_id)).all()
        assert after == before, "not a byte of a label's row"
        assert shop.dispatcher.step().looked_at == 0
        assert gateway.obey(shop.dispatcher.step().outgoing) == []
    assert [shop.wanted_digest(n) for n in range(SHELF)] == shown
    assert leads(shop, "sku-0") == "https://offers.example/sku-0?t=True"


def test_a_target_goes_before_the_rule_and_a_host_that_is_gone_leads_nowhere(
    shop: Controller,
) -> None:
    put(shop)
    assert leads(shop, "sku-0") == f"https://www.shop.example/{STORE}/sku-0"
    retarget(shop, "sku-0", "https://offers.example/a")
    assert leads(shop, "sku-0") == "https://offers.example/a"
    put(shop, replace(SETTING, hosts=("www.shop.example",)))
    assert leads(shop, "sku-0") == f"https://www.shop.example/{STORE}/sku-0"


@pytest.mark.asvs("3.7.2")
def test_what_leads_elsewhere_is_refused(shop: Controller) -> None:
    with pytest.raises(Conflict, match="has no short links"):
        retarget(shop, "sku-0", "https://offers.example/a")
    put(shop)
    with pytest.raises(InvalidInput):
        retarget(shop, "sku-0", "https://evil.example/a")
    with pytest.raises(NotFound):
        retarget(shop, "sku-9", None)
    for rule in (
        "https://evil.example/{sku}",
        "http://www.shop.example/",
        "{sku}",
        "https://{sku}",
    ):
        with pytest.raises(InvalidInput):
            put(shop, replace(SETTING, rule=rule))
    with pytest.raises(InvalidInput):
        put(shop, replace(SETTING, rule="https://www.shop.example/{label}"))


def test_a_product_that_is_paired_later_gets_its_code_and_keeps_it(shop: Controller) -> None:
    put(shop)
    with shop.database.writing.begin() as tx:
        tx.execute(rows.delete().where(rows.c.sku == "sku-2"))
    pair = Pairing(label_id=label_id(0), sku=Sku("sku-2"))
    shop.writer.write(lambda tx: pairing.pair_labels(tx, STORE, [pair], NOON, single=True))
    code = make_code(STORE, Sku("sku-2"))
    assert said(shop, 0) == f"https://go.shop.example/s/{code}"


def test_two_products_never_share_a_code(shop: Controller) -> None:
    """Another store's product has the code that ours would have: ours gets its next one."""
    taken = make_code(STORE, Sku("sku-0"))
    with shop.database.writing.begin() as tx:
        row = {"code": taken, "store_id": "elsewhere", "sku": "x", "target": None}
        tx.execute(rows.insert(), [row])
    put(shop)
    assert said(shop, 0) == f"https://go.shop.example/s/{make_code(STORE, Sku('sku-0'), 1)}"
    with shop.database.read() as tx:
        found = short_links.link_coded(tx, taken)
    assert found is not None
    assert found.store_id == "elsewhere"


def test_redirects_are_written_for_public_servers(shop: Controller) -> None:
    put(shop)
    retarget(shop, "sku-0", "https://offers.example/a?price=$1&b=/:c")
    code = make_code(STORE, Sku("sku-0"))
    with shop.database.read() as tx:
        found = list(short_links.all_links(tx, STORE))
    assert len(found) == SHELF

    def written(form: Export) -> list[str]:
        return list(links.write_redirects(found, SETTING, form))

    nginx = written(Export.NGINX)
    assert (nginx[0], nginx[-1]) == ("map $uri $esl_target {\n", "}\n")
    line = f'    /s/{code} "https://offers.example/a?price=%241&b=/:c";\n'
    assert line in nginx
    assert f"{code} https://offers.example/a?price=$1&b=/:c\n" in written(Export.APACHE)
    line = f"/s/{code} https://offers.example/a?price=$1&b=/%3Ac 302\n"
    assert line in written(Export.NETLIFY)
    line = f"https://go.shop.example/s/{code},https://offers.example/a?price=$1&b=/:c,sku-0\n"
    assert line in written(Export.CSV)
    assert len(written(Export.CSV)) == SHELF + 1


def test_visits_are_counted_by_day_and_forgotten_in_time(shop: Controller) -> None:
    put(shop)
    code, today = make_code(STORE, Sku("sku-0")), date(2026, 3, 1)
    yesterday = today - timedelta(days=1)
    for visits in ({(code, today): 2}, {(code, today): 1, (code, yesterday): 4}):
        shop.writer.write(lambda tx, v=visits: short_links.count_visits(tx, v))
    with shop.database.read() as tx:
        assert short_links.visits_of(tx, code, since=yesterday) == [(yesterday, 4), (today, 3)]
        assert short_links.visits_of(tx, code, since=today) == [(today, 3)]
    before = NOON.replace(year=2026, month=3, day=1)
    forget = lambda tx: short_links.forget_visits(tx, before, most=10)  # noqa: E731
    assert (shop.writer.write(forget), shop.writer.write(forget)) == (1, 0)
