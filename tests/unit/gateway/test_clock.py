from datetime import timedelta

import pytest
from sqlalchemy import Connection

from esl.domain.clock import EffectiveClock
from esl.domain.errors import Unavailable
from esl.domain.problem import ProblemKind
from esl.services.requests import StoredAnswer, answer_once
from esl.store import places
from esl.store.answers import store_answer, stored_answer
from esl.store.migrate import note_time_acted, time_acted_until
from esl.store.problems import list_problems
from gateway.clock import ANSWERS_KEPT, FORGETS_AFTER_S, HouseClock
from gateway.roster import SILENT_AFTER_S
from gateway.upkeep import Upkeep
from tests.builders import GATEWAY, NOON, STORE, Controller, FakeGateway, SimulatedClock


def online_in_the_database(shop: Controller) -> bool:
    with shop.database.read() as tx:
        return places.gateway_named(tx, GATEWAY).online


def test_a_gateway_that_fell_silent_goes_off_the_line(
    shop: Controller, gateway: FakeGateway, clock: SimulatedClock
) -> None:
    clock.pass_s(SILENT_AFTER_S)
    assert shop.house_clock.step().silent == ()
    clock.pass_s(1)
    assert shop.house_clock.step().silent == (GATEWAY,)
    assert not online_in_the_database(shop)
    assert shop.dispatcher.step().looked_at == 0
    assert shop.house_clock.step().silent == ()
    shop.hear(gateway.heartbeat())
    assert online_in_the_database(shop)
    assert shop.dispatcher.step().looked_at == 1


def test_a_wall_clock_that_jumps_makes_nobody_silent(
    shop: Controller, clock: SimulatedClock
) -> None:
    clock.jump_s(7200)
    assert shop.house_clock.step().silent == ()
    clock.jump_s(-14_400)
    assert shop.house_clock.step().silent == ()


def test_a_clock_that_cannot_be_followed_is_a_problem_until_it_is_put_right(
    shop: Controller, clock: SimulatedClock
) -> None:
    upkeep = Upkeep(
        database=shop.database,
        writer=shop.writer,
        clock=shop.time,
        silent_after=timedelta(hours=1),
    )

    def problems() -> list[tuple[str, str]]:
        clock.pass_s(60)
        shop.house_clock.step()
        upkeep.step()
        with shop.database.read() as tx:
            return [
                (p.kind, p.subject)
                for p in list_problems(tx, STORE)
                if p.kind == ProblemKind.CONTROLLER_CLOCK
            ]

    assert problems() == []
    clock.jump_s(90_000)
    assert problems() == [("controller_clock", f"controller/{STORE}")]
    clock.jump_s(-90_000)
    assert problems() == []


def test_a_clock_confirmed_in_one_process_is_followed_by_the_others(
    shop: Controller, clock: SimulatedClock
) -> None:
    other = EffectiveClock(clock)
    clock.jump_s(90_000)
    clock.pass_s(1)
    shop.house_clock.step()
    shop.time.now()
    assert shop.time.held
    other.now()
    other.confirm()
    shop.writer.write(lambda tx: note_time_acted(tx, other.now()))
    shop.house_clock.step()
    assert shop.time.now() == clock.wall()
    assert not shop.time.held


def test_silence_is_noted_later_if_the_database_did_not_answer(
    shop: Controller, clock: SimulatedClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> None:
        raise Unavailable("the disk is full")

    clock.pass_s(SILENT_AFTER_S + 1)
    with monkeypatch.context() as patch:
        patch.setattr("esl.store.migrate.note_time_acted", full)
        with pytest.raises(Unavailable):
            shop.house_clock.step()
    assert online_in_the_database(shop)
    assert shop.house_clock.step().silent == (GATEWAY,)
    assert not online_in_the_database(shop)


def test_a_gateway_that_came_back_meanwhile_is_not_taken_off_the_line(
    shop: Controller, gateway: FakeGateway, clock: SimulatedClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> None:
        raise Unavailable("the disk is full")

    clock.pass_s(SILENT_AFTER_S + 1)
    with monkeypatch.context() as patch:
        patch.setattr("esl.store.migrate.note_time_acted", full)
        with pytest.raises(Unavailable):
            shop.house_clock.step()
    shop.hear(gateway.heartbeat())
    assert shop.house_clock.step().silent == ()
    assert online_in_the_database(shop)


def test_a_restart_never_acts_earlier_than_the_run_before(
    shop: Controller, clock: SimulatedClock
) -> None:
    clock.jump_s(7200)
    clock.pass_s(60)
    shop.house_clock.step()
    clock.jump_s(-7200)  # the wrong clock is put right, and the controller started again
    clock.pass_s(1)
    with shop.database.read() as tx:
        until = time_acted_until(tx)
    assert until == NOON + timedelta(seconds=60 * 1.05 + 2)
    assert until > clock.wall()
    assert EffectiveClock(clock, not_before=until).now() == until


def test_answers_are_forgotten_when_no_sender_repeats_any_more(
    shop: Controller, clock: SimulatedClock
) -> None:
    def answer(tx: Connection) -> StoredAnswer:
        return answer_once(
            tx,
            lambda _: StoredAnswer(request_sha256="a", status=200, answer="{}"),
            principal="token:1",
            key="key",
            request_sha256="a",
            now=clock.wall(),
        )

    def kept(tx: Connection) -> bool:
        return stored_answer(tx, "token:1", "key") is not None

    shop.writer.write(answer)
    clock.pass_s(ANSWERS_KEPT.total_seconds())
    shop.house_clock.step()
    assert shop.writer.write(kept)
    clock.pass_s(1)
    shop.house_clock.step()
    assert not shop.writer.write(kept)


def test_a_clock_that_leapt_before_a_start_forgets_no_answer_someone_waits_for(
    shop: Controller, clock: SimulatedClock
) -> None:
    answered = StoredAnswer(request_sha256="a", status=200, answer="{}")
    shop.writer.write(lambda tx: store_answer(tx, "token:1", "key", answered, clock.wall()))
    clock.jump_s(2 * ANSWERS_KEPT.total_seconds())
    restarted = HouseClock(writer=shop.writer, roster=shop.roster, clock=EffectiveClock(clock))
    restarted.step()
    clock.pass_s(FORGETS_AFTER_S - 1)
    restarted.step()
    assert shop.writer.write(lambda tx: stored_answer(tx, "token:1", "key")) == answered
    clock.pass_s(1)
    restarted.step()
    assert shop.writer.write(lambda tx: stored_answer(tx, "token:1", "key")) is None
