import itertools
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from esl.domain.ids import GatewayId, LabelId
from gateway.roster import REPORTS_AT_ONCE, SILENT_AFTER_S, Roster, RosterEntry, Standing
from gateway.sessions import REPORTS_APART_S
from gateway.wire.messages import Accepted, AnyEvent, GatewayState, Heartbeat, Hello
from tests.builders import GATEWAY, STORE, label_id

OTHER = GatewayId("gw-2")
NOW_MS = 1_767_268_800_000


@pytest.fixture
def roster() -> Roster:
    made = Roster(window=256)
    made.add([(GATEWAY, STORE)])
    return made


def event(session: str, seq: int) -> AnyEvent:
    return Accepted(session=session, seq=seq, id=1)


def hello(session: str = "a", seq: int = 1, **changes: Any) -> AnyEvent:
    fields: dict[str, Any] = {
        "session": session,
        "seq": seq,
        "protocol": 1,
        "level": "basic",
        "firmware": "1",
        "capacity": 50,
        "clock": NOW_MS,
    }
    return Hello(**(fields | changes))


def heartbeat(session: str, seq: int, **changes: Any) -> AnyEvent:
    fields: dict[str, Any] = {
        "session": session,
        "seq": seq,
        "protocol": 1,
        "level": "basic",
        "firmware": "1",
        "capacity": 50,
        "clock": NOW_MS,
        "queued": 0,
    }
    return Heartbeat(**(fields | changes))


def hear(
    roster: Roster, said: AnyEvent, now_s: float = 0, gateway_id: GatewayId = GATEWAY
) -> tuple[Standing, bool]:
    return roster.hear_event(gateway_id, said, now_s=now_s, now_ms=NOW_MS)


def state(roster: Roster, session: str, now_s: float = 0, *, online: bool) -> Standing:
    return roster.hear_state(
        GATEWAY, GatewayState(online=online, session=session, since=NOW_MS), now_s=now_s
    )


# ── Sessions ────────────────────────────────────────────────────────────────────────────────


def test_a_hello_begins_a_session(roster: Roster) -> None:
    assert roster.online() == frozenset()
    assert hear(roster, hello("a")) == (Standing.NEW, False)
    assert hear(roster, event("a", 2)) == (Standing.CURRENT, False)
    assert roster.online() == {GATEWAY}
    assert roster.session_of(GATEWAY)[0] == "a"


def test_a_hello_that_was_lost_is_mended_by_the_first_heartbeat(roster: Roster) -> None:
    assert hear(roster, heartbeat("a", 4, capacity=7, clock=NOW_MS + 5000)) == (Standing.NEW, False)
    assert roster.session_of(GATEWAY) == ("a", 5000)
    assert roster.room(0)[GATEWAY] == 7


def test_the_offline_of_an_earlier_session_is_an_echo(roster: Roster) -> None:
    hear(roster, hello("a"))
    hear(roster, hello("b"))
    assert state(roster, "a", online=False) is Standing.ECHO
    assert roster.online() == {GATEWAY}
    assert state(roster, "b", online=False) is Standing.CURRENT
    assert roster.online() == frozenset()


def test_the_will_of_a_session_never_heard_of_says_nothing(roster: Roster) -> None:
    hear(roster, hello("b"))
    assert state(roster, "a", online=False) is Standing.ECHO
    assert roster.online() == {GATEWAY}


def test_a_retained_online_begins_a_session_and_repeating_it_does_not(roster: Roster) -> None:
    assert state(roster, "a", online=True) is Standing.NEW
    assert state(roster, "a", online=True) is Standing.CURRENT
    assert hear(roster, hello("a")) == (Standing.CURRENT, False)


def test_the_retained_online_of_a_replaced_session_is_an_echo(roster: Roster) -> None:
    hear(roster, hello("a"))
    hear(roster, hello("b"))
    assert state(roster, "a", online=True) is Standing.ECHO
    assert roster.session_of(GATEWAY)[0] == "b"


def test_an_event_of_an_earlier_session_is_an_echo_unless_it_is_newer_than_all_of_it(
    roster: Roster,
) -> None:
    hear(roster, hello("a"))
    hear(roster, event("a", 5))
    hear(roster, hello("b"))
    assert hear(roster, event("a", 5))[0] is Standing.ECHO
    assert hear(roster, event("a", 3))[0] is Standing.ECHO
    assert roster.session_of(GATEWAY)[0] == "b"
    assert hear(roster, event("a", 6))[0] is Standing.NEW, "somebody still speaks in it"
    assert roster.session_of(GATEWAY)[0] == "a"


def test_a_heartbeat_mends_a_session_that_a_late_message_brought_back(roster: Roster) -> None:
    hear(roster, hello("a"))
    hear(roster, hello("b"))
    hear(roster, event("a", 2))  # was under way when "b" began
    assert hear(roster, heartbeat("b", 2))[0] is Standing.NEW
    assert roster.session_of(GATEWAY)[0] == "b"


