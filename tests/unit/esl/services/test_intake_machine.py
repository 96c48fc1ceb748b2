"""Idempotency, order and guards under any sequence of words (I7, I8, I9), against a model.

The model knows nothing of rows and statements: it keeps what holds, how far each source has
come, and what waits for a person.
"""

import json
import tempfile
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule
from sqlalchemy import select

from esl.domain.entry import Entry
from esl.domain.errors import Conflict, IdempotencyConflict, InvalidInput
from esl.domain.guards import Guards, Limits
from esl.domain.ids import Sku, SourceId
from esl.domain.pricing import Decision
from esl.domain.quarantine import QuarantineState
from esl.domain.source import unregistered
from esl.services import guarding, quarantine, requests
from esl.services.listening import take_entries
from esl.services.pricing import apply_price_changes
from esl.services.requests import StoredAnswer
from esl.store import labels, products
from esl.store import quarantine as held_rows
from esl.store.tables import price_events, source_positions
from tests.builders import NOON, STORE, a_change, build_shelf, label_id, open_database, revs_of

SKUS = ("sku-0", "sku-1")
SOURCES = ("till", "erp")
SENDERS = ("token:1", "token:2")
FIRST = 1000
LIMITS = Limits(changes_a_day=None, bulk_permille=None, lowest_minor=10)
PRICES = st.sampled_from([5, 100, 900, 1000, 1100, 1400, 1600, 10_000, 10_000_000])


@dataclass
class Model:
    """What must be so."""

    holds: dict[str, int] = field(default_factory=lambda: dict.fromkeys(SKUS, FIRST))
    seqs: dict[tuple[str, str], tuple[int, int]] = field(default_factory=dict)
    waits: dict[int, tuple[str, str, int, str]] = field(default_factory=dict)
    senders: dict[int, set[str]] = field(default_factory=dict)  # of what waits: also again
    sent: set[int] = field(default_factory=lambda: {FIRST})

    def is_doubted(self, sku: str, price: int) -> bool:
        held = self.holds[sku]
        low, high = sorted((price, held))
        shifted = (
            any(
                abs(high - low * f) * 50 <= low * f or abs(high - low * f) < f
                for f in (10, 100, 1000)
            )
            and high >= low * 5
        )
        return shifted or price * 100 > held * 150 or price * 100 < held * 60

    def decide(self, source: str, sku: str, price: int, seq: int | None) -> Decision | None:
        """Say what must become of a word; None: it contradicts an earlier one."""
        same = self.holds[sku] == price
        if seq is not None and (before := self.seqs.get((source, sku))) is not None:
            last, said = before
            if seq < last:
                return Decision.SUPERSEDED
            if seq == last and not same:
                if said != price:
                    return None
                held = [w for w in self.waits.values() if w[:2] == (source, sku)]
                if not held:
                    return Decision.SUPERSEDED
        if same:
            return Decision.UNCHANGED
        if not LIMITS.lowest_minor <= price <= LIMITS.highest_minor:
            return Decision.REJECTED
        return Decision.QUARANTINED if self.is_doubted(sku, price) else Decision.ACCEPTED

    def happened(
        self, source: str, sku: str, price: int, seq: int | None, decision: Decision
    ) -> None:
        if decision is Decision.SUPERSEDED:
            return
        if seq is not None:
            self.seqs[source, sku] = seq, price
        if decision in (Decision.ACCEPTED, Decision.UNCHANGED):
            self.waits = {n: w for n, w in self.waits.items() if w[1] != sku}
        if decision is Decision.ACCEPTED:
            self.holds[sku] = price
            self.sent.add(price)


