"""Pictures told apart from what a label shows, and whole ones wherever that is not certain."""

import hashlib
from collections.abc import Callable, Sequence

import pytest
from sqlalchemy import delete, select, update

from esl.domain.face import Face
from esl.domain.ids import Digest, Sku
from esl.domain.panel import Panel
from esl.domain.place import Pairing
from esl.intake.product_json import ProductPut
from esl.services import catalogue, deliveries, pairing
from esl.store.tables import frames, issued
from esl.store.tables import labels as label_table
from esl.store.tables import stores as store_table
from gateway.bases import DEPTH_MOST, Base, Bases, load_bases, load_pixels
from gateway.dispatcher import Dispatcher
from gateway.painter import Painter
from gateway.pictures import deflate, difference, inflate
from gateway.wire.messages import XOR_ZLIB, ZLIB, Put
from renderer.frame import Frame
from renderer.render import Renderer
from renderer.template.template import Template
from tests.builders import (
    KEY,
    PANEL,
    STORE,
    Controller,
    FakeGateway,
    a_change,
    a_product,
    label_id,
    the_gallery,
)
from tests.panels import PANELS

OpenShop = Callable[..., Controller]
THE_PANEL = PANELS[PANEL]


class Glass:
    """A label that keeps its picture and rebuilds deltas; refuses what does not fit."""

    def __init__(self, panel: Panel = THE_PANEL) -> None:
        self.panel = panel
        self.pixels: dict[str, bytes] = {}

    def show(self, put: Put) -> bytes:
        pixels = inflate(put.data, self.panel)
        if put.encoding == XOR_ZLIB:
            shown = self.pixels[put.label]
            assert hashlib.sha256(shown).digest() == put.base, "base_mismatch"
            pixels = difference(pixels, shown)
        assert hashlib.sha256(pixels).digest() == put.digest, "bad_digest"
        self.pixels[put.label] = pixels
        return pixels


@pytest.fixture
def shop(open_shop: OpenShop, gateway: FakeGateway) -> Controller:
    """One label with a real picture, below a gateway that passes deltas on."""
    shop = open_shop(renderer=Renderer())
    shop.hear(gateway.hello(level="full"))
    return shop


def send(shop: Controller, gateway: FakeGateway) -> list[Put]:
    return gateway.obey(shop.dispatcher.step().outgoing)


def show(shop: Controller, gateway: FakeGateway, glass: Glass) -> Sequence[Put]:
    """Let a step's puts be painted and reported."""
    puts = send(shop, gateway)
    for put in puts:
        glass.show(put)
        shop.hear(gateway.paint(put))
    return puts


def restart(shop: Controller) -> None:
    """Forget everything that a process keeps in memory."""
    shop.dispatcher = Dispatcher(
        database=shop.database,
        writer=shop.writer,
        roster=shop.roster,
        painter=shop.painter,
        panels=PANELS,
        key=KEY,
        clock=shop.time,
        backoff=shop.backoff,
    )


def kept(shop: Controller) -> dict[str, tuple[str, int]]:
    with shop.database.read() as tx:
        rows = tx.execute(select(frames.c.digest, frames.c.encoding, frames.c.depth))
        return {digest: (encoding, depth) for digest, encoding, depth in rows}


def test_a_price_change_travels_as_a_delta_a_fraction_of_the_whole(
    shop: Controller, gateway: FakeGateway
) -> None:
    glass = Glass()
    [first] = show(shop, gateway, glass)
    assert (first.encoding, first.base) == (ZLIB, None)
    shop.price(a_change(price_minor=128))
    [second] = show(shop, gateway, glass)
    assert (second.encoding, second.base) == (XOR_ZLIB, first.digest)
    assert second.size == THE_PANEL.frame_bytes
    assert len(second.data) < len(first.data) / 2
    assert shop.label().due_at is None
    assert kept(shop) == {first.digest.hex(): (ZLIB, 0), second.digest.hex(): (XOR_ZLIB, 1)}
    with shop.database.read() as tx:
        query = select(issued.c.encoding, issued.c.bytes).where(issued.c.rev == second.rev)
        assert tx.execute(query).one() == (XOR_ZLIB, len(second.data))