def test_a_gateway_that_went_off_the_line_comes_back_in_its_session(roster: Roster) -> None:
    hear(roster, hello("a"))
    state(roster, "a", online=False)
    assert hear(roster, event("a", 2)) == (Standing.NEW, False)
    assert roster.online() == {GATEWAY}
    state(roster, "a", online=False)
    assert state(roster, "a", online=True) is Standing.NEW


# ── Gaps, clocks, silence ───────────────────────────────────────────────────────────────────


def test_a_gap_in_the_numbers_is_seen_once(roster: Roster) -> None:
    hear(roster, hello("a"))
    assert hear(roster, event("a", 2)) == (Standing.CURRENT, False)
    assert hear(roster, event("a", 4)) == (Standing.CURRENT, True)
    assert hear(roster, event("a", 5)) == (Standing.CURRENT, False)
    assert hear(roster, event("a", 3)) == (Standing.CURRENT, False), "late, and no gap"
    assert hear(roster, event("a", 5)) == (Standing.CURRENT, False), "a duplicate"
    assert hear(roster, event("a", 6)) == (Standing.CURRENT, False)


def test_a_hello_lost_after_the_state_is_a_gap(roster: Roster) -> None:
    state(roster, "a", online=True)
    assert hear(roster, event("a", 2)) == (Standing.CURRENT, True)


def test_a_gateways_clock_is_known_from_each_heartbeat(roster: Roster) -> None:
    hear(roster, hello("a", clock=NOW_MS - 86_400_000))
    assert roster.session_of(GATEWAY)[1] == -86_400_000
    hear(roster, heartbeat("a", 2, clock=NOW_MS + 20))
    assert roster.session_of(GATEWAY)[1] == 20


def test_three_heartbeats_missed_are_silence(roster: Roster) -> None:
    hear(roster, hello("a"), now_s=100)
    assert roster.note_silence(100 + SILENT_AFTER_S) == []
    assert roster.note_silence(100 + SILENT_AFTER_S + 0.1) == [GATEWAY]
    assert roster.note_silence(1e9) == [], "said once"
    assert roster.online() == frozenset()
    assert hear(roster, heartbeat("a", 2), now_s=1e9)[0] is Standing.NEW
    assert roster.note_silence(1e9) == []


def test_any_event_and_an_online_break_the_silence(roster: Roster) -> None:
    hear(roster, hello("a"), now_s=0)
    hear(roster, event("a", 2), now_s=60)
    assert roster.note_silence(120) == []
    state(roster, "a", online=True, now_s=130)
    assert roster.note_silence(200) == []


def test_sessions_are_remembered_up_to_a_limit(roster: Roster) -> None:
    for n in range(200):
        hear(roster, hello(f"s-{n}"))
    assert len(roster._known[GATEWAY].line.last_seq) == 16
    assert hear(roster, hello("s-199"))[0] is Standing.CURRENT


def test_only_gateways_that_were_added_are_known(roster: Roster) -> None:
    assert roster.store_of(GATEWAY) == STORE
    assert roster.store_of(OTHER) is None
    hear(roster, hello("a"))
    roster.add([(GATEWAY, STORE), (OTHER, STORE)])
    assert roster.online() == {GATEWAY}, "what was known stays"
    assert roster.store_of(OTHER) == STORE


# ── Room ────────────────────────────────────────────────────────────────────────────────────


def ids(*numbers: int) -> list[LabelId]:
    return [label_id(n) for n in numbers]


@pytest.mark.parametrize(
    ("window", "capacity", "room"),
    [(256, 50, 50), (20, 50, 20), (256, 0, 1), (256, 2**53 - 1, 256)],
)
def test_room_is_the_smaller_of_window_and_capacity(window: int, capacity: int, room: int) -> None:
    roster = Roster(window=window)
    roster.add([(GATEWAY, STORE)])
    assert roster.room(0) == {}, "nobody is on the line"
    hear(roster, hello("a", capacity=capacity))
    assert roster.room(0) == {GATEWAY: room}


def test_before_a_gateway_told_its_capacity_it_gets_little() -> None:
    roster = Roster(window=256)
    roster.add([(GATEWAY, STORE)])
    state(roster, "a", online=True)
    assert roster.room(0) == {GATEWAY: 32}


def test_labels_under_way_take_room_until_they_answer_or_their_time_is_up(roster: Roster) -> None:
    hear(roster, hello("a", capacity=3))
    roster.note_sent(GATEWAY, ids(0, 1), until_s=60)
    roster.note_sent(GATEWAY, ids(2), until_s=90)
    assert roster.room(0) == {}
    roster.note_answered([(GATEWAY, label_id(1)), (OTHER, label_id(0)), (GATEWAY, label_id(9))])
    assert roster.room(0) == {GATEWAY: 1}
    assert roster.room(59.9) == {GATEWAY: 1}
    assert roster.room(60) == {GATEWAY: 2}
    assert roster.room(90) == {GATEWAY: 3}


