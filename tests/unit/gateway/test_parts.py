"""Pictures too large for one payload travel in parts, each in a payload of its own."""

import hashlib
from collections.abc import Callable, Iterable
from itertools import pairwise
from random import Random

import pytest
from sqlalchemy import select

from esl.domain.face import Face
from esl.domain.ids import GatewayId, PanelId
from esl.domain.panel import Panel
from esl.services.shown import shown_then
from esl.store.tables import published_payloads
from gateway.batch import ENVELOPE_BYTES, PAYLOAD_LEAST_BYTES, PAYLOAD_ROOM_BYTES, room_of
from gateway.ledger import Ledger
from gateway.link import seal_commands
from gateway.pictures import inflate
from gateway.wire.codec import encode_commands
from gateway.wire.messages import MAX_PAYLOAD_BYTES, Put
from renderer.frame import Frame
from renderer.template.template import Template
from tests.builders import (
    KEY,
    NOON,
    PANEL,
    Controller,
    FakeGateway,
    PlainRenderer,
    a_change,
    label_id,
)
from tests.panels import PANELS

OpenShop = Callable[..., Controller]
LARGE = PanelId("bwr-960x768")  # 184,320 bytes


class NoisyRenderer(PlainRenderer):
    """Pictures that no compression makes smaller."""

    def render(self, face: Face, panel: Panel, _template: Template, **_: object) -> Frame:
        seed = f"{face.name} {face.price_minor} {self.edition}"
        return Frame.of(panel.panel_id, Random(seed).randbytes(panel.frame_bytes))


def whole(parts: Iterable[Put], panel: Panel) -> bytes:
    """Put a picture together as a gateway does."""
    parts = list(parts)
    assert len({(p.id, p.label, p.rev, p.digest, p.encoding, p.total, p.size) for p in parts}) == 1
    assert parts[0].offset == 0
    for part, following in pairwise(parts):
        assert part.offset is not None
        assert following.offset == part.offset + len(part.data)
    data = b"".join(part.data for part in parts)
    assert len(data) == parts[0].total
    pixels = inflate(data, panel)
    assert hashlib.sha256(pixels).digest() == parts[0].digest
    return pixels


def test_a_picture_larger_than_a_payload_travels_in_parts_that_count_as_one_label(
    open_shop: OpenShop, gateway: FakeGateway
) -> None:
    shop = open_shop(labels_count=2, panel_id=LARGE, renderer=NoisyRenderer(), window=1)
    shop.hear(gateway.hello())
    step = shop.dispatcher.step()
    assert len(step.outgoing) == 4
    assert all(len(sent.payload) <= MAX_PAYLOAD_BYTES for sent in step.outgoing)
    assert len({sent.label_ids for sent in step.outgoing}) == 1
    parts = [gateway.obey([sent]) for sent in step.outgoing]
    assert [len(puts) for puts in parts] == [1, 1, 1, 1]
    whole([put for [put] in parts], PANELS[LARGE])
    assert shop.dispatcher.step().looked_at == 0, "the window is full"
    shop.hear(gateway.paint(parts[0][0]))
    assert shop.label().due_at is None or shop.label(1).due_at is None
    assert shop.dispatcher.step().looked_at == 1, "and has room again"


def test_each_part_of_a_picture_is_signed_as_telling_its_label_to_show_it(
    open_shop: OpenShop, gateway: FakeGateway
) -> None:
    shop = open_shop(labels_count=1, panel_id=LARGE, renderer=NoisyRenderer(), window=1)
    shop.hear(gateway.hello())
    outgoing = shop.dispatcher.step().outgoing
    ledger = Ledger(writer=shop.writer, clock=shop.time, key=KEY)
    for sent in outgoing:
        ledger.note(sent)
    ledger.write()
    [[put], *_] = [gateway.obey([sent]) for sent in outgoing]
    shop.hear(gateway.paint(put))
    now = shop.time.now()
    with shop.database.read() as tx:
        kept = tx.execute(select(published_payloads)).all()
        found = shown_then(tx, label_id(0), now, now).published
    assert [row.sha256 for row in kept] == [
        hashlib.sha256(one.payload).hexdigest() for one in outgoing
    ]
    assert len({row.leaves for row in kept}) == 1
    assert found is not None
    assert found.payload_id == kept[0].payload_id, "of several the first"


