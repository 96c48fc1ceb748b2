import re
from dataclasses import replace
from fnmatch import fnmatchcase
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from esl.domain.errors import InvalidInput
from esl.domain.face import Face, Multibuy, OfferKind, Unit
from esl.domain.ids import PanelId, TemplateName
from esl.domain.template_rule import (
    DEFAULT_RULES,
    RuleBook,
    StockIs,
    TemplateRule,
    check_template_name,
    choose_template,
)

PANEL = PanelId("bwry-296x128")
NOTHING = Face(name="Jogurt", price_minor=129, currency="EUR", locale="hr_HR")
"""Nothing special."""


def face(**changes: Any) -> Face:
    return replace(NOTHING, **changes)


def rule(template: str = "own", **asked: Any) -> TemplateRule:
    return TemplateRule(template=TemplateName(template), **asked)


def chosen(label: Face, *rules: TemplateRule, panel: str = PANEL) -> str:
    return choose_template(RuleBook(rules), label, PanelId(panel)).template


# ── What every store begins with ───────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("label", "template"),
    [
        (NOTHING, "standard"),
        (face(badge="AKCIJA"), "promotion"),
        (face(was_minor=199), "promotion"),
        (face(multibuy=Multibuy(quantity=2, total_minor=200)), "multi-buy"),
        (face(member_price_minor=99), "member-price"),
        (face(member_price_minor=99, badge="AKCIJA"), "member-price"),
        (face(priced_per=Unit.KILOGRAM), "weighed"),
        (face(priced_per=Unit.KILOGRAM, was_minor=199), "promotion"),
        (face(others=(NOTHING,)), "two-products"),
        (face(others=(NOTHING, NOTHING)), "four-products"),
        (face(others=(NOTHING,) * 3), "four-products"),
        (face(price_minor=None), "neutral"),
        (face(price_minor=None, others=(NOTHING,)), "two-products"),  # neutral shows one
        (face(others=(NOTHING, face(price_minor=None))), "four-products"),
        (face(stock=0), "standard"),  # whether an empty shelf looks otherwise is the shop's choice
    ],
)
def test_without_rules_the_offer_decides(label: Face, template: str) -> None:
    choice = choose_template(RuleBook(), label, PANEL)
    assert (choice.template, choice.rule) == (template, None)
    assert choice.reason


def test_the_last_of_our_rules_asks_for_nothing() -> None:
    assert DEFAULT_RULES[-1] == rule("standard", note="nothing special")


# ── What a rule may ask for ────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("asked", "fits", "fits_not"),
    [
        ({"category": "Voće"}, {"category": "VOĆE"}, {"category": "Voće i povrće"}),
        ({"category": "Voće*"}, {"category": "voće i povrće"}, {"category": "Povrće"}),
        ({"category": "*"}, {"category": "x"}, {}),
        ({"brand": "Dukat"}, {"brand": "dukat"}, {"brand": "Vindija"}),
        ({"brand": "Du*"}, {"brand": "Dukat"}, {}),
        ({"kind": OfferKind.PROMOTION}, {"badge": "x"}, {}),
        ({"kind": OfferKind.NONE}, {"price_minor": None}, {}),
        (
            {"kind": OfferKind.NONE},
            {"others": (NOTHING, replace(NOTHING, price_minor=None))},
            {"others": (NOTHING, NOTHING)},
        ),
        (
            {"kind": OfferKind.PROMOTION},
            {"badge": "x", "others": (NOTHING,)},
            {"badge": "x", "others": (replace(NOTHING, price_minor=None),)},
        ),
        ({"kind": OfferKind.REGULAR}, {}, {"was_minor": 199}),
        ({"stock": StockIs.OUT}, {"stock": -1}, {"stock": 1}),
        ({"stock": StockIs.OUT}, {"stock": 0}, {}),
        ({"stock": StockIs.IN}, {"stock": 1}, {"stock": 0}),
        ({"stock": StockIs.IN}, {"stock": 9}, {}),
        ({"stock": StockIs.LOW, "stock_most": 5}, {"stock": 5}, {"stock": 6}),
        ({"stock": StockIs.LOW, "stock_most": 5}, {"stock": 1}, {"stock": 0}),
        ({"weighed": True}, {"priced_per": Unit.LITRE}, {}),
        ({"weighed": False}, {}, {"priced_per": Unit.KILOGRAM}),
        ({"products": 1}, {}, {"others": (NOTHING,)}),
        ({"products": 2}, {"others": (NOTHING,)}, {"others": (NOTHING, NOTHING)}),
        ({"brand": "Dukat", "stock": StockIs.OUT}, {"brand": "Dukat", "stock": 0}, {"stock": 0}),
        ({}, {}, None),
    ],
)
def test_all_that_a_rule_asks_for_must_hold(
    asked: dict[str, Any], fits: dict[str, Any], fits_not: dict[str, Any] | None
) -> None:
    assert chosen(face(**fits), rule(**asked)) == "own"
    if fits_not is not None:
        assert chosen(face(**fits_not), rule(**asked)) != "own"


