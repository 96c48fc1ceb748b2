"""Who may charge what: no shelf asks for less than any till may charge, whatever comes when."""

import hypothesis.strategies as st
from hypothesis import given
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from esl.domain.till import (
    Charge,
    acknowledge,
    cheapest,
    confirm,
    dearest,
    first_standing,
    follow_at_once,
    settle,
)

charges = st.builds(
    Charge,
    price_minor=st.integers(1, 9),
    member_minor=st.none() | st.integers(1, 9),
    multibuys=st.dictionaries(st.sampled_from([2, 3]), st.integers(1, 27), max_size=2),
)


def _price(minor: int) -> Charge:
    return Charge(price_minor=minor)


def _pays(charge: Charge, quantity: int, *, member: bool) -> int:
    """Return the least a customer can pay for some pieces: the oracle, by trying all ways."""
    each = charge.price_minor
    if member and charge.member_minor is not None:
        each = min(each, charge.member_minor)
    best = [0]
    for n in range(1, quantity + 1):
        ways = [best[n - 1] + each]
        ways += [best[n - q] + total for q, total in charge.multibuys.items() if q <= n]
        best.append(min(ways))
    return best[quantity]


@given(charges, charges)
def test_what_is_said_to_be_no_dearer_costs_nobody_more(a: Charge, b: Charge) -> None:
    if a <= b:
        for quantity in range(1, 8):
            for member in (False, True):
                assert _pays(a, quantity, member=member) <= _pays(b, quantity, member=member)


@given(charges, charges)
def test_the_cheapest_and_the_dearest_are_bounds_of_both(a: Charge, b: Charge) -> None:
    assert cheapest(a, b) <= a
    assert cheapest(a, b) <= b
    assert a <= dearest(a, b)
    assert b <= dearest(a, b)


def test_a_dearer_price_goes_to_the_labels_first() -> None:
    old, new = _price(100), _price(120)
    waiting = settle(first_standing(old, 1), new, 2)
    assert (waiting.shelf, waiting.shelf_rev, waiting.grant) == (new, 2, old)
    assert waiting.waits_for_labels(new)
    done = settle(confirm(waiting, 2), new, 3)
    assert (done.grant, done.grant_rev, done.is_acknowledged) == (new, 3, False)
    assert acknowledge(done, 3).is_acknowledged


def test_a_cheaper_price_goes_to_the_till_first() -> None:
    old, new = _price(100), _price(80)
    waiting = settle(first_standing(old, 1), new, 2)
    assert (waiting.shelf, waiting.grant, waiting.grant_rev) == (old, new, 2)
    assert waiting.waits_for_till(new)
    assert settle(acknowledge(waiting, 1), new, 3).shelf == old  # the word for the price before
    done = settle(acknowledge(waiting, 2), new, 3)
    assert (done.shelf, done.shelf_rev) == (new, 3)


def test_an_increase_that_is_taken_back_before_it_hangs_changes_nothing_at_the_till() -> None:
    old = _price(100)
    standing = settle(settle(first_standing(old, 1), _price(150), 2), old, 3)
    assert (standing.shelf, standing.shelf_rev, standing.grant_rev) == (old, 3, 1)


def test_dearer_for_all_and_cheaper_for_members_goes_by_what_both_allow() -> None:
    old, new = _price(100), Charge(price_minor=110, member_minor=90)
    standing = settle(first_standing(old, 1), new, 2)
    assert standing.grant == Charge(price_minor=100, member_minor=90)
    assert standing.shelf == old
    standing = settle(acknowledge(standing, 2), new, 3)
    assert standing.shelf == new
    assert standing.grant == Charge(price_minor=100, member_minor=90)
    assert settle(confirm(standing, 3), new, 4).grant == new


def test_without_the_safe_order_both_have_it_at_once() -> None:
    standing = follow_at_once(first_standing(_price(100), 1), _price(80), 2)
    assert (standing.shelf, standing.grant) == (_price(80), _price(80))


class TillAndLabels(RuleBasedStateMachine):
    """A till and three labels that lag behind, and stay behind, as they please."""

    @initialize(truth=charges)
    def open_the_shop(self, truth: Charge) -> None:
        self.rev = 1
        self.truth = truth
        self.standing = first_standing(truth, 1)
        self.told = [(1, truth)]  # to labels, ever
        self.shown = [0, 0, 0]  # which of them each label shows
        self.granted = [(1, truth)]
        self.charged = 0  # the oldest grant that the till may still charge by

    def _settle(self) -> None:
        self.rev += 1
        self.standing = settle(self.standing, self.truth, self.rev)
        if self.standing.shelf_rev == self.rev:
            self.told.append((self.rev, self.standing.shelf))
        if self.standing.grant_rev == self.rev:
            self.granted.append((self.rev, self.standing.grant))

    @rule(truth=charges)
    def change_the_price(self, truth: Charge) -> None:
        self.truth = truth
        self._settle()

    @rule(label=st.integers(0, 2), by=st.integers(1, 3))
    def paint(self, label: int, by: int) -> None:
        self.shown[label] = min(len(self.told) - 1, self.shown[label] + by)

    @rule(which=st.integers(0, 50))
    def hear_the_till(self, which: int) -> None:
        """The till took a grant some time ago, and its word for it comes now."""
        taken = min(which, len(self.granted) - 1)
        self.charged = max(self.charged, taken)
        self.standing = acknowledge(self.standing, self.granted[taken][0])
        self._settle()

    @precondition(lambda self: self.told[min(self.shown)][0] >= self.standing.shelf_rev)
    @rule()
    def hear_the_labels(self) -> None:
        self.standing = confirm(self.standing, self.standing.shelf_rev)
        self._settle()

    @invariant()
    def no_till_charges_more_than_any_shelf(self) -> None:
        for _, charge in self.granted[self.charged :]:
            for place in self.shown:
                assert charge <= self.told[place][1]

    @invariant()
    def the_bounds_hold(self) -> None:
        assert self.standing.most <= self.standing.least

    def teardown(self) -> None:
        """Once all answer, till and labels have what holds, in a few steps."""
        for _ in range(3):
            if self.standing.grant_rev:
                self.hear_the_till(len(self.granted) - 1)
            self.shown = [len(self.told) - 1] * 3
            self.hear_the_labels()
        self.hear_the_till(len(self.granted) - 1)
        assert self.standing.shelf == self.truth
        assert self.standing.grant == self.truth
        assert self.standing.is_acknowledged


TestTillAndLabels = TillAndLabels.TestCase
