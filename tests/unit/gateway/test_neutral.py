"""A label that may not show its price ends neutral on the glass, or as a task for a person."""

from collections.abc import Callable
from datetime import timedelta

import pytest

from esl.domain.errors import NameDoesNotFit, PriceDoesNotFit
from esl.domain.face import Face
from esl.domain.label import Phase
from esl.domain.neutral import bare_face, neutral_of
from esl.domain.place import Neutral, Pairing, StorePolicy
from esl.domain.problem import ProblemKind
from esl.domain.verdict import Outcome
from esl.services import fleet, pairing, verdicts, withdrawals
from esl.services.problems import find_problems
from esl.store import remove_tasks
from esl.store.remove_tasks import RemoveTask
from esl.store.verdicts import Unfinished
from esl.store.wall_counts import count_phases
from gateway.wire.messages import Accepted, Forget
from renderer.render import Renderer
from renderer.text.fonts import Fonts
from tests.builders import (
    GATEWAY,
    STORE,
    Controller,
    FakeGateway,
    PlainRenderer,
    SimulatedClock,
    a_change,
    label_id,
    the_gallery,
)
from tests.panels import PANELS


@pytest.fixture
def shop(open_shop: Callable[..., Controller], gateway: FakeGateway) -> Controller:
    """One label that shows its first price."""
    controller = open_shop()
    controller.hear(gateway.hello())
    controller.settle(gateway)
    return controller


def unpair(shop: Controller) -> None:
    now = shop.time.now()
    shop.writer.write(lambda tx: pairing.unpair_labels(tx, STORE, [label_id(0)], now))


def withdraw(shop: Controller) -> None:
    now = shop.time.now()
    shop.writer.write(lambda tx: withdrawals.withdraw_prices(tx, STORE, ["sku-0"], now))


def delist(shop: Controller) -> None:
    now = shop.time.now()
    shop.writer.write(lambda tx: withdrawals.delist_products(tx, STORE, ["sku-0"], now))


def refuse(shop: Controller) -> None:
    renderer = shop.renderer
    assert isinstance(renderer, PlainRenderer)
    renderer.broken["Jogurt sku-0"] = PriceDoesNotFit("too wide")
    shop.price(a_change("sku-0", 999_999))


def policy(shop: Controller, neutral: Neutral) -> None:
    new = StorePolicy(neutral=neutral)
    now = shop.time.now()
    shop.writer.write(lambda tx: fleet.put_policy(tx, STORE, new, now))


def tasks(shop: Controller, *, also_done: bool = False) -> list[RemoveTask]:
    with shop.database.read() as tx:
        return remove_tasks.list_tasks(tx, STORE, also_done=also_done)


def templates_sent(shop: Controller) -> list[str]:
    with shop.database.read() as tx:
        return [row[0] for row in tx.exec_driver_sql("SELECT template FROM issued ORDER BY rev")]


def phases(shop: Controller) -> dict[Phase, int]:
    with shop.database.read() as tx:
        return count_phases(tx, STORE, {GATEWAY})


def pictures_refused(shop: Controller) -> list[str]:
    with shop.database.read() as tx:
        found = find_problems(
            tx, STORE, shop.time.now(), online={GATEWAY}, silent_after=timedelta(days=1)
        )
    return [f.reason for f in found if f.kind is ProblemKind.PICTURE_REFUSED]


ENDS = pytest.mark.parametrize("end", [unpair, withdraw, delist, refuse])


@ENDS
def test_a_price_that_holds_no_more_gives_way_to_the_neutral_face(
    shop: Controller, gateway: FakeGateway, end: Callable[[Controller], None]
) -> None:
    _, priced = gateway.showing[label_id(0)]
    end(shop)
    shop.settle(gateway)
    _, digest = gateway.showing[label_id(0)]
    assert digest != priced
    assert templates_sent(shop)[-1] == "neutral"
    label = shop.label()
    assert (label.due_at, label.problem) == (None, None)
    assert label.shown_digest == digest.hex()
    assert tasks(shop) == []