def test_a_label_sent_again_takes_no_more_room(roster: Roster) -> None:
    hear(roster, hello("a", capacity=3))
    roster.note_sent(GATEWAY, ids(0), until_s=60)
    roster.note_sent(GATEWAY, ids(0), until_s=120)
    assert roster.room(60) == {GATEWAY: 2}


def test_a_new_session_has_all_its_room(roster: Roster) -> None:
    hear(roster, hello("a", capacity=1))
    roster.note_sent(GATEWAY, ids(0), until_s=60)
    hear(roster, hello("b", capacity=1))
    assert roster.room(0) == {GATEWAY: 1}


def test_every_gateway_comes_first_in_its_turn() -> None:
    roster = Roster(window=256)
    gateways = [GatewayId(f"gw-{n}") for n in range(3)]
    roster.add((g, STORE) for g in gateways)
    for gateway_id in gateways:
        hear(roster, hello("a"), gateway_id=gateway_id)
    assert {next(iter(roster.room(0))) for _ in range(3)} == set(gateways)


# ── Whatever arrives, in whatever order ─────────────────────────────────────────────────────

sayings = st.lists(
    st.tuples(
        st.sampled_from(["hello", "event", "heartbeat", "online", "offline", "silence"]),
        st.sampled_from(["a", "b", "c"]),
        st.integers(1, 9),
    ),
    max_size=40,
)


@given(sayings)
def test_a_heartbeat_mends_every_mistake(history: list[tuple[str, str, int]]) -> None:
    roster = Roster(window=8)
    roster.add([(GATEWAY, STORE)])
    highest = 0
    for n, (kind, session, seq) in enumerate(history):
        if session == "c":
            highest = max(highest, seq)
        match kind:
            case "hello":
                hear(roster, hello(session, seq), now_s=n)
            case "event":
                hear(roster, event(session, seq), now_s=n)
            case "heartbeat":
                hear(roster, heartbeat(session, seq), now_s=n)
            case "silence":
                roster.note_silence(n + 1000)
            case _:
                state(roster, session, online=kind == "online", now_s=n)
        assert all(0 < room <= 8 for room in roster.room(n).values())
    standing, _ = hear(roster, heartbeat("c", highest + 1), now_s=1e6)
    assert standing is not Standing.ECHO
    assert roster.session_of(GATEWAY)[0] == "c"
    assert roster.online() == {GATEWAY}


# ── All labels' word ────────────────────────────────────────────────────────────────────────


def test_a_gateway_is_asked_once_in_fifteen_seconds_and_what_was_wished_meanwhile_is_kept(
    roster: Roster,
) -> None:
    hear(roster, hello("a"))
    roster.want_report([GATEWAY, OTHER])
    assert roster.take_reports(0) == (GATEWAY,)
    assert roster.take_reports(100) == (), "the wish was fulfilled"
    roster.want_report([GATEWAY])
    assert roster.take_reports(100) == (GATEWAY,)
    asked_at: list[float] = []
    for tenth in range(1001, 2001):  # a gap in every event for 100 s
        roster.want_report([GATEWAY])
        if roster.take_reports(tenth / 10):
            asked_at.append(tenth / 10)
    pauses = [b - a for a, b in itertools.pairwise([100.0, *asked_at])]
    assert len(pauses) >= 4
    assert all(REPORTS_APART_S <= pause <= 1.5 * REPORTS_APART_S + 0.1 for pause in pauses)
    assert len(set(pauses)) > 1, "not all gateways in step"


def test_a_gateway_that_is_away_is_asked_when_it_is_back(roster: Roster) -> None:
    roster.want_report([GATEWAY])
    assert roster.take_reports(0) == ()
    hear(roster, hello("a"))
    assert roster.take_reports(0) == (GATEWAY,)


def test_when_the_power_comes_back_gateways_are_asked_a_few_at_a_time() -> None:
    roster = Roster(window=256)
    gateways = [GatewayId(f"gw-{n:02}") for n in range(20)]
    roster.add((g, STORE) for g in gateways)
    for gateway_id in gateways:
        hear(roster, hello("a"), gateway_id=gateway_id)
    roster.want_report(gateways)
    asked = [roster.take_reports(0) for _ in range(4)]
    assert [len(some) for some in asked] == [REPORTS_AT_ONCE, REPORTS_AT_ONCE, 4, 0]
    assert sorted(g for some in asked for g in some) == gateways


# ── Whether it is reached ───────────────────────────────────────────────────────────────────