@pytest.mark.parametrize("level", ["basic", "staged"])
def test_only_a_gateway_of_level_full_is_sent_deltas(
    shop: Controller, gateway: FakeGateway, level: str
) -> None:
    shop.hear(gateway.heartbeat(level=level))
    for price in (101, 102):
        shop.price(a_change(price_minor=price))
        [put] = show(shop, gateway, Glass())
        assert put.encoding == ZLIB


def test_while_a_picture_is_unanswered_the_next_one_is_whole(
    shop: Controller, gateway: FakeGateway
) -> None:
    show(shop, gateway, Glass())
    shop.price(a_change(price_minor=128))
    [lost] = send(shop, gateway)
    assert lost.encoding == XOR_ZLIB
    shop.price(a_change(price_minor=127))
    [again] = send(shop, gateway)
    assert again.encoding == ZLIB


@pytest.mark.parametrize("code", ["base_mismatch", "bad_digest"])
def test_a_delta_that_does_not_fit_is_followed_by_a_whole_picture_at_once(
    shop: Controller, gateway: FakeGateway, code: str
) -> None:
    show(shop, gateway, Glass())
    shop.price(a_change(price_minor=128))
    [delta] = send(shop, gateway)
    assert delta.encoding == XOR_ZLIB
    shop.hear(gateway.fail(delta, code))
    [whole] = send(shop, gateway)
    assert (whole.encoding, whole.digest, whole.rev) == (ZLIB, delta.digest, delta.rev)
    glass = Glass()
    glass.show(whole)


def test_a_label_marked_for_a_whole_picture_gets_one_and_deltas_again_after_it(
    shop: Controller, gateway: FakeGateway
) -> None:
    glass = Glass()
    show(shop, gateway, glass)
    with shop.database.writing.begin() as tx:
        tx.execute(update(label_table).values(send_full=True))
    shop.price(a_change(price_minor=128))
    assert [put.encoding for put in show(shop, gateway, glass)] == [ZLIB]
    shop.price(a_change(price_minor=127))
    assert [put.encoding for put in show(shop, gateway, glass)] == [XOR_ZLIB]


def test_a_label_that_lost_its_memory_gets_a_whole_picture(
    shop: Controller, gateway: FakeGateway
) -> None:
    [put] = show(shop, gateway, Glass())
    gateway.incarnations[put.label] = 2
    shop.hear(gateway.beacon(put.label, shown_rev=0, shown_digest=b""))
    [again] = send(shop, gateway)
    assert again.encoding == ZLIB


def test_chains_stay_short_and_every_kept_frame_can_be_unfolded(
    shop: Controller, gateway: FakeGateway
) -> None:
    glass = Glass()
    pixels: dict[str, bytes] = {}
    for price in (129, 128, 127, 126, 125, 124, 128, 126, 123, 122, 121, 120, 129, 119):
        shop.price(a_change(price_minor=price))
        [put] = send(shop, gateway)
        pixels[put.digest.hex()] = glass.show(put)
        shop.hear(gateway.paint(put))
    of_depth = [depth for _, depth in kept(shop).values()]
    assert max(of_depth) == DEPTH_MOST
    assert of_depth.count(0) >= 3
    with shop.database.read() as tx:
        found = load_bases(tx, [Digest(d) for d in pixels], PANELS)
    assert {digest: base.pixels for digest, base in found.items()} == pixels


def test_after_a_restart_bases_come_from_the_database(
    shop: Controller, gateway: FakeGateway
) -> None:
    glass = Glass()
    for price in (128, 127, 126):
        shop.price(a_change(price_minor=price))
        show(shop, gateway, glass)
    restart(shop)
    shop.price(a_change(price_minor=125))
    [put] = show(shop, gateway, glass)
    assert put.encoding == XOR_ZLIB
    assert shop.label().shown_digest == shop.wanted_digest()