@ENDS
def test_a_store_that_wants_it_so_has_such_labels_taken_off_the_shelf(
    shop: Controller, gateway: FakeGateway, end: Callable[[Controller], None]
) -> None:
    policy(shop, Neutral.TASK)
    before = dict(gateway.showing)
    end(shop)
    shop.settle(gateway)
    assert gateway.showing == before
    [task] = tasks(shop)
    assert task.label_id == label_id(0)
    assert task.done_at is None
    assert shop.label().problem is not None


def end_the_task(shop: Controller) -> None:
    now = shop.time.now()
    [task] = tasks(shop)
    shop.writer.write(lambda tx: remove_tasks.end_task(tx, STORE, task.task_id, now, done_by="ana"))


def test_a_task_that_a_person_has_done_stays_done_when_the_controller_starts_again(
    shop: Controller, gateway: FakeGateway, clock: SimulatedClock
) -> None:
    policy(shop, Neutral.TASK)
    withdraw(shop)
    shop.settle(gateway)
    clock.pass_s(60)
    end_the_task(shop)
    clock.pass_s(60)
    again = Controller(shop.database, clock)
    gateway.begin_session("boot-2")
    again.hear(gateway.hello())
    again.settle(gateway)
    assert (again.label().problem, tasks(again)) == ("no_price", [])
    again.price(a_change("sku-0", 555))
    again.settle(gateway)
    clock.pass_s(60)
    withdraw(again)
    again.settle(gateway)
    assert len(tasks(again)) == 1, "it wants another revision, and shows a price again"
    again.close()


@ENDS
def test_labels_to_be_taken_off_the_shelf_go_neutral_once_the_policy_is_the_face(
    shop: Controller, gateway: FakeGateway, end: Callable[[Controller], None]
) -> None:
    policy(shop, Neutral.TASK)
    before = dict(gateway.showing)
    end(shop)
    shop.settle(gateway)
    policy(shop, Neutral.TASK)
    assert shop.label().problem is not None
    policy(shop, Neutral.FACE)
    shop.settle(gateway)
    assert gateway.showing != before
    assert (shop.label().problem, templates_sent(shop)[-1]) == (None, "neutral")


def test_a_neutral_face_in_place_of_a_refused_picture_counts_as_failed_till_the_data_is_mended(
    shop: Controller, gateway: FakeGateway
) -> None:
    assert phases(shop) == {Phase.SETTLED: 1}
    refuse(shop)
    shop.settle(gateway)
    label = shop.label()
    assert (label.refusal, label.refusal_detail) == (PriceDoesNotFit.code, "too wide")
    assert phases(shop) == {Phase.FAILED: 1}
    assert pictures_refused(shop) == ["It shows no price: too wide"]
    showing = dict(gateway.showing)

    shop.price(a_change("sku-0", 999_998))  # the same neutral face: nothing is sent
    shop.settle(gateway)
    assert gateway.showing == showing
    assert phases(shop) == {Phase.FAILED: 1}

    renderer = shop.renderer
    assert isinstance(renderer, PlainRenderer)
    renderer.broken.clear()
    shop.price(a_change("sku-0", 149))
    shop.settle(gateway)
    assert phases(shop) == {Phase.SETTLED: 1}
    assert pictures_refused(shop) == []


def test_a_refused_picture_is_told_even_where_the_update_had_run_out_of_time(
    shop: Controller, gateway: FakeGateway
) -> None:
    refuse(shop)
    late = [
        Unfinished(
            label_id=label_id(0),
            store_id=STORE,
            wanted_rev=shop.label().wanted_rev,
            wanted_at=None,
            problem=None,
            problem_detail=None,
            has_price=True,
        )
    ]
    shop.writer.write(lambda tx: verdicts.note_overdue(tx, late, shop.time.now()))
    shop.settle(gateway)
    assert phases(shop) == {Phase.FAILED: 1}
    assert pictures_refused(shop) == ["It shows no price: too wide"]


def test_a_label_that_failed_and_then_shows_its_price_is_right_again(
    shop: Controller, gateway: FakeGateway
) -> None:
    shop.price(a_change("sku-0", 150))
    given_up = [
        Unfinished(
            label_id=label_id(0),
            store_id=STORE,
            wanted_rev=shop.label().wanted_rev,
            wanted_at=None,
            problem="refresh_failed",
            problem_detail=None,
            has_price=True,
        )
    ]
    shop.writer.write(lambda tx: verdicts.note_overdue(tx, given_up, shop.time.now()))
    shop.settle(gateway)
    assert phases(shop) == {Phase.SETTLED: 1}
    assert pictures_refused(shop) == []


