"""Every judgement of a report: what it is worth, and what it does to the label's row."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from esl.domain.conclusions import quarantined, released
from esl.domain.ids import Digest, GatewayId, LabelId, StoreId
from esl.domain.label import LabelState, Lane
from esl.domain.report import (
    FailureReport,
    Issued,
    OnFailure,
    SeenReport,
    Sender,
    ShownReport,
    Verdict,
    judge_failure,
    judge_seen,
    judge_shown,
)
from tests.builders import GATEWAY, NOON, PANEL, STORE
from tests.unit.esl.domain.label_states import a_label

SENDER = Sender(gateway_id=GATEWAY, session="boot-1", store_id=STORE)
FOREIGN_STORE = replace(SENDER, store_id=StoreId("split-1"))
OTHER_GATEWAY = replace(SENDER, gateway_id=GatewayId("gw-2"))
WAIT = timedelta(seconds=60)
LATER = NOON + timedelta(seconds=30)


def shown(rev: int = 5, digest: str = "five", **changes: Any) -> ShownReport:
    fields: dict[str, Any] = {
        "label_id": LabelId("label-0000"),
        "rev": rev,
        "digest": Digest(digest),
        "incarnation": 1,
        "painted_at": NOON,
    }
    return ShownReport(**(fields | changes))


def seen(rev: int = 4, digest: str = "four", **changes: Any) -> SeenReport:
    fields: dict[str, Any] = {
        "label_id": LabelId("label-0000"),
        "panel_id": PANEL,
        "shown_rev": rev,
        "shown_digest": Digest(digest),
        "incarnation": 1,
    }
    return SeenReport(**(fields | changes))


def failed(rev: int = 5, on_failure: OnFailure = OnFailure.RETRY) -> FailureReport:
    return FailureReport(
        label_id=LabelId("label-0000"),
        rev=rev,
        code="label_timeout",
        detail="asleep",
        on_failure=on_failure,
    )


def issued(digest: str, gateway_id: str = GATEWAY) -> Issued:
    return Issued(digest=Digest(digest), gateway_id=GatewayId(gateway_id))


def waiting(**changes: Any) -> LabelState:
    """A label that was told revision 5 and has not answered."""
    fields: dict[str, Any] = {"wanted_rev": 5, "sent_rev": 5, "attempts": 1, "due_at": LATER}
    return a_label(**(fields | changes))


def settled_row(label: LabelState) -> bool:
    return (
        label.settled_rev == label.wanted_rev
        and label.due_at is None
        and label.attempts == 0
        and label.problem is None
    )


# ── shown ───────────────────────────────────────────────────────────────────────────────────


def test_a_picture_shown_as_issued_settles_the_label() -> None:
    verdict, after = judge_shown(
        waiting(lane=Lane.CORRECTION), shown(), issued("five"), SENDER, NOON
    )
    assert verdict is Verdict.BELIEVED
    assert (after.shown_rev, after.shown_digest, after.settled_rev) == (5, "five", 5)
    assert settled_row(after)
    assert after.lane is Lane.NORMAL
    assert after.seen_at == NOON


@pytest.mark.parametrize(
    ("verdict", "label", "report", "told", "sender"),
    [
        (Verdict.WRONG_STORE, {}, {}, "five", FOREIGN_STORE),
        (Verdict.WRONG_GATEWAY, {}, {}, "five", OTHER_GATEWAY),
        (Verdict.OLD_INCARNATION, {"incarnation": 2}, {}, "five", SENDER),
        (Verdict.NOT_ISSUED, {}, {}, None, SENDER),
        (Verdict.NOT_ISSUED, {}, {"digest": "forged"}, "five", SENDER),
        (Verdict.NOT_ISSUED, {}, {"rev": 999}, None, SENDER),
    ],
)
def test_a_picture_that_cannot_be_true_changes_nothing(
    verdict: Verdict,
    label: dict[str, Any],
    report: dict[str, Any],
    told: str | None,
    sender: Sender,
) -> None:
    before = waiting(**label)
    told_as = issued(told) if told else None
    assert judge_shown(before, shown(**report), told_as, sender, NOON) == (verdict, before)


def test_a_picture_issued_through_another_gateway_is_not_believed_from_a_third() -> None:
    before = waiting(gateway_id=None)
    told = issued("five", "gw-3")
    assert judge_shown(before, shown(), told, SENDER, NOON) == (Verdict.WRONG_GATEWAY, before)


def test_a_label_that_moved_may_answer_through_the_gateway_it_was_told_by() -> None:
    verdict, after = judge_shown(
        waiting(gateway_id=None), shown(), issued("five", GATEWAY), SENDER, NOON
    )
    assert verdict is Verdict.BELIEVED
    assert settled_row(after)


def test_an_earlier_picture_is_noted_and_the_later_one_still_awaited() -> None:
    label = waiting(wanted_rev=6, sent_rev=6)
    verdict, after = judge_shown(label, shown(), issued("five"), SENDER, NOON)
    assert verdict is Verdict.BELIEVED
    assert (after.shown_rev, after.shown_digest) == (5, "five")
    assert after.settled_rev == 4
    assert after.due_at == LATER, "it is under way already and not sent a second time"


def test_an_earlier_picture_does_not_delay_one_that_still_waits_to_be_sent() -> None:
    label = waiting(wanted_rev=6, sent_rev=5, due_at=LATER)
    _, after = judge_shown(label, shown(), issued("five"), SENDER, NOON)
    assert after.due_at == NOON


def test_a_late_report_of_an_earlier_picture_is_stale_but_its_telemetry_counts() -> None:
    label = waiting(shown_rev=5, shown_digest="five", settled_rev=5, due_at=None)
    report = shown(4, "four", battery_mv=2900, temperature_c=7)
    verdict, after = judge_shown(label, report, issued("four"), SENDER, NOON)
    assert verdict is Verdict.STALE
    assert after == replace(label, battery_mv=2900, temperature_c=7, seen_at=NOON)


def test_a_new_incarnation_may_show_a_lower_revision() -> None:
    label = waiting(wanted_rev=9, sent_rev=9, shown_rev=8, shown_digest="eight")
    verdict, after = judge_shown(label, shown(incarnation=2), issued("five"), SENDER, NOON)
    assert verdict is Verdict.BELIEVED
    assert (after.shown_rev, after.incarnation) == (5, 2)
    assert after.due_at == LATER, "what it should show is under way"


def test_what_was_concluded_of_an_old_memory_does_not_hold_for_the_new_one() -> None:
    settled = a_label(wanted_rev=9, sent_rev=9, settled_rev=9, shown_rev=9, shown_digest="nine")
    given_up = replace(settled, settled_rev=4, shown_rev=4, problem="insufficient_battery")
    for label in (settled, given_up):
        _, after = judge_shown(label, shown(incarnation=2), issued("five"), SENDER, NOON)
        assert (after.shown_rev, after.due_at, after.problem) == (5, NOON, None), "due at once"
        assert after.settled_rev <= 5


def test_telemetry_that_was_not_told_stays() -> None:
    label = waiting(battery_mv=3000, temperature_c=5)
    _, after = judge_shown(label, shown(battery_mv=2950), issued("five"), SENDER, NOON)
    assert (after.battery_mv, after.temperature_c) == (2950, 5)


def test_a_picture_shown_in_spite_of_a_problem_does_not_hide_the_problem() -> None:
    label = waiting(wanted_rev=6, sent_rev=5, problem="price_does_not_fit", due_at=None)
    _, after = judge_shown(label, shown(), issued("five"), SENDER, NOON)
    assert (after.shown_rev, after.problem, after.due_at) == (5, "price_does_not_fit", None)


# ── seen ────────────────────────────────────────────────────────────────────────────────────


def test_a_beacon_of_what_we_know_brings_only_telemetry() -> None:
    report = seen(battery_mv=2800, temperature_c=-3, rssi_dbm=-70, firmware="2.1")
    verdict, after = judge_seen(a_label(), report, issued("four"), SENDER, NOON)
    assert verdict is Verdict.KNOWN
    assert after == a_label(
        battery_mv=2800, temperature_c=-3, rssi_dbm=-70, firmware="2.1", seen_at=NOON
    )


def test_a_beacon_settles_a_label_whose_report_was_lost() -> None:
    verdict, after = judge_seen(waiting(), seen(5, "five"), issued("five"), SENDER, NOON)
    assert verdict is Verdict.BELIEVED
    assert (after.shown_rev, after.shown_digest) == (5, "five")
    assert settled_row(after)


@pytest.mark.parametrize(
    ("verdict", "label", "report", "sender"),
    [
        (Verdict.WRONG_STORE, {}, {}, FOREIGN_STORE),
        (Verdict.OLD_INCARNATION, {"incarnation": 2}, {}, SENDER),
    ],
)
def test_a_beacon_that_cannot_be_ours_changes_nothing(
    verdict: Verdict, label: dict[str, Any], report: dict[str, Any], sender: Sender
) -> None:
    before = a_label(**label)
    assert judge_seen(before, seen(**report), issued("four"), sender, NOON) == (verdict, before)


def test_a_beacon_through_another_gateway_is_a_label_that_moved() -> None:
    verdict, _ = judge_seen(a_label(), seen(), issued("four"), OTHER_GATEWAY, NOON)
    assert verdict is Verdict.KNOWN


def _shows_five(**changes: Any) -> LabelState:
    """A label that its gateway reported, as the fifth event of its session, to show 5."""
    fields = {"shown_rev": 5, "shown_digest": "five", "wanted_rev": 5, "settled_rev": 5}
    said = {"sent_rev": 5, "shown_session": SENDER.session, "shown_seq": 5}
    return a_label(**(fields | said | changes))


def test_a_late_beacon_never_lowers_what_is_shown() -> None:
    label = _shows_five()
    verdict, after = judge_seen(label, seen(), issued("four"), replace(SENDER, seq=4), NOON)
    assert verdict is Verdict.STALE
    assert after == replace(label, seen_at=NOON)


@pytest.mark.parametrize("later", [{"seq": 6}, {"session": "boot-2", "seq": 1}])
def test_a_beacon_that_denies_a_report_made_before_it_puts_the_label_right(
    later: dict[str, Any],
) -> None:
    verdict, after = judge_seen(
        _shows_five(), seen(), issued("four"), replace(SENDER, **later), NOON
    )
    assert verdict is Verdict.DENIED
    assert after.shown_rev == 5, "an old report must not come back to life"
    assert after.shown_digest == "", "and the right picture is not spared"
    assert not settled_row(after)
    assert after.due_at == NOON


def test_another_gateways_word_denies_nothing() -> None:
    verdict, _ = judge_seen(_shows_five(), seen(), issued("four"), OTHER_GATEWAY, NOON)
    assert verdict is Verdict.STALE


def test_a_label_with_a_revision_above_ours_is_a_problem_and_not_sent_to_for_ever() -> None:
    verdict, after = judge_seen(a_label(), seen(900, "alien"), None, SENDER, NOON)
    assert verdict is Verdict.NOT_ISSUED
    assert (after.due_at, after.problem) == (None, "foreign_revision")

    _, again = judge_seen(after, seen(), issued("four"), SENDER, NOON)
    assert again.problem is None, "a forged beacon does not last"
    assert settled_row(again)


def test_one_beacon_cannot_outbid_all_honest_ones_to_come() -> None:
    label = a_label(seen_at=NOON)
    verdict, after = judge_seen(label, seen(0, "", incarnation=2**53 - 1), None, SENDER, NOON)
    assert (verdict, after) == (Verdict.IMPLAUSIBLE, label)


@pytest.mark.parametrize(
    ("verdict", "report", "told"),
    [
        (Verdict.NOT_ISSUED, seen(7, "alien"), None),
        (Verdict.CONTRADICTS, seen(4, "other"), issued("four")),
        (Verdict.CONTRADICTS, seen(5, "other"), issued("five")),
    ],
)
def test_a_label_that_shows_what_it_should_not_is_put_right_at_once(
    verdict: Verdict, report: SeenReport, told: Issued | None
) -> None:
    label = a_label(attempts=3, wanted_rev=9, settled_rev=9)
    said, after = judge_seen(label, report, told, SENDER, NOON)
    assert said is verdict
    assert after.shown_rev == 4, "never what was not issued"
    assert after.shown_digest == "", "and the picture that should be there is not spared"
    assert (after.due_at, after.lane, after.attempts) == (NOON, Lane.CORRECTION, 0)


def test_a_label_already_waiting_is_not_made_to_wait_longer() -> None:
    earlier = NOON - timedelta(seconds=5)
    _, after = judge_seen(
        waiting(due_at=earlier, wanted_rev=9), seen(7, "alien"), None, SENDER, NOON
    )
    assert after.due_at == earlier


@pytest.mark.parametrize(
    ("report", "told", "shows"),
    [
        (seen(0, "", incarnation=2), None, (0, "")),  # forgot everything
        (seen(3, "three", incarnation=2), issued("three"), (3, "three")),  # the glass stayed
        (seen(3, "alien", incarnation=2), issued("three"), (0, "")),
        (seen(3, "alien", incarnation=2), None, (0, "")),
    ],
)
def test_a_label_that_lost_its_memory_is_put_right(
    report: SeenReport, told: Issued | None, shows: tuple[int, str]
) -> None:
    verdict, after = judge_seen(a_label(), report, told, SENDER, NOON)
    assert verdict is Verdict.BELIEVED
    assert after.incarnation == 2
    assert (after.shown_rev, after.shown_digest) == shows
    assert after.settled_rev <= after.shown_rev
    assert (after.due_at, after.lane) == (NOON, Lane.CORRECTION)


def test_giving_up_ends_with_a_new_incarnation() -> None:
    # docs/protocol.md: somebody changed the battery that was too weak to paint.
    label = waiting(due_at=None, problem="insufficient_battery", problem_detail="2.1 V")
    _, after = judge_seen(label, seen(0, "", incarnation=2), None, SENDER, NOON)
    assert (after.due_at, after.problem, after.problem_detail) == (NOON, None, None)


def test_a_label_without_a_product_is_put_right_too() -> None:
    # It was told to show the neutral face: an old price must not come back.
    _, after = judge_seen(a_label(paired=False), seen(0, "", incarnation=2), None, SENDER, NOON)
    assert (after.due_at, after.lane) == (NOON, Lane.CORRECTION)


@pytest.mark.parametrize("changes", [{"wanted_rev": 0, "paired": False}, {"wanted_rev": 0}])
def test_a_label_that_should_show_nothing_is_left_alone(changes: dict[str, Any]) -> None:
    label = a_label(**changes)
    _, after = judge_seen(label, seen(7, "alien"), None, SENDER, NOON)
    assert after.due_at is None
    _, after = judge_seen(label, seen(0, "", incarnation=2), None, SENDER, NOON)
    assert after.due_at is None


def test_a_label_given_up_is_not_tried_again_at_every_beacon() -> None:
    label = a_label(problem="price_does_not_fit")
    _, after = judge_seen(label, seen(7, "alien"), None, SENDER, NOON)
    assert (after.due_at, after.problem) == (None, "price_does_not_fit")


# ── failed ──────────────────────────────────────────────────────────────────────────────────


def judge(label: LabelState, report: FailureReport) -> tuple[Verdict, LabelState]:
    return judge_failure(label, report, SENDER, NOON, wait=WAIT)


@pytest.mark.parametrize(
    ("policy", "attempts", "due_at"),
    [
        (OnFailure.RETRY, 1, NOON + WAIT),
        (OnFailure.ASK, 1, NOON + WAIT),
        (OnFailure.RESEND, 1, NOON),
        (OnFailure.RESEND, 2, NOON + WAIT),  # at once only the first time
        (OnFailure.REBASE, 3, NOON),
        (OnFailure.REBASE, 4, NOON + WAIT),  # a liar is not answered for ever
        (OnFailure.REFRESH, 1, NOON + WAIT),
    ],
)
def test_a_failure_is_tried_again(policy: OnFailure, attempts: int, due_at: object) -> None:
    label = waiting(attempts=attempts, refresh_failures=1)
    verdict, after = judge(label, failed(on_failure=policy))
    assert verdict is Verdict.BELIEVED
    assert after == replace(
        label,
        due_at=due_at,
        send_full=policy in (OnFailure.RESEND, OnFailure.REBASE),
        refresh_failures=2 if policy is OnFailure.REFRESH else 1,
    )


def test_a_hopeless_failure_is_left_to_a_person() -> None:
    verdict, after = judge(waiting(), failed(on_failure=OnFailure.GIVE_UP))
    assert verdict is Verdict.BELIEVED
    assert (after.due_at, after.problem, after.problem_detail) == (None, "label_timeout", "asleep")
    assert after.settled_rev == 4


@pytest.mark.parametrize("policy", list(OnFailure))
@pytest.mark.parametrize(
    "label",
    [
        waiting(sent_rev=6, wanted_rev=6),  # a later picture is under way
        waiting(settled_rev=5, due_at=None),
        waiting(due_at=None),
        # Something newer is wanted and waits to be sent: the old picture's end is no news.
        waiting(wanted_rev=6, due_at=NOON, attempts=0),
    ],
)
def test_a_failure_of_what_is_no_longer_wanted_changes_nothing(
    label: LabelState, policy: OnFailure
) -> None:
    assert judge(label, failed(on_failure=policy)) == (Verdict.STALE, label)


@pytest.mark.parametrize(
    ("sender", "verdict"),
    [(FOREIGN_STORE, Verdict.WRONG_STORE), (OTHER_GATEWAY, Verdict.WRONG_GATEWAY)],
)
def test_a_failure_told_by_a_stranger_changes_nothing(sender: Sender, verdict: Verdict) -> None:
    label = waiting()
    report = failed(on_failure=OnFailure.GIVE_UP)
    assert judge_failure(label, report, sender, NOON, wait=WAIT) == (verdict, label)


# ── In doubt ────────────────────────────────────────────────────────────────────────────────


def test_nothing_is_believed_of_an_id_that_two_labels_use() -> None:
    label = quarantined(waiting(), "incarnations 1 and 7 alternate")
    assert (label.due_at, label.problem, label.quarantine) == (None, "duplicate_id", 1)
    assert judge_shown(label, shown(), issued("five"), SENDER, NOON) == (
        Verdict.QUARANTINED,
        label,
    )
    assert judge_seen(label, seen(), issued("four"), SENDER, NOON)[0] is Verdict.QUARANTINED
    assert judge(label, failed()) == (Verdict.QUARANTINED, label)


def test_a_label_out_of_quarantine_is_sent_its_picture_whatever_it_shows() -> None:
    free = released(quarantined(_shows_five(), "two"), NOON)
    assert (free.quarantine, free.problem, free.due_at) == (0, None, NOON)
    assert (free.shown_digest, free.settled_rev) == ("", 4)
    assert released(a_label(wanted_rev=0, settled_rev=0), NOON).due_at is None


def test_refreshes_that_fail_after_all_are_counted_once_each() -> None:
    later = replace(SENDER, seq=6)
    _, denied = judge_seen(_shows_five(), seen(), issued("four"), later, NOON)
    assert denied.refresh_failures == 1
    _, again = judge_seen(denied, seen(), issued("four"), replace(SENDER, seq=7), NOON)
    assert again.refresh_failures == 1, "the same failure, told again"


def test_failed_refreshes_are_counted_no_further_than_anybody_needs() -> None:
    broken = waiting(refresh_failures=100)
    verdict, after = judge(broken, failed(on_failure=OnFailure.REFRESH))
    assert (verdict, after.refresh_failures) == (Verdict.BELIEVED, 100)


def test_a_labels_own_word_that_it_shows_what_it_should_ends_the_count() -> None:
    settled = a_label(refresh_failures=2)
    _, after = judge_seen(settled, seen(), issued("four"), SENDER, NOON)
    assert after.refresh_failures == 0
    _, behind = judge_seen(
        waiting(refresh_failures=2), seen(), issued("four"), SENDER, NOON, patience=WAIT
    )
    assert behind.refresh_failures == 2


@pytest.mark.parametrize(
    ("attempts", "due_s", "expected_s"), [(1, 500, 500), (2, 500, 60), (5, 20, 20)]
)
def test_a_label_that_lives_is_waited_for_no_longer_than_patience(
    attempts: int, due_s: int, expected_s: int
) -> None:
    label = waiting(attempts=attempts, due_at=NOON + timedelta(seconds=due_s))
    verdict, after = judge_seen(label, seen(), issued("four"), SENDER, NOON, patience=WAIT)
    assert verdict is Verdict.KNOWN
    assert after.due_at == NOON + timedelta(seconds=expected_s)
    assert after.attempts == 1


def test_how_well_a_label_is_heard_counts_for_its_own_gateway_alone() -> None:
    before = NOON - timedelta(seconds=90)
    label = a_label(rssi_dbm=-70, seen_at=before, battery_mv=3000)
    report = seen(rssi_dbm=-40, battery_mv=2900)
    _, after = judge_seen(label, report, issued("four"), OTHER_GATEWAY, NOON)
    assert (after.rssi_dbm, after.seen_at, after.battery_mv) == (-70, before, 2900)
    _, after = judge_seen(label, report, issued("four"), SENDER, NOON)
    assert (after.rssi_dbm, after.seen_at) == (-40, NOON)


@pytest.mark.parametrize(
    ("problem", "mv", "freed"),
    [
        ("insufficient_battery", 2750, True),
        ("insufficient_battery", 2749, False),
        ("insufficient_battery", None, False),
        ("unsupported", 3300, False),
    ],
)
def test_a_changed_battery_frees_a_label_given_up_for_it(
    problem: str, mv: int | None, *, freed: bool
) -> None:
    label = waiting(problem=problem, due_at=None, battery_mv=2600)
    _, after = judge_seen(label, seen(battery_mv=mv), issued("four"), SENDER, NOON)
    assert (after.problem is None) is freed
    assert after.due_at == (NOON if freed else None)