@given(
    pattern=st.text("bwry-*?296x128", min_size=1, max_size=8),
    panel=st.text("bwry-296x128", min_size=1, max_size=8),
)
def test_a_panel_pattern_means_what_file_patterns_mean(pattern: str, panel: str) -> None:
    fits = chosen(NOTHING, rule(panel=pattern), panel=panel) == "own"
    assert fits == fnmatchcase(panel, pattern)


# ── Order, and why ─────────────────────────────────────────────────────────────────────────

CONDITIONS = st.fixed_dictionaries(
    {},
    optional={
        "category": st.sampled_from(["a", "ab", "a*", "*"]),
        "brand": st.sampled_from(["A", "b*"]),
        "panel": st.sampled_from(["bwry-*", "*-400x300"]),
        "kind": st.sampled_from(OfferKind),
        "stock": st.sampled_from([StockIs.OUT, StockIs.IN]),
        "weighed": st.booleans(),
        "products": st.integers(1, 3),
    },
)
RULES = st.lists(
    st.builds(lambda n, asked: rule(f"t-{n}", **asked), st.integers(0, 3), CONDITIONS), max_size=6
)
FACES = st.builds(
    face,
    category=st.sampled_from([None, "a", "AB", "abc", "c"]),
    brand=st.sampled_from([None, "a", "Bc"]),
    price_minor=st.sampled_from([None, 129]),
    badge=st.sampled_from([None, "x"]),
    stock=st.sampled_from([None, 0, 3]),
    priced_per=st.sampled_from([None, Unit.KILOGRAM]),
    others=st.sampled_from([(), (NOTHING,)]),
)
PANELS = st.sampled_from([PANEL, PanelId("bw-400x300")])


@given(rules=RULES, label=FACES, panel=PANELS)
def test_the_first_rule_that_fits_decides(
    rules: list[TemplateRule], label: Face, panel: PanelId
) -> None:
    choice = RuleBook(rules).choose(label, panel)
    alone = [
        RuleBook([one]).choose(label, panel).rule is not None for one in rules
    ]  # a rule's own word, asked without the others
    if choice.rule is None:
        assert not any(alone)
        assert choice == RuleBook().choose(label, panel)
    else:
        assert alone.index(True) == choice.rule
        assert choice.template == rules[choice.rule].template


@given(rules=RULES, label=FACES, panel=PANELS)
def test_what_is_explained_is_what_is_chosen(
    rules: list[TemplateRule], label: Face, panel: PanelId
) -> None:
    book = RuleBook(rules)
    choice, verdicts = book.choose(label, panel), book.explain(label, panel)
    assert [v.fits for v in verdicts] == [False] * (len(verdicts) - 1) + [True]
    last = verdicts[-1]
    assert (last.template, last.rule, last.words) == (choice.template, choice.rule, choice.reason)
    if choice.rule is not None:
        assert f"rule {choice.rule + 1} of the store" in choice.reason


def test_a_reason_names_everything_the_rule_asked_for() -> None:
    asked = rule(category="Voće*", stock=StockIs.LOW, stock_most=5, panel="*-296x128")
    label = face(category="Voće i povrće", stock=2)
    assert choose_template(RuleBook([rule(brand="x"), asked]), label, PANEL).reason == (
        "rule 2 of the store: 1 to 5 pieces in stock, category begins with “Voće”, "
        "panel is like “*-296x128”"
    )
    first, _ = RuleBook([rule(brand="x"), asked]).explain(label, PANEL)
    assert first.words == "not so: brand is “x”"


def test_a_low_stock_without_a_number_is_no_rule() -> None:
    with pytest.raises(ValueError, match="number"):
        RuleBook([rule(stock=StockIs.LOW)])


# ── Names ──────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("name", ["a", "0", "two-products", "x" * 63])
def test_a_name_may_stand_in_an_address(name: str) -> None:
    assert check_template_name(name, path="/name") == name


@pytest.mark.parametrize("name", ["", "-a", "A", "a_b", "a/b", "x" * 64, "č", "a\n"])
def test_any_other_name_is_refused_at_its_path(name: str) -> None:
    with pytest.raises(InvalidInput) as refused:
        check_template_name(name, path="/name")
    assert refused.value.problems[0].path == "/name"
    assert not name or not re.search(rf"'{re.escape(name)}'", str(refused.value))