def test_a_neutral_face_that_cannot_be_drawn_says_less_and_then_becomes_a_task(
    shop: Controller, gateway: FakeGateway
) -> None:
    renderer = shop.renderer
    assert isinstance(renderer, PlainRenderer)
    renderer.broken["Jogurt sku-0"] = NameDoesNotFit("no letter fits")
    _, priced = gateway.showing[label_id(0)]
    shop.price(a_change("sku-0", 155))
    shop.settle(gateway)
    assert gateway.showing[label_id(0)][1] != priced, "the store's name alone was drawn"
    assert tasks(shop) == []
    renderer.broken["Trgovina"] = NameDoesNotFit("nor that")
    renderer.edition += 1
    shop.price(a_change("sku-0", 156))
    shop.settle(gateway)
    [task] = tasks(shop)
    assert "no letter fits" in task.reason


def test_a_label_that_never_showed_anything_needs_no_neutral_face(
    open_shop: Callable[..., Controller], gateway: FakeGateway
) -> None:
    shop = open_shop(price_minor=None)
    shop.hear(gateway.hello())
    shop.settle(gateway)
    assert gateway.showing == {}
    assert shop.label().problem == "no_price"
    assert tasks(shop) == []


def test_a_price_ends_the_task_and_the_neutral_face(shop: Controller, gateway: FakeGateway) -> None:
    policy(shop, Neutral.TASK)
    withdraw(shop)
    shop.settle(gateway)
    assert len(tasks(shop)) == 1
    shop.price(a_change("sku-0", 149))
    shop.settle(gateway)
    shop.clock.pass_s(60)
    shop.upkeep.step()
    assert tasks(shop) == []
    [ended] = tasks(shop, also_done=True)
    assert ended.done_by == "controller"
    assert gateway.showing[label_id(0)][1].hex() == shop.wanted_digest()


def test_a_refused_picture_fails_its_change_though_the_neutral_face_was_shown(
    shop: Controller, gateway: FakeGateway
) -> None:
    renderer = shop.renderer
    assert isinstance(renderer, PlainRenderer)
    renderer.broken["Jogurt sku-0"] = PriceDoesNotFit("too wide")
    [result] = shop.price(a_change("sku-0", 999_999)).results
    assert result.rev is not None
    shop.settle(gateway)
    with shop.database.read() as tx:
        found = verdicts.verdicts_of_change(tx, STORE, result.rev, shop.time.now())
    [verdict] = found.verdicts
    assert (verdict.outcome, verdict.reason) == (Outcome.FAILED, "price_does_not_fit")
    assert verdict.shown_at is None


def test_a_label_without_a_product_that_lost_its_memory_is_shown_neutral_again(
    shop: Controller, gateway: FakeGateway
) -> None:
    unpair(shop)
    shop.settle(gateway)
    neutral = gateway.showing[label_id(0)][1]
    gateway.showing.clear()
    gateway.incarnations[label_id(0)] = 2
    shop.hear(gateway.beacon(label_id(0)))
    shop.settle(gateway)
    assert gateway.showing[label_id(0)][1] == neutral


def test_an_unreachable_label_that_may_show_an_old_price_becomes_a_task_in_time(
    shop: Controller, clock: SimulatedClock
) -> None:
    unpair(shop)
    clock.pass_s(600)
    shop.upkeep.step()
    assert tasks(shop) == []
    clock.pass_s(400)
    shop.upkeep.step()
    assert [task.label_id for task in tasks(shop)] == [label_id(0)]


