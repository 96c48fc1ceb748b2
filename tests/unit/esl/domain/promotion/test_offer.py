"""What a label may say: the worked examples of the field notes, and incidents that happened."""

from datetime import date, time

import pytest

from esl.domain.face import Unit
from esl.domain.ids import Sku, TemplateName
from esl.domain.law import ClaimCode, Reason, StepKind
from esl.domain.product import NetContent
from esl.domain.promotion.book import Book
from esl.domain.promotion.explaining import explain
from esl.domain.promotion.offer import Trouble, Why
from esl.domain.promotion.promotion import (
    Absolute,
    AmountOff,
    PayFor,
    PercentOf,
    PercentOff,
    Promotion,
    Selection,
    Stacking,
    TotalFor,
)
from esl.domain.promotion.window import Hours, Window
from tests.offers import (
    BERLIN,
    DE,
    NOW,
    STORE,
    US,
    base,
    held,
    local,
    offer,
    product,
    promotion,
    utc,
)

SINCE_NOON = Window(begins=local("2026-06-01 14:00"))  # Berlin: NOW


# ── The incident: three campaigns (commercial notes 4, N2, N5, N6, N7) ───────────────────────


def the_three_campaigns() -> list[Promotion]:
    """Expected 69 900, and the label said 75 500, with text, percentage and group of others."""
    skus = Selection(skus=frozenset({Sku("4711")}))
    return [
        promotion(
            "autumn",
            Absolute(price_minor=69_900),
            currency="KRW",
            selection=skus,
            priority=20,
            badge="AUTUMN −{percent} %",
            window=Window(begins=local("2026-06-01 00:00"), ends=local("2026-06-15 00:00")),
        ),
        promotion(
            "dairy-week",
            Absolute(price_minor=75_500),
            currency="KRW",
            selection=Selection(categories=frozenset({"dairy"})),
            priority=10,
            badge="DAIRY WEEK −{percent} %",
        ),
        promotion(
            "early-bird",
            PercentOff(permille=300),
            currency=None,
            selection=skus,
            priority=50,
            badge="EARLY BIRD",
            window=Window(hours=(Hours(time(6), time(9)),)),
        ),
        promotion(
            "club",
            Absolute(price_minor=59_900),
            currency="KRW",
            selection=skus,
            priority=90,
            club="Gold",
            badge="GOLD MEMBERS",
        ),
    ]


def test_of_three_campaigns_one_wins_and_everything_comes_from_it() -> None:
    found = offer(
        the_three_campaigns(), till=base(89_900, currency="KRW"), of=product(category="Dairy")
    )
    assert found.price_minor == 69_900
    assert (found.reference_minor, found.percent) == (89_900, 22)  # 22.24 %
    assert found.badge == "AUTUMN −22 %"
    assert found.valid_to == date(2026, 6, 14)
    assert found.member is not None
    assert (found.member.price_minor, found.member.club) == (59_900, "Gold")
    assert [(one.promotion.promotion_id, one.why) for one in found.reason.lost] == [
        ("dairy-week", Why.PRIORITY)
    ]


def test_the_incident_is_explained_in_words() -> None:
    sold = product(category="Dairy")
    till = base(89_900, currency="KRW")
    campaigns = the_three_campaigns()
    book = Book(campaigns, store_id=STORE, zone=BERLIN)
    found = offer(campaigns, till=till, of=sold).noting(book.not_running(sold, NOW))
    assert explain(found, BERLIN) == [
        "The label of 4711 shows 69900 KRW.",
        "The till says 89900 KRW, source till, by key:till-1, since 2025-01-01 01:00, event 17.",
        "“autumn” (autumn) holds: 69900 KRW a piece, so 69900 KRW instead of 89900 KRW.",
        (
            "“club” (club) holds for members of Gold: 59900 KRW a piece, so 59900 KRW for them; "
            "everybody else pays 69900 KRW."
        ),
        (
            "“dairy-week” (dairy-week) does not hold: its priority 10 is below the 20 of “autumn” "
            "(autumn)."
        ),
        "“early-bird” (early-bird) does not run now. It runs next from 2026-06-02 06:00.",
        (
            "Law profile eu 1: 69900 KRW is below the prior price, 22 % less. 89900 KRW was the "
            "lowest from 2026-05-01 22:00 UTC until before 2026-05-31 22:00 UTC."
        ),
        "Its unit price is 139800 KRW/kg.",
        "The next change by a promotion is at 2026-06-15 00:00.",
    ]