@pytest.mark.parametrize("damage", ["gone", "cut", "another"])
def test_a_base_that_cannot_be_read_is_not_used(
    shop: Controller, gateway: FakeGateway, damage: str
) -> None:
    [first] = show(shop, gateway, Glass())
    with shop.database.writing.begin() as tx:
        match damage:
            case "gone":
                tx.execute(delete(frames))
            case "cut":
                tx.execute(update(frames).values(zlib_pixels=first.data[:-9]))
            case "another":
                other = deflate(bytes(THE_PANEL.frame_bytes), THE_PANEL)
                tx.execute(update(frames).values(zlib_pixels=other))
    restart(shop)
    shop.price(a_change(price_minor=128))
    [put] = send(shop, gateway)
    assert put.encoding == ZLIB
    with shop.database.read() as tx:
        assert load_pixels(tx, Digest(first.digest.hex()), PANELS) is None


def test_frames_that_end_in_themselves_are_no_endless_loop(
    shop: Controller, gateway: FakeGateway
) -> None:
    [first] = show(shop, gateway, Glass())
    shop.price(a_change(price_minor=128))
    [second] = send(shop, gateway)
    with shop.database.writing.begin() as tx:
        tx.execute(
            update(frames)
            .where(frames.c.digest == first.digest.hex())
            .values(encoding=XOR_ZLIB, base=second.digest.hex())
        )
    with shop.database.read() as tx:
        assert load_pixels(tx, Digest(second.digest.hex()), PANELS) is None


def test_a_frame_kept_deep_gives_way_to_a_shallower_one_only(shop: Controller) -> None:
    digest = Digest("d" * 64)
    plans = [
        deliveries.StoredFrame(panel_id=PANEL, data=b"2", encoding=XOR_ZLIB, base=digest, depth=2),
        deliveries.StoredFrame(panel_id=PANEL, data=b"3", encoding=XOR_ZLIB, base=digest, depth=3),
        deliveries.StoredFrame(panel_id=PANEL, data=b"0"),
        deliveries.StoredFrame(panel_id=PANEL, data=b"1", encoding=XOR_ZLIB, base=digest, depth=1),
    ]
    seen = []
    for plan in plans:
        with shop.database.writing.begin() as tx:
            deliveries.record(tx, deliveries.Plan(pictures={digest: plan}), {}, shop.time.now())
            seen.append(deliveries.base_frames(tx, [digest])[digest].data)
    assert seen == [b"2", b"2", b"0", b"0"]


def test_labels_that_come_to_one_frame_are_each_told_by_what_it_shows(
    open_shop: OpenShop, gateway: FakeGateway
) -> None:
    shop = open_shop(labels_count=2, renderer=Renderer())
    shop.hear(gateway.hello(level="full"))
    glass = Glass()
    first = {put.label: put.digest for put in show(shop, gateway, glass)}
    assert len(set(first.values())) == 2
    pair = Pairing(label_id=label_id(1), sku=Sku("sku-0"))
    now = shop.time.now()
    shop.writer.write(lambda tx: pairing.pair_labels(tx, STORE, [pair], now, single=False))
    shop.price(a_change("sku-0", 128))
    second = show(shop, gateway, glass)
    assert len({put.digest for put in second}) == 1
    assert {put.label: put.base for put in second} == first


# ── Prices painted over what hangs ─────────────────────────────────────────────────────────


class CountingRenderer(Renderer):
    """Counts what is drawn from the beginning, and what over another picture."""

    def __init__(self) -> None:
        super().__init__()
        self.drawn = 0
        self.repainted = 0
        self.lies = False

    def render(
        self, face: Face, panel: Panel, template: Template, *, marked: bool = False
    ) -> Frame:
        self.drawn += 1
        return super().render(face, panel, template, marked=marked)

    def repaint(
        self, base: bytes, mark: bytes, face: Face, panel: Panel, template: Template
    ) -> Frame | None:
        frame = super().repaint(base, mark, face, panel, template)
        if frame is not None:
            self.repainted += 1
            if self.lies:
                return Frame.of(panel.panel_id, bytes(panel.frame_bytes), (), mark)
        return frame