def test_a_retired_label_goes_neutral_is_forgotten_and_its_epoch_rises(
    shop: Controller, gateway: FakeGateway, clock: SimulatedClock
) -> None:
    before = shop.label()
    now = shop.time.now()
    shop.writer.write(lambda tx: pairing.retire_labels(tx, STORE, [label_id(0)], now))
    shop.upkeep.step()
    assert shop.signals.step() == (), "it shows a price still"
    shop.settle(gateway)
    assert templates_sent(shop)[-1] == "neutral"
    clock.pass_s(10)
    shop.upkeep.step()
    [forget] = gateway.commands(shop.signals.step())
    assert isinstance(forget, Forget)
    assert (forget.label, forget.epoch) == (label_id(0), before.epoch)
    after = shop.label()
    assert (after.epoch, after.gateway_id) == (before.epoch + 1, None)


def test_a_retired_label_that_is_heard_on_is_forgotten_once_an_hour(
    shop: Controller, gateway: FakeGateway, clock: SimulatedClock
) -> None:
    now = shop.time.now()
    shop.writer.write(lambda tx: pairing.retire_labels(tx, STORE, [label_id(0)], now))
    shop.settle(gateway)
    epoch = shop.label().epoch
    told = []
    for _ in range(130):
        clock.pass_s(60)
        shop.hear(gateway.heartbeat(), gateway.beacon(label_id(0)))
        shop.upkeep.step()
        new = gateway.commands([*shop.signals.step(), *shop.dispatcher.step().outgoing])
        said = {"session": gateway.session}
        shop.hear(*(gateway.up(Accepted(seq=gateway.next_seq(), id=c.id, **said)) for c in new))
        told += [c for c in new if isinstance(c, Forget)]
    assert [c.epoch for c in told] == [epoch, epoch + 1, epoch + 2]
    assert shop.label().epoch == epoch + 3


def test_a_label_that_left_deaf_is_made_neutral_when_it_is_heard_again(
    shop: Controller, gateway: FakeGateway, clock: SimulatedClock
) -> None:
    now, price = shop.time.now(), gateway.showing[label_id(0)]
    shop.writer.write(lambda tx: pairing.retire_labels(tx, STORE, [label_id(0)], now))
    for _ in range(20):
        clock.pass_s(60)
        shop.hear(gateway.heartbeat())
        shop.upkeep.step()
        gateway.commands([*shop.signals.step(), *shop.dispatcher.step().outgoing])
    assert (shop.label().gateway_id, len(tasks(shop))) == (None, 1)
    clock.pass_s(60)
    shop.hear(gateway.heartbeat(), gateway.beacon(label_id(0)))
    shop.upkeep.step()
    shop.settle(gateway)
    assert gateway.showing[label_id(0)] != price
    assert templates_sent(shop)[-1] == "neutral"
    clock.pass_s(60)
    shop.upkeep.step()
    assert (shop.label().gateway_id, tasks(shop)) == (GATEWAY, [])
    clock.pass_s(3600)
    shop.hear(gateway.heartbeat())
    shop.upkeep.step()
    assert shop.label().gateway_id is None


def test_a_retired_label_that_is_paired_again_stays(
    shop: Controller, gateway: FakeGateway, clock: SimulatedClock
) -> None:
    now = shop.time.now()
    shop.writer.write(lambda tx: pairing.retire_labels(tx, STORE, [label_id(0)], now))
    shop.settle(gateway)
    pairs = [Pairing(label_id=label_id(0), sku="sku-0")]  # type: ignore[arg-type]
    shop.writer.write(lambda tx: pairing.pair_labels(tx, STORE, pairs, now, single=True))
    shop.settle(gateway)
    clock.pass_s(10)
    shop.upkeep.step()
    assert shop.signals.step() == ()
    assert gateway.showing[label_id(0)][1].hex() == shop.wanted_digest()


def test_every_panel_can_draw_a_neutral_face_of_any_product() -> None:
    renderer, template = Renderer(fonts=Fonts(None)), the_gallery()["neutral"]
    face = neutral_of(
        Face(
            name="Frische fettarme Alpenmilch 1,5 % Fett",
            brand="Berchtesgadener Land",
            price_minor=129,
            was_minor=179,
            currency="EUR",
            locale="de_DE",
            deposit_minor=25,
            net_content="1 l",
            gtin="3850139171587",
        )
    )
    bare = bare_face("Trgovina na uglu", currency="EUR", locale="hr_HR")
    for panel in PANELS.values():
        assert renderer.render(face, panel, template).pixels
        assert renderer.render(bare, panel, template).pixels
