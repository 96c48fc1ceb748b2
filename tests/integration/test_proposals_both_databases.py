"""Prices that an engine proposes: moved within the bounds, refused beyond, kept with the reason."""

from dataclasses import replace
from datetime import datetime, timedelta

import pytest
from sqlalchemy import Connection, select

from esl.domain.errors import Conflict, InvalidInput, NotFound
from esl.domain.guards import Guards
from esl.domain.ids import Sku, SourceId
from esl.domain.proposal import Approval, Bound, Proposal, ProposalState, Rules
from esl.domain.till_channel import PriceOwner, TillChannel, TillSetting
from esl.intake.proposal_json import Cost
from esl.services import guarding, proposal_rules, proposals
from esl.services.pricing import apply_price_changes
from esl.services.proposals import Answer, Taken
from esl.store import products, till_settings
from esl.store import proposals as rows
from esl.store.database import Database
from esl.store.proposal_tables import proposals as proposal_rows
from tests.builders import NOON, STORE, a_change, build_shelf

ENGINE = SourceId("footfall")
RULES = Rules(engines=(ENGINE,), moves_a_day=3)
FIRST, SECOND, THIRD = (Sku(f"sku-{n}") for n in range(3))
LATER = NOON + timedelta(hours=1)
NEXT_DAY = NOON + timedelta(days=1)


@pytest.fixture
def database(either_database: Database) -> Database:
    """A shelf at 1.00 a product, whose till hears of prices and which takes proposals."""
    with either_database.writing.begin() as tx:
        build_shelf(tx, labels_count=3, price_minor=100)
        own = TillSetting(store_id=STORE, price_owner=PriceOwner.ESL, channel=TillChannel.OWN)
        till_settings.put_setting(tx, own, sealed=None)
        proposal_rules.put_rules(tx, STORE, RULES, NOON, actor="owner")
    return either_database


def propose(
    database: Database, *said: tuple[Sku, int], at: datetime = LATER, actor: str = "token:7"
) -> Taken:
    some = [Proposal(sku=sku, price_minor=minor, reason=f"{minor} sells") for sku, minor in said]
    with database.writing.begin() as tx:
        return proposals.propose(tx, STORE, ENGINE, some, at, actor=actor)


def one(database: Database, price: int, at: datetime = LATER) -> Answer:
    [answer] = propose(database, (FIRST, price), at=at).answers
    return answer


def price_of(tx: Connection, sku: Sku = FIRST) -> int:
    return products.current_prices(tx, STORE, [sku])[sku].price_minor


def reason_of(tx: Connection, rev: int) -> str | None:
    query = select(proposal_rows.c.reason).where(proposal_rows.c.rev == rev)
    return tx.execute(query).scalar_one_or_none()


def use(database: Database, rules: Rules) -> None:
    with database.writing.begin() as tx:
        proposal_rules.put_rules(tx, STORE, rules, NOON, actor="owner")


def test_each_proposal_is_taken_or_refused_by_itself_and_kept(database: Database) -> None:
    taken = propose(database, (FIRST, 90), (SECOND, 50), (Sku("nowhere"), 90), (THIRD, 100))
    assert [answer.state for answer in taken.answers] == [
        "accepted",
        "refused",
        "refused",
        "unchanged",
    ]
    assert [r.bound for r in taken.answers[1].refusals] == [Bound.LEAST_PERCENT]
    assert [r.bound for r in taken.answers[2].refusals] == [Bound.UNKNOWN_SKU]
    assert len(taken.labels) == 1
    with database.read() as tx:
        assert (price_of(tx), price_of(tx, SECOND)) == (90, 100)
        kept = rows.list_proposals(tx, STORE, state=None, after=0, limit=10)
        rev = taken.answers[0].rev
        assert rev is not None
        assert reason_of(tx, rev) == "90 sells"
    assert [k.proposal_id for k in kept] == [a.proposal_id for a in taken.answers]
    assert kept[1].refusals == taken.answers[1].refusals
    assert (kept[0].held_minor, kept[0].regular_minor, kept[0].rev) == (100, 100, rev)


@pytest.mark.asvs("2.3.2")
def test_small_steps_do_not_pass_the_bound(database: Database) -> None:
    """Of what holds, 80 % again and again would be a ratchet."""
    assert one(database, 85).state is ProposalState.ACCEPTED
    assert [r.bound for r in one(database, 70).refusals] == [Bound.LEAST_PERCENT]
    with database.writing.begin() as tx:
        till = a_change("sku-0", price_minor=80, source=SourceId("till"))
        apply_price_changes(tx, STORE, [till], LATER, actor="till")
    assert one(database, 70).state is ProposalState.ACCEPTED, "the till has said another price"


def test_moves_are_counted_by_the_stores_day(database: Database) -> None:
    for price in (99, 98, 97):
        assert one(database, price).state is ProposalState.ACCEPTED
    assert one(database, 97).state is ProposalState.UNCHANGED
    assert [r.bound for r in one(database, 96).refusals] == [Bound.MOVES_A_DAY]
    almost = NOON.replace(hour=22, minute=59)  # 23:59 in Zagreb
    assert one(database, 96, at=almost).state is ProposalState.REFUSED
    assert one(database, 96, at=almost + timedelta(minutes=1)).state is ProposalState.ACCEPTED