@pytest.mark.parametrize("payload_bytes", [1, 2048, 4096, 10_000, 256 * 1024])
def test_no_payload_is_larger_than_its_gateway_takes(
    open_shop: OpenShop, gateway: FakeGateway, payload_bytes: int
) -> None:
    shop = open_shop(labels_count=3, renderer=NoisyRenderer())
    shop.hear(gateway.hello(features={"payload_bytes": payload_bytes}))
    outgoing = shop.dispatcher.step().outgoing
    assert max(len(sent.payload) for sent in outgoing) <= max(payload_bytes, PAYLOAD_LEAST_BYTES)
    puts = gateway.obey(outgoing)
    for number in range(3):
        mine = [put for put in puts if put.label == label_id(number)]
        if mine[0].total is not None:
            whole(mine, PANELS[PANEL])
            assert len(mine) > 1
        else:
            assert payload_bytes >= 10_000
            assert inflate(mine[0].data, PANELS[PANEL])


def test_small_pictures_still_share_payloads_beside_large_ones(
    open_shop: OpenShop, gateway: FakeGateway
) -> None:
    renderer = PlainRenderer()
    shop = open_shop(labels_count=9, renderer=renderer)
    shop.hear(gateway.hello(features={"payload_bytes": 4096}))
    noisy = NoisyRenderer().render

    def one_is_large(face: Face, panel: Panel, template: Template, **_: object) -> Frame:
        draw = noisy if face.name.endswith("sku-4") else PlainRenderer().render
        return draw(face, panel, template)

    renderer.render = one_is_large  # type: ignore[method-assign]
    puts = [gateway.obey([sent]) for sent in shop.dispatcher.step().outgoing]
    alone = [x for x in puts if x[0].total is not None]
    assert all(len(x) == 1 for x in alone)
    assert len(alone) >= 3
    together = [x for x in puts if x[0].total is None]
    assert sum(len(x) for x in together) == 8
    assert len(together) < 8


def test_a_new_attempt_is_a_new_command_for_all_parts(
    open_shop: OpenShop, gateway: FakeGateway
) -> None:
    shop = open_shop(panel_id=LARGE, renderer=NoisyRenderer())
    shop.hear(gateway.hello())
    first = gateway.obey(shop.dispatcher.step().outgoing)
    shop.price(a_change(price_minor=777))
    second = gateway.obey(shop.dispatcher.step().outgoing)
    assert len(second) == len(first) == 4
    [old], [new] = {p.id for p in first}, {p.id for p in second}
    assert new > old


def test_the_room_left_for_envelopes_holds_the_longest() -> None:
    most = 2**53 - 1
    put = Put(
        id=most,
        label="l" * 64,
        epoch=most,
        slot=255,
        rev=most,
        digest=b"d" * 32,
        size=2**22,
        encoding="e" * 64,
        base=b"b" * 32,
        offset=2**22,
        total=2**23,
        data=bytes(65_536),
        show=True,
        deadline=most,
    )
    body = encode_commands([put])
    assert len(body) - len(put.data) <= ENVELOPE_BYTES
    payload = seal_commands(
        KEY,
        GatewayId("g" * 64),
        [put],
        session="s" * 64,
        clock_ahead_ms=0,
        counter=most,
        now=NOON,
    )
    assert len(payload) - len(body) <= PAYLOAD_LEAST_BYTES - room_of(PAYLOAD_LEAST_BYTES)
    assert room_of(None) == room_of(10**9) == PAYLOAD_ROOM_BYTES
