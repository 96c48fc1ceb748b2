"""A simulator with every rule kept passes; with one switched off it fails exactly that rule."""

import pytest

from gateway.conform.conversation import Numbers
from gateway.conform.hands import Deed
from gateway.conform.line import Arrived, ConformError
from gateway.conform.print import rules_of
from gateway.conform.run import Wishes, conform
from gateway.conform.verdicts import Rule, Verdict
from gateway.wire.signing import PublicKeys, SigningKey
from gateway.wire.topics import Kind
from tests.unit.gateway.conform.rule_off import OFF, Off, both_memories_off
from tests.unit.gateway.conform.sim_line import (
    GATEWAY,
    KEY,
    NOON_MS,
    PANELS,
    Hand,
    SimLine,
    judge,
    make_gateway,
)

BY_HAND = {Rule.G2, Rule.L1, Rule.L3}


@pytest.mark.parametrize("level", ["basic", "staged", "full"])
async def test_the_simulator_keeps_every_rule_at_its_level(level: str) -> None:
    report = await judge(make_gateway(level=level))

    assert [f.why for f in report.findings if f.verdict is not Verdict.PASS] == []
    assert [s.name for s in report.skills if s.verdict is not Verdict.PASS] == []
    assert (report.claimed, report.level, report.passed) == (level, level, True)


@pytest.mark.parametrize("off", OFF, ids=lambda off: f"{off.rule}-{off.name}")
async def test_a_simulator_with_a_rule_switched_off_fails_exactly_that_rule(off: Off) -> None:
    report = await judge(off.make())

    assert rules_of(report, Verdict.FAIL) == [off.rule], report.findings
    assert not report.passed


def test_every_rule_is_switched_off_once_at_least() -> None:
    assert {off.rule for off in OFF} == set(Rule)


async def test_without_an_operator_three_rules_need_one_and_nothing_else_changes() -> None:
    report = await judge(make_gateway(), with_operator=False)

    assert set(rules_of(report, Verdict.NEEDS_OPERATOR)) == BY_HAND
    assert set(rules_of(report, Verdict.PASS)) == set(Rule) - BY_HAND
    assert report.passed


async def test_what_neither_gateway_nor_label_minds_is_seen_without_a_hand() -> None:
    report = await judge(both_memories_off(), with_operator=False)

    assert {Rule.G2, Rule.L1} <= set(rules_of(report, Verdict.FAIL))


async def test_an_operator_who_cannot_do_it_leaves_the_rule_open() -> None:
    class Reluctant(Hand):
        async def do(self, deed: Deed, label: str) -> bool:
            return deed is not Deed.ERASE and await super().do(deed, label)

    gateway = make_gateway()
    report = await run(SimLine(gateway), operator=Reluctant(gateway.labels))

    assert report.verdict_on(Rule.L3) is Verdict.NEEDS_OPERATOR
    assert report.verdict_on(Rule.L1) is Verdict.PASS


# -- when it cannot be judged -----------------------------------------------------------------


async def run(line: SimLine, *, operator: Hand | None = None, key: SigningKey = KEY, **wishes):
    return await conform(
        line,
        GATEWAY,
        key=key,
        panels=PANELS,
        numbers=Numbers.standing_alone(NOON_MS),
        wishes=Wishes(epoch_of=lambda _: 1, patience_s=30.0, **wishes),
        operator=operator,
    )


async def test_a_silent_gateway_is_said_to_be_silent() -> None:
    line = SimLine(make_gateway(), connect=False)

    with pytest.raises(ConformError, match=r"gw-1 is silent: nothing came for 35 s"):
        await run(line)


async def test_a_gateway_that_went_away_is_said_to_be_offline() -> None:
    gateway = make_gateway()
    line = SimLine(gateway, connect=False)
    gateway.begin_session()
    gateway.disconnected()
    line.retain(online=False)

    with pytest.raises(ConformError, match="its retained state says offline"):
        await run(line)


async def test_a_gateway_enrolled_with_another_key_is_told_apart_from_a_silent_one() -> None:
    stranger = SigningKey.from_seed(bytes(32))
    gateway = make_gateway(keys=PublicKeys.of(stranger))

    with pytest.raises(ConformError, match=f"obeys nothing that key {KEY.key_id} signs"):
        await run(SimLine(gateway))


async def test_counters_that_somebody_used_before_are_overtaken() -> None:
    gateway = make_gateway()
    line = SimLine(gateway)
    gateway._gatekeeper.counter = 50_000

    assert (await run(line)).passed


async def test_a_gateway_without_labels_cannot_be_judged() -> None:
    with pytest.raises(ConformError, match="hears no label"):
        await run(SimLine(make_gateway(labels=[])))


async def test_a_label_it_does_not_hear_is_named_with_those_it_does() -> None:
    with pytest.raises(ConformError, match="does not hear label label-9; it hears label-1"):
        await run(SimLine(make_gateway()), label="label-9")


async def test_an_unknown_panel_is_named() -> None:
    line = SimLine(make_gateway())
    with pytest.raises(ConformError, match="panel model tiny is not known here"):
        await conform(
            line,
            GATEWAY,
            key=KEY,
            panels={},
            numbers=Numbers.standing_alone(NOON_MS),
            wishes=Wishes(),
        )


async def test_a_label_paired_elsewhere_asks_for_its_epoch() -> None:
    gateway = make_gateway()
    gateway.labels["label-1"].epoch = 5

    with pytest.raises(ConformError, match=r"invalid_state .* give its epoch with --epoch"):
        await run(SimLine(gateway))


async def test_another_controller_on_the_line_ends_the_run() -> None:
    line = SimLine(make_gateway())
    line.queue.append(Arrived(Kind.DOWN, b"somebody else's command"))

    with pytest.raises(ConformError, match="another controller speaks to gw-1"):
        await run(line)


async def test_a_restart_in_the_middle_ends_the_run() -> None:
    gateway = make_gateway()
    line = SimLine(gateway)
    line.restart_after_sends = 8

    with pytest.raises(ConformError, match="began a new session in the middle"):
        await run(line)


async def test_revisions_of_another_installation_are_not_touched() -> None:
    gateway = make_gateway()
    gateway.labels["label-1"].shown_rev = 900
    gateway.labels["label-1"].shown_digest = bytes(32)
    numbers = Numbers.standing_alone(NOON_MS)
    numbers.revisions = iter(range(1, 100))

    with pytest.raises(ConformError, match="shows revision 900, above everything"):
        await conform(
            SimLine(gateway), GATEWAY, key=KEY, panels=PANELS, numbers=numbers, wishes=Wishes()
        )