def test_the_early_bird_is_over_at_nine() -> None:
    early = the_three_campaigns()[2:3]
    till = base(89_900, currency="KRW")
    assert offer(early, till=till, at=utc("2026-06-01 06:59:59")).price_minor == 62_930
    assert offer(early, till=till, at=utc("2026-06-01 07:00")).price_minor == 89_900


def test_a_label_is_plain_again_when_its_promotion_is_over() -> None:
    """Commercial notes N8: labels stuck on the promotion after its reason had ended."""
    week = promotion(
        "week",
        PercentOff(permille=200),
        badge="WEEK",
        template=TemplateName("poster"),
        window=Window(begins=local("2026-06-01 08:00"), ends=local("2026-06-07 20:00")),
    )
    before = offer([], at=utc("2026-06-01 05:59"))
    assert offer([week], at=utc("2026-06-01 06:00")).template == "poster"
    for at in ("2026-06-01 05:59", "2026-06-07 18:00"):
        after = offer([week], at=utc(at))
        assert after[:-1] == before[:-1]


# ── Prior prices (standards G.7) ────────────────────────────────────────────────────────────


def test_aldi_a_reduction_to_the_lowest_price_is_refused() -> None:
    """CJEU C-330/23: 1.29 within 30 days, then 1.69, now 1.29, claim −23 %."""
    past = held(("2026-01-01", 169), ("2026-05-05", 129), ("2026-05-12", 169))
    action = promotion(
        "highlight", Absolute(price_minor=129), badge="−{percent} %", window=SINCE_NOON
    )
    found = offer([action], till=base(169), past=past)
    assert found.price_minor == 129
    assert (found.reference_minor, found.percent, found.badge) == (None, None, None)
    assert found.trouble is Trouble.UNLAWFUL_CLAIM
    assert found.reason.claim is not None
    assert found.reason.claim.code is ClaimCode.NOT_LOWER
    assert found.lowest_30d_minor == 129
    assert found.kind is StepKind.REGULAR
    assert any("shown as a plain price" in line for line in explain(found, BERLIN))


def test_a_price_that_was_raised_for_two_days_is_no_prior_price() -> None:
    """Gazeta Prawna 2022: 400 until 10 May, 500 on 10–11 May, "−10 % 450" on 12 May."""
    past = held(("2026-01-01", 40_000), ("2026-05-10", 50_000))
    action = promotion(
        "may", Absolute(price_minor=45_000), window=Window(begins=local("2026-05-12 00:00"))
    )
    found = offer([action], till=base(50_000), past=past, at=utc("2026-05-12 08:00"))
    assert (found.price_minor, found.lowest_30d_minor) == (45_000, 40_000)
    assert (found.reference_minor, found.trouble) == (None, Trouble.UNLAWFUL_CLAIM)


def test_half_off_is_half_of_the_prior_price() -> None:
    """Commission Notice 2021/C 526/02, 2.1: lowest 100, last 160, "50 % off" must be 50."""
    past = held(("2026-01-01", 160), ("2026-05-20", 100), ("2026-05-25", 160))
    half = promotion(
        "half",
        PercentOff(permille=500, of=PercentOf.LOWEST),
        badge="−{percent} %",
        window=SINCE_NOON,
    )
    found = offer([half], till=base(160), past=past)
    assert (found.price_minor, found.reference_minor, found.percent) == (50, 100, 50)
    assert found.badge == "−50 %"
    of_the_last = promotion(
        "half", PercentOff(permille=500), badge="−{percent} %", window=SINCE_NOON
    )
    found = offer([of_the_last], till=base(160), past=past)
    assert (found.price_minor, found.reference_minor, found.badge) == (80, 100, "−20 %")


@pytest.mark.parametrize("window", [SINCE_NOON, Window()])
def test_half_of_the_prior_price_is_not_halved_again_when_it_is_asked_again(window) -> None:
    past = held(("2026-01-01", 100), ("2026-06-01 12:00", 50, StepKind.REDUCED))
    half = promotion("half", PercentOff(permille=500, of=PercentOf.LOWEST), window=window)
    found = offer([half], till=base(100), past=past, at=utc("2026-06-05 12:00"))
    assert (found.price_minor, found.reference_minor) == (50, 100)


def test_a_percentage_of_the_prior_price_gives_nothing_without_one() -> None:
    half = promotion("half", PercentOff(permille=500, of=PercentOf.LOWEST), window=SINCE_NOON)
    found = offer([half], till=base(160), past=held(("2026-05-25", 160)))
    assert found.price_minor == 160
    assert [one.why for one in found.reason.lost] == [Why.NO_LOWEST]