class IntakeMachine(RuleBasedStateMachine):
    """Words of two sources about two products, requests sent again, people who decide."""

    def __init__(self) -> None:
        super().__init__()
        self.folder = tempfile.TemporaryDirectory()
        self.database = open_database(Path(self.folder.name))
        self.model = Model()
        self.now = NOON
        self.answers: dict[str, tuple[str, str]] = {}
        self.seqs_before: dict[tuple[str, str], int] = {}

    @initialize()
    def open_shop(self) -> None:
        with self.database.writing.begin() as tx:
            build_shelf(tx, labels_count=2, price_minor=FIRST)
            guarding.put_guards(tx, STORE, Guards(limits=LIMITS), NOON, actor="t", reason="")

    def teardown(self) -> None:
        self.database.close()
        self.folder.cleanup()

    # -- words -----------------------------------------------------------------------------------

    @rule(
        source=st.sampled_from(SOURCES),
        sku=st.sampled_from(SKUS),
        price=PRICES,
        seq=st.none() | st.integers(1, 8),
        sender=st.sampled_from(SENDERS),
        as_entry=st.booleans(),
    )
    def say(
        self, source: str, sku: str, price: int, seq: int | None, sender: str, *, as_entry: bool
    ) -> None:
        self.now += timedelta(seconds=1)
        expected = self.model.decide(source, sku, price, seq)
        with self.database.writing.begin() as tx:
            if as_entry:
                entry = Entry(
                    store_id=STORE,
                    sku=Sku(sku),
                    currency="EUR",
                    price_minor=price,
                    source_seq=seq,
                )
                [told] = take_entries(
                    tx,
                    unregistered(SourceId(source), STORE),
                    [entry],
                    self.now,
                    actor=sender,
                    batch_id=None,
                ).results
                if expected is None:
                    assert told.decision is Decision.REJECTED
                    return
                decision, number = told.decision, told.quarantine_id
            else:
                change = a_change(sku, price, source=SourceId(source), source_seq=seq)
                try:
                    [result] = apply_price_changes(
                        tx, STORE, [change], self.now, actor=sender
                    ).results
                except InvalidInput:
                    assert expected is None
                    return
                decision, number = result.decision, result.quarantine_id
        assert decision is expected
        self.model.happened(source, sku, price, seq, decision)
        if decision is Decision.QUARANTINED:
            assert number is not None
            if number not in self.model.waits:
                self.model.waits = {
                    n: w for n, w in self.model.waits.items() if w[:2] != (source, sku)
                }
                self.model.waits[number] = (source, sku, price, sender)
            self.model.senders.setdefault(number, set()).add(sender)

    @rule(key=st.sampled_from(["k1", "k2", "k3"]), sku=st.sampled_from(SKUS), price=PRICES)
    def ask_with_a_key(self, key: str, sku: str, price: int) -> None:
        """The same key and body has the same answer and no second effect; another body none."""
        self.now += timedelta(seconds=1)
        body = f"{sku} {price}"
        done: list[Decision] = []
        expected = self.model.decide("api", sku, price, None)

        with self.database.writing.begin() as tx:

            def work(_tx: object) -> StoredAnswer:
                [result] = apply_price_changes(
                    tx, STORE, [a_change(sku, price)], self.now, actor="token:9"
                ).results
                done.append(result.decision)
                said = json.dumps([result.decision.value, result.rev, result.quarantine_id])
                return StoredAnswer(request_sha256=body, status=200, answer=said)

            try:
                answer = requests.answer_once(
                    tx, work, principal="token:9", key=key, request_sha256=body, now=self.now
                )
            except IdempotencyConflict:
                assert self.answers[key][0] != body
                assert not done
                return
        if key in self.answers:
            assert self.answers[key] == (body, answer.answer)
            assert not done
            return
        self.answers[key] = body, answer.answer
        assert done == [expected]
        assert expected is not None
        self.model.happened("api", sku, price, None, done[0])
        number = json.loads(answer.answer)[2]
        if number is not None:
            self.model.senders.setdefault(number, set()).add("token:9")
        if number is not None and number not in self.model.waits:
            self.model.waits = {n: w for n, w in self.model.waits.items() if w[:2] != ("api", sku)}
            self.model.waits[number] = ("api", sku, price, "token:9")

    # -- people ----------------------------------------------------------------------------------

    @precondition(lambda self: self.model.waits)
    @rule(data=st.data(), by=st.sampled_from((*SENDERS, "person:a")), yes=st.booleans())
    def decide(self, data: st.DataObject, by: str, *, yes: bool) -> None:
        self.now += timedelta(seconds=1)
        number = data.draw(st.sampled_from(sorted(self.model.waits)))
        _, sku, price, _ = self.model.waits[number]
        work = quarantine.approve if yes else quarantine.reject
        with self.database.writing.begin() as tx:
            try:
                work(tx, STORE, [number], self.now, by=by)
            except Conflict:
                assert by in self.model.senders[number]
                return
        assert by not in self.model.senders[number], "nobody decides about what they sent"
        del self.model.waits[number]
        if yes:
            self.model.waits = {n: w for n, w in self.model.waits.items() if w[1] != sku}
            self.model.holds[sku] = price
            self.model.sent.add(price)

    # -- what must always be so ------------------------------------------------------------------

    @invariant()
    def the_books_say_what_the_model_says(self) -> None:
        with self.database.read() as tx:
            held = products.current_prices(tx, STORE, [Sku(s) for s in SKUS])
            if not held:
                return  # not open yet
            assert {s: held[Sku(s)].price_minor for s in SKUS} == self.model.holds
            waiting = held_rows.list_held(
                tx, STORE, state=QuarantineState.OPEN, after=0, limit=1000
            )
            assert {h.quarantine_id for h in waiting} == set(self.model.waits)

    @invariant()
    def only_accepted_prices_were_ever_wanted(self) -> None:
        with self.database.read() as tx:
            rows = tx.execute(select(price_events)).all()
            accepted = {row.rev for row in rows if row.rev is not None}
            assert {row.price_minor for row in rows if row.rev is not None} <= self.model.sent
            for place, sku in enumerate(SKUS):
                rev = revs_of(tx).get(sku)
                if rev is not None:
                    assert rev in accepted
                    assert labels.label_named(tx, label_id(place)).wanted_rev == rev

    @invariant()
    def a_source_never_goes_back(self) -> None:
        with self.database.read() as tx:
            for row in tx.execute(select(source_positions)):
                key = (row.source, row.sku)
                assert row.last_seq >= self.seqs_before.get(key, 0)
                self.seqs_before[key] = row.last_seq


TestIntakeMachine = IntakeMachine.TestCase
TestIntakeMachine.settings = settings(
    max_examples=25,
    stateful_step_count=30,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow],
)