def test_no_price_below_the_cost(database: Database) -> None:
    with database.writing.begin() as tx:
        cost = Cost(sku=FIRST, cost_minor=95, path="/0")
        proposal_rules.put_costs(tx, STORE, [cost], NOON, actor="owner")
    assert [r.bound for r in one(database, 94).refusals] == [Bound.COST]
    assert one(database, 95).state is ProposalState.ACCEPTED
    with database.writing.begin() as tx:
        proposal_rules.put_costs(tx, STORE, [replace(cost, cost_minor=None)], NOON, actor="owner")
    assert one(database, 94).state is ProposalState.ACCEPTED
    unknown = replace(cost, sku=Sku("nowhere"))
    with pytest.raises(InvalidInput), database.writing.begin() as tx:
        proposal_rules.put_costs(tx, STORE, [unknown], NOON, actor="owner")


def test_a_promotion_of_the_till_is_left_alone(database: Database) -> None:
    with database.writing.begin() as tx:
        sale = a_change("sku-0", price_minor=80, was_minor=100, source=SourceId("till"))
        apply_price_changes(tx, STORE, [sale], NOON, actor="till")
    assert Bound.PROMOTION in {r.bound for r in one(database, 85).refusals}


def test_a_person_other_than_the_sender_approves_and_bounds_are_asked_again(
    database: Database,
) -> None:
    use(database, replace(RULES, approval=Approval.RISES))
    assert one(database, 99).state is ProposalState.ACCEPTED
    waits = one(database, 110)
    assert waits.state is ProposalState.WAITING
    newer = one(database, 115)
    with database.read() as tx:
        assert price_of(tx) == 99
        states = [k.state for k in rows.list_proposals(tx, STORE, state=None, after=0, limit=9)]
    assert states == ["accepted", "superseded", "waiting"]
    for numbers, by, error in (
        ([newer.proposal_id], "token:7", Conflict),
        ([waits.proposal_id], "ana", Conflict),
        ([4711], "ana", NotFound),
    ):
        with pytest.raises(error), database.writing.begin() as tx:
            proposals.approve(tx, STORE, numbers, LATER, by=by)
    late = LATER + timedelta(hours=24, seconds=1)
    with pytest.raises(Conflict, match="older"), database.writing.begin() as tx:
        proposals.approve(tx, STORE, [newer.proposal_id], late, by="ana")
    use(database, replace(RULES, most_percent=110))
    with pytest.raises(Conflict, match="110 %"), database.writing.begin() as tx:
        proposals.approve(tx, STORE, [newer.proposal_id], LATER, by="ana")
    use(database, RULES)
    with database.writing.begin() as tx:
        [told] = proposals.approve(tx, STORE, [newer.proposal_id], LATER, by="ana").answers
        assert told.state is ProposalState.ACCEPTED
        assert price_of(tx) == 115
        assert told.rev is not None
        assert reason_of(tx, told.rev) == "115 sells"


def test_a_person_rejects(database: Database) -> None:
    use(database, replace(RULES, approval=Approval.ALWAYS))
    waits = one(database, 99)
    with database.writing.begin() as tx:
        proposals.reject(tx, STORE, [waits.proposal_id], NEXT_DAY, by="ana", note="no")
        [kept] = rows.list_proposals(tx, STORE, state=None, after=0, limit=9)
        assert (kept.state, kept.decided_by, kept.note) == ("rejected", "ana", "no")
        assert price_of(tx) == 100


def test_what_the_guards_doubt_is_held_back(database: Database) -> None:
    use(database, replace(RULES, least_percent=None))
    with database.writing.begin() as tx:
        guarding.put_guards(tx, STORE, Guards(), NOON, actor="owner", reason="")
    answer = one(database, 10)
    assert answer.state is ProposalState.HELD
    assert answer.quarantine_id is not None
    assert {r.bound for r in answer.refusals} == {Bound.LIMITS}


def test_nothing_is_taken_from_strangers_or_where_the_till_would_not_hear_of_it(
    database: Database,
) -> None:
    some = [Proposal(sku=FIRST, price_minor=90, reason="x")]
    with pytest.raises(Conflict, match="engines"), database.writing.begin() as tx:
        proposals.propose(tx, STORE, SourceId("other"), some, LATER, actor="t")
    for whose in (
        TillSetting(store_id=STORE),
        TillSetting(store_id=STORE, channel=TillChannel.OWN),
    ):
        with database.writing.begin() as tx:
            till_settings.put_setting(tx, whose, sealed=None)
        with pytest.raises(Conflict, match='price_owner "esl"'), database.writing.begin() as tx:
            proposals.propose(tx, STORE, ENGINE, some, LATER, actor="t")
    use(database, Rules(engines=()))
    with pytest.raises(Conflict, match="takes no proposals"), database.writing.begin() as tx:
        proposals.propose(tx, STORE, ENGINE, some, LATER, actor="t")