@pytest.mark.parametrize(
    ("past", "prior"),
    [
        # 100 → 80 → 70 without a break: 100 throughout (DE §11(2)).
        (
            held(
                ("2026-01-01", 100),
                ("2026-05-20", 80, StepKind.REDUCED),
            ),
            100,
        ),
        # With a gap between, 80 counts.
        (
            held(
                ("2026-01-01", 100),
                ("2026-05-20", 80, StepKind.REDUCED),
                ("2026-05-25", 100),
            ),
            80,
        ),
    ],
)
def test_a_reduction_that_grows_without_a_break_keeps_its_prior_price(past, prior) -> None:
    seventy = promotion("seventy", Absolute(price_minor=70), window=SINCE_NOON)
    found = offer([seventy], till=base(100), past=past, law=DE)
    assert (found.price_minor, found.reference_minor) == (70, prior)
    assert found.reason.prior is not None
    assert (found.reason.prior.reason is Reason.PROGRESSIVE) == (prior == 100)


def test_goods_about_to_spoil_need_no_prior_price_and_a_mark() -> None:
    """DE §11(4) no. 2."""
    evening = promotion("evening", PercentOff(permille=300), is_markdown=True, badge="Save it")
    found = offer([evening], till=base(1000), past=held(("2026-05-30", 1000)), law=DE)
    assert (found.price_minor, found.trouble, found.badge) == (700, None, "Save it")
    assert found.must_be_marked
    assert found.kind is StepKind.SPOILAGE


def test_a_history_that_is_too_short_announces_nothing() -> None:
    action = promotion("new", PercentOff(permille=200), badge="NEW", window=SINCE_NOON)
    found = offer([action], past=held(("2026-05-20", 1000)))
    assert (found.price_minor, found.reference_minor, found.badge) == (800, None, None)
    assert found.trouble is Trouble.NO_PRIOR_PRICE


def test_the_sources_own_lowest_price_stands_where_the_history_is_too_short() -> None:
    action = promotion("new", PercentOff(permille=200), window=SINCE_NOON)
    found = offer([action], past=held(("2026-05-20", 1000)), lowest_30d_minor=950)
    assert (found.reference_minor, found.percent, found.trouble) == (950, 15, None)


def test_what_was_written_down_is_not_asked_about_twice() -> None:
    """Asked again days later, the reduction began when it began."""
    action = promotion(
        "long", PercentOff(permille=200), window=Window(begins=local("2026-06-01 14:00"))
    )
    first = offer([action])
    assert (first.reference_minor, first.percent) == (1000, 20)
    past = held(("2025-01-01", 1000), ("2026-06-01 12:00", 800, StepKind.REDUCED))
    for at in ("2026-06-01 12:00", "2026-06-20 12:00", "2026-08-20 12:00"):
        again = offer([action], past=past, at=utc(at))
        assert (again.reference_minor, again.percent, again.kind) == (1000, 20, StepKind.REDUCED)


def test_a_dearer_price_within_a_reduction_is_no_reduction_from_itself() -> None:
    """80 was paid a week ago: 88 is not below it, whatever the regular price is now."""
    action = promotion("long", PercentOff(permille=200), window=SINCE_NOON)
    past = held(("2025-01-01", 100), ("2026-06-01 12:00", 80, StepKind.REDUCED))
    till = base(110)._replace(at=utc("2026-06-08 06:00"))
    found = offer([action], till=till, past=past, at=utc("2026-06-08 06:00"))
    assert (found.price_minor, found.trouble) == (88, Trouble.UNLAWFUL_CLAIM)


@pytest.mark.parametrize("said", ["2025-01-01 00:00", "2026-06-01 12:00", "2026-06-08 06:00"])
def test_what_was_paid_within_a_reduction_counts_whenever_the_till_says_it_spoke(said) -> None:
    action = promotion("long", PercentOff(permille=200), window=SINCE_NOON)
    past = held(("2025-01-01", 100), ("2026-06-01 12:00", 80, StepKind.REDUCED))
    till = base(110)._replace(at=utc(said))
    found = offer([action], till=till, past=past, at=utc("2026-06-08 06:00"))
    assert (found.price_minor, found.trouble) == (88, Trouble.UNLAWFUL_CLAIM)


def test_what_came_later_says_nothing_of_the_past() -> None:
    action = promotion("long", PercentOff(permille=200), window=SINCE_NOON)
    past = held(
        ("2025-01-01", 1000), ("2026-06-01 12:00", 800, StepKind.REDUCED), ("2026-06-05", 500)
    )
    found = offer([action], past=past, at=utc("2026-06-02 12:00"))
    assert (found.price_minor, found.reference_minor, found.percent) == (800, 1000, 20)