def test_payloads_that_were_not_published_leave_their_room_and_open_the_circuit(
    roster: Roster,
) -> None:
    hear(roster, hello("a", capacity=50))
    for n in range(3):
        roster.note_sent(GATEWAY, ids(n), until_s=60)
        roster.note_unsent(GATEWAY, ids(n), now_s=1)
    entry = roster.entry(GATEWAY)
    assert entry == RosterEntry(online=True, window=50, under_way=0, circuit_open=True)
    assert roster.room(1) == {GATEWAY: 1}
    roster.note_sent(GATEWAY, ids(9), until_s=60)
    assert roster.room(1) == {}, "one probe at a time"


def test_a_gateway_that_answers_nothing_gets_single_labels_and_all_its_room_when_it_answers(
    roster: Roster,
) -> None:
    hear(roster, hello("a", capacity=50))
    for n in range(3):
        roster.room(0)
        roster.note_sent(GATEWAY, ids(2 * n, 2 * n + 1), until_s=60)
    hear(roster, heartbeat("a", 2), now_s=59)
    assert roster.room(60) == {GATEWAY: 1}, "a beating heart is no answer"
    hear(roster, Accepted(session="a", seq=3, id=5), now_s=61)
    assert roster.room(61) == {GATEWAY: 50}


def test_one_dead_gateway_takes_no_room_from_another(roster: Roster) -> None:
    roster.add([(OTHER, STORE)])
    hear(roster, hello("a"))
    hear(roster, hello("b"), gateway_id=OTHER)
    for n in range(3):
        roster.note_sent(GATEWAY, ids(n), until_s=60)
    assert roster.room(60)[OTHER] == 50
    assert roster.room(60)[GATEWAY] == 1


def test_a_refusal_for_want_of_room_narrows_the_window(roster: Roster) -> None:
    hear(roster, hello("a", capacity=50))
    roster.note_sent(GATEWAY, ids(*range(10)), until_s=60)
    roster.note_queue_full(GATEWAY, label_id(0))
    assert roster.room(0) == {GATEWAY: 25 - 9}


def test_commands_are_known_by_id_until_the_next_session(roster: Roster) -> None:
    hear(roster, hello("a"))
    roster.note_sent(GATEWAY, ids(1), until_s=60, commands={7: [(label_id(1), 5)]})
    assert list(roster.told_by(GATEWAY, 7)) == [(label_id(1), 5)]
    hear(roster, hello("b"))
    assert list(roster.told_by(GATEWAY, 7)) == []


def test_sessions_that_follow_like_blows_are_said_to_flap(roster: Roster) -> None:
    flapped = []
    for n in range(4):
        hear(roster, hello(f"s-{n}"), now_s=5.0 * n)
        flapped.append(roster.flaps(GATEWAY))
    assert flapped == [False, False, True, True]
    hear(roster, hello("s-9"), now_s=500)
    assert not roster.flaps(GATEWAY)


def test_a_gateway_is_new_here_until_its_session_was_acted_on(roster: Roster) -> None:
    hear(roster, hello("a"))
    assert roster.is_new_here(GATEWAY)
    roster.note_acted_on([GATEWAY, OTHER])
    hear(roster, hello("b"))
    assert not roster.is_new_here(GATEWAY)


def test_a_gateway_that_another_process_took_over_is_not_spoken_with(roster: Roster) -> None:
    hear(roster, hello("a"))
    roster.remove([GATEWAY, OTHER])
    assert roster.online() == frozenset()
    assert roster.store_of(GATEWAY) is None
    assert roster.entry(GATEWAY) is None
    roster.note_sent(GATEWAY, ids(1), until_s=60)
    roster.note_unsent(GATEWAY, ids(1), now_s=0)
    roster.note_answered([(GATEWAY, label_id(1))])
    roster.note_queue_full(GATEWAY, None)
    assert hear(roster, hello("b")) == (Standing.ECHO, False)
    assert state(roster, "b", online=True) is Standing.ECHO
    assert roster.session_of(GATEWAY) == ("", 0)
    assert not roster.flaps(GATEWAY)
    assert not roster.is_new_here(GATEWAY)
    assert list(roster.told_by(GATEWAY, 1)) == []
    assert roster.room(0) == {}


@given(st.lists(st.tuples(st.sampled_from(["a", "b"]), st.integers(1, 9)), max_size=20))
def test_events_of_one_payload_are_heard_as_one_by_one(history: list[tuple[str, int]]) -> None:
    events = [event(session, seq) for session, seq in history]
    one, many = (Roster(window=8) for _ in range(2))
    for made in (one, many):
        made.add([(GATEWAY, STORE)])
    together = many.hear_events(GATEWAY, events, now_s=1, now_ms=NOW_MS)
    assert together == [hear(one, said, now_s=1) for said in events]