def settled_shop(open_shop: OpenShop, gateway: FakeGateway, *, decoded: float) -> Controller:
    """A shop whose label hangs rightly, after a restart with all caches cold."""
    shop = open_shop(renderer=Renderer())
    with shop.database.writing.begin() as tx:
        tx.execute(update(store_table).values(read_back_percent=decoded))
    shop.hear(gateway.hello(level="full"))
    shop.settle(gateway)
    shop.renderer = CountingRenderer()
    shop.painter = Painter(renderer=shop.renderer, panels=PANELS, gallery=the_gallery())
    restart(shop)
    return shop


def test_after_a_restart_a_price_is_painted_over_the_kept_picture(
    open_shop: OpenShop, gateway: FakeGateway
) -> None:
    shop = settled_shop(open_shop, gateway, decoded=0)
    shop.price(a_change(price_minor=128))
    [put] = send(shop, gateway)
    assert isinstance(shop.renderer, CountingRenderer)
    assert (shop.renderer.repainted, shop.renderer.drawn) == (1, 0)
    with shop.database.read() as tx:
        [due] = deliveries.load(tx, [label_id(0)])
    assert shop.painter.paint(due).digest == put.digest.hex(), "as if drawn from the beginning"
    shop.hear(gateway.paint(put))
    shop.price(a_change(price_minor=127))
    send(shop, gateway)
    assert shop.renderer.repainted == 2, "what was painted over can be painted over again"


def test_a_picture_that_is_to_be_decoded_is_drawn_from_the_beginning(
    open_shop: OpenShop, gateway: FakeGateway
) -> None:
    shop = settled_shop(open_shop, gateway, decoded=100)
    assert isinstance(shop.renderer, CountingRenderer)
    shop.renderer.lies = True
    shop.price(a_change(price_minor=128))
    [put] = send(shop, gateway)
    assert (shop.renderer.repainted, shop.renderer.drawn) == (1, 1)
    assert put.digest.hex() == shop.wanted_digest(), "and that is what is sent"


def test_another_name_is_not_painted_over(open_shop: OpenShop, gateway: FakeGateway) -> None:
    shop = settled_shop(open_shop, gateway, decoded=0)
    renamed = ProductPut(product=a_product("sku-0", name="Kefir"), price=None)
    now = shop.time.now()
    shop.writer.write(lambda tx: catalogue.put_products(tx, STORE, [renamed], now, actor="tests"))
    [put] = send(shop, gateway)
    assert isinstance(shop.renderer, CountingRenderer)
    assert (shop.renderer.repainted, shop.renderer.drawn) == (0, 1)
    assert put.digest.hex() == shop.wanted_digest()


# ── The memory ─────────────────────────────────────────────────────────────────────────────


def a_base(size: int = 100) -> Base:
    return Base(PANEL, bytes(size), 0)


def test_the_memory_is_bounded_in_bytes() -> None:
    bases = Bases(most_bytes=1000)
    for n in range(50):
        bases.put(Digest(str(n)), a_base())
    assert (len(bases), bases.used_bytes) == (10, 1000)
    assert bases.get(Digest("3")) is not None


def test_a_shop_that_does_not_fit_keeps_finding_what_is_in_memory() -> None:
    bases = Bases(most_bytes=1000)
    found = 0
    for sweep in range(6):
        for n in range(15):
            found += bases.get(Digest(f"{n}-{sweep}")) is not None
            bases.put(Digest(f"{n}-{sweep + 1}"), a_base(), instead_of=Digest(f"{n}-{sweep}"))
    assert found >= 5 * 10
    assert bases.used_bytes <= 1000


def test_what_nobody_asks_for_any_more_makes_room() -> None:
    bases = Bases(most_bytes=1000)
    for n in range(10):
        bases.put(Digest(f"old-{n}"), a_base())
    for n in range(100):
        bases.put(Digest(f"new-{n}"), a_base())
    assert any(bases.get(Digest(f"new-{n}")) for n in range(100))


def test_the_same_frame_again_takes_no_second_room() -> None:
    bases = Bases(most_bytes=1000)
    for _ in range(3):
        bases.put(Digest("one"), a_base(), instead_of=Digest("one"))
    assert (len(bases), bases.used_bytes) == (1, 100)