def test_a_daily_happy_hour_is_announced_on_its_first_day_only() -> None:
    """From the second day on, the price was paid within the thirty days before."""
    happy = promotion(
        "happy", PercentOff(permille=200), window=Window(hours=(Hours(time(16), time(18)),))
    )
    past = held(("2025-01-01", 1000))
    assert offer([happy], past=past, at=utc("2026-06-01 15:00")).percent == 20
    past += held(("2026-06-01 14:00", 800, StepKind.REDUCED), ("2026-06-01 16:00", 1000))
    second = offer([happy], past=past, at=utc("2026-06-02 15:00"))
    assert (second.price_minor, second.percent) == (800, None)
    assert second.trouble is Trouble.UNLAWFUL_CLAIM


def test_where_the_law_has_no_rule_the_regular_price_stands() -> None:
    action = promotion("sale", AmountOff(amount_minor=50), currency="USD", badge="SALE")
    found = offer([action], till=base(399, currency="USD"), past=[], law=US)
    assert (found.price_minor, found.reference_minor, found.percent) == (349, 399, 12)
    assert found.badge == "SALE"


# ── What the till says of a former price ────────────────────────────────────────────────────


def test_the_tills_former_price_stands_where_nobody_can_tell_better() -> None:
    found = offer(till=base(129, was_minor=169), past=[])
    assert (found.reference_minor, found.percent, found.reason.tills_word) == (169, 23, True)
    assert any("the till's own word" in line for line in explain(found, BERLIN))


def test_the_tills_former_price_gives_way_to_the_lowest_price() -> None:
    past = held(("2026-01-01", 150), ("2026-06-01 10:00", 129, StepKind.REDUCED))
    found = offer(till=base(129, was_minor=169), past=past)
    assert (found.reference_minor, found.percent) == (150, 14)


def test_a_former_price_of_the_till_that_may_not_be_claimed_is_left_out() -> None:
    past = held(
        ("2026-01-01", 169),
        ("2026-05-05", 129),
        ("2026-05-12", 169),
        ("2026-06-01 10:00", 129, StepKind.REDUCED),
    )
    found = offer(till=base(129, was_minor=169, badge="SUPER"), past=past)
    assert (found.price_minor, found.reference_minor, found.badge) == (129, None, None)
    assert found.trouble is Trouble.UNLAWFUL_CLAIM


# ── Numbers (standards E.6, G.7) ────────────────────────────────────────────────────────────


def test_percentages_are_rounded_down() -> None:
    """1.69 → 1.29 is 23.67 %: −23 %."""
    found = offer([promotion("p", Absolute(price_minor=129), window=SINCE_NOON)], till=base(169))
    assert found.percent == 23


@pytest.mark.parametrize(
    ("price", "permille", "left"), [(165, 100, 148), (199, 250, 149), (99, 5, 98)]
)
def test_never_less_is_taken_off_than_promised(price: int, permille: int, left: int) -> None:
    """1.65 less 10 % is 1.485: 1.49 would be 9.7 % only."""
    found = offer([promotion("p", PercentOff(permille=permille))], till=base(price))
    assert found.price_minor == left


def test_two_for_three_fifty_saves_twelve_percent() -> None:
    """2 for 3.50, single 1.99: 12.06 %, and 1.75 each; 400 g, so 4.38 a kilogram."""
    sold = product(net_content=NetContent(milli=400, unit=Unit.KILOGRAM))
    deal = promotion("deal", TotalFor(quantity=2, total_minor=350), badge="2 for 3.50")
    found = offer([deal], till=base(199), of=sold)
    assert (found.price_minor, found.unit.minor, found.badge) == (199, 498, "2 for 3.50")
    assert found.multibuy is not None
    assert (found.multibuy.quantity, found.multibuy.total_minor) == (2, 350)
    assert (found.multibuy.percent, found.multibuy.unit.minor) == (12, 438)
    assert found.trouble is None


def test_three_for_two_is_two_thirds_each() -> None:
    found = offer(
        [promotion("three", PayFor(quantity=3, pay_for=2), currency=None)], till=base(100)
    )
    assert found.multibuy is not None
    assert (found.multibuy.total_minor, found.multibuy.pay_for, found.multibuy.percent) == (
        200,
        2,
        33,
    )
    assert found.multibuy.unit.minor == 133  # 200 for 1.5 kg


def test_a_deposit_stands_outside_of_price_and_unit_price() -> None:
    """C-543/21: label 1.00 and "zzgl. 0,25 € Pfand"; unit price from 1.00."""
    found = offer(till=base(100), of=product(deposit_minor=25))
    assert (found.price_minor, found.unit.minor, found.deposit_minor) == (100, 200, 25)
    half = offer(
        [promotion("p", PercentOff(permille=500))], till=base(100), of=product(deposit_minor=25)
    )
    assert (half.price_minor, half.unit.minor, half.deposit_minor) == (50, 100, 25)


def test_the_unit_price_is_that_of_the_shown_price() -> None:
    """1.29 for 80 g is 16.13 a kilogram; the source's own word stands for its own price only."""
    sold = product(net_content=NetContent(milli=80, unit=Unit.KILOGRAM))
    till = base(159, unit_price_minor=1988)
    assert offer(till=till, of=sold).unit.minor == 1988
    found = offer([promotion("p", Absolute(price_minor=129))], till=till, of=sold)
    assert found.unit.minor == 1613


@pytest.mark.parametrize(
    ("currency", "stated", "code", "digits"),
    [("KWD", 2500, "shown", 3), ("JPY", 2500, "shown", 0), ("EUR", 1000, "same_as_price", 0)],
)
def test_the_sources_own_unit_price_is_in_its_money(currency, stated, code, digits) -> None:
    found = offer(till=base(1000, currency=currency, unit_price_minor=stated))
    assert (found.unit.code, found.unit.digits) == (code, digits)


def test_several_pieces_of_goods_by_weight_are_nothing() -> None:
    found = offer(
        [promotion("p", TotalFor(quantity=2, total_minor=5))], of=product(priced_per=Unit.KILOGRAM)
    )
    assert found.multibuy is None
    assert [one.why for one in found.reason.lost] == [Why.WEIGHED]


# ── Places beside each other, and what is written down ──────────────────────────────────────


def test_members_never_change_the_public_price() -> None:
    """Commercial notes N7."""
    club = promotion("club", PercentOff(permille=500), club="Gold", priority=1000, badge="GOLD")
    week = promotion("week", PercentOff(permille=100), priority=-5, badge="WEEK")
    found = offer([club, week])
    assert (found.price_minor, found.badge) == (900, "WEEK")
    assert found.member is not None
    assert (found.member.price_minor, found.member.unit.minor) == (500, 1000)
    alone = offer([club])
    assert (alone.price_minor, alone.reference_minor, alone.badge) == (1000, None, "GOLD")


def test_the_percentage_for_members_counts_from_the_prior_price() -> None:
    past = held(("2025-01-01", 1000), ("2026-05-10", 800), ("2026-05-12", 1000))
    club = promotion("club", PercentOff(permille=300), club="Gold", badge="−{percent} %")
    found = offer([club], past=past)
    assert (found.member.price_minor if found.member else None, found.badge) == (700, "−12 %")


def test_what_is_written_down_is_what_is_shown() -> None:
    found = offer(
        [
            promotion("week", PercentOff(permille=100), badge="WEEK"),
            promotion("two", TotalFor(quantity=2, total_minor=1500)),
            promotion("club", AmountOff(amount_minor=200), club="Gold"),
        ]
    )
    says = found.says()
    assert (says.price_minor, says.was_minor, says.unit_price_minor) == (900, 1000, 1800)
    assert (says.badge, says.regular_minor, says.member_minor) == ("WEEK", 1000, 800)
    assert (says.multibuy_quantity, says.multibuy_minor) == (2, 1500)
    assert found.promotion_ids == ("week", "two", "club")


def test_without_promotions_the_till_is_passed_on_as_it_is() -> None:
    till = base(199, badge="BIO", member_minor=179, multibuy_quantity=3, multibuy_minor=500)
    found = offer(till=till)
    assert found.says() == till.says._replace(unit_price_minor=398)
    assert found.reason.applied == found.reason.lost == ()


def test_the_next_change_is_the_first_end_of_what_holds() -> None:
    found = offer(
        [
            promotion("a", PercentOff(permille=100), window=Window(ends=local("2026-06-09 00:00"))),
            promotion(
                "b",
                TotalFor(quantity=2, total_minor=1500),
                window=Window(ends=local("2026-06-03 00:00")),
            ),
        ]
    )
    assert (found.ends, found.valid_to) == (utc("2026-06-02 22:00"), date(2026, 6, 8))


def test_an_exclusive_promotion_takes_no_words_from_others() -> None:
    found = offer(
        [
            promotion("only", Absolute(price_minor=700), stacking=Stacking.EXCLUSIVE, priority=5),
            promotion("two", TotalFor(quantity=2, total_minor=1000), badge="2 for 10", priority=5),
        ]
    )
    assert (found.price_minor, found.multibuy, found.badge) == (700, None, None)
