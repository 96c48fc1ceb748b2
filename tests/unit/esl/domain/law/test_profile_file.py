"""Every rule of a profile has a source or is said to be unknown; a bad file is refused."""

import json
import re
import tomllib
from dataclasses import fields
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from jsonschema_rs import Draft202012Validator

from esl.domain.errors import InvalidInput, SetupError, UnknownProfile
from esl.domain.law import (
    PROFILE_NAMES,
    ClaimCode,
    UnitPriceCode,
    load_profile,
    parse_profile,
)
from esl.domain.law.account import account_of
from esl.domain.law.keys import SECTIONS
from esl.domain.law.profile import ALWAYS, Checked, Profile
from esl.domain.law.profile_file import (
    FILE_LARGEST_BYTES,
    SAYS_ENOUGH,
    profile_text,
    read_profile_file,
)
from esl.domain.law.schema import schema_text

PROJECT = Path(__file__).parents[5]
VALIDATOR = Draft202012Validator(json.loads(schema_text()))
EU = profile_text("eu")


def problems(text: str, name: str = "own") -> dict[str, str]:
    with pytest.raises(InvalidInput) as caught:
        parse_profile(text, name=name)
    assert all(problem.fix or not problem.path for problem in caught.value.problems)
    return {problem.path: problem.detail for problem in caught.value.problems}


def dated_as_json(text: str) -> Any:
    """Read TOML as the editors that know our schema do: dates are texts."""
    return json.loads(json.dumps(tomllib.loads(text), default=str))


# ── The bundled ones ────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("name", PROFILE_NAMES)
def test_every_rule_is_known_with_a_source_or_not_known_in_words(name: str) -> None:
    profile = load_profile(name)
    for section, keys in SECTIONS.items():
        rules = getattr(profile, section)
        applies = section not in SAYS_ENOUGH or getattr(rules, SAYS_ENOUGH[section])
        for key in keys:
            rule = f"{section}.{key.name}"
            has_own = key.has_own_sources and bool(getattr(rules, key.field_name))
            known = rule in profile.cites or (has_own and rule not in profile.unknown)
            if applies or key.name == SAYS_ENOUGH.get(section):
                assert known is not (rule in profile.unknown), rule
            if rule in profile.unknown and key.name != "bases":
                assert getattr(rules, key.field_name) == key.careful_value, rule
        assert {key.field_name for key in keys} == {field.name for field in fields(rules)}


@pytest.mark.parametrize("name", PROFILE_NAMES)
def test_every_source_is_used_and_tells_how_well_it_is_known(name: str) -> None:
    profile = load_profile(name)
    lists = (profile.unit_price.bases, profile.unit_price.exemptions, profile.anchor.categories)
    cites = [*profile.cites.values(), *(entry.source for each in lists for entry in each)]
    cites += profile.unknown.values()
    used = {word for cite in cites for word in re.findall(r"[a-z][a-z0-9_]*", cite)}
    assert set(profile.sources) <= used
    assert {source.checked for source in profile.sources.values()} <= set(Checked)


@pytest.mark.parametrize("name", PROFILE_NAMES)
def test_the_published_schema_accepts_what_we_bring(name: str) -> None:
    assert not list(VALIDATOR.iter_errors(dated_as_json(profile_text(name))))


def test_the_published_schema_is_that_of_the_program() -> None:
    published = (PROJECT / "docs/law.schema.json").read_text("utf-8")
    assert published == schema_text(), "run: esl law schema > docs/law.schema.json"


def test_the_page_names_every_profile_and_every_code() -> None:
    page = (PROJECT / "docs/law.md").read_text("utf-8")
    shown = {ClaimCode.ALLOWED, UnitPriceCode.SHOWN}
    codes = {code.value for code in (*ClaimCode, *UnitPriceCode) if code not in shown}
    assert {*PROFILE_NAMES, *codes} <= set(re.findall(r"`([a-z_]+)`", page))


@pytest.mark.parametrize("name", PROFILE_NAMES)
def test_an_account_names_each_rule_that_applies_once(name: str) -> None:
    profile = load_profile(name)
    rules = [f"{ruling.section}.{ruling.name}" for ruling in account_of(profile)]
    assert len(rules) == len(set(rules))
    assert set(profile.cites) | set(profile.unknown) <= set(rules)
    assert all(ruling.because and ruling.value for ruling in account_of(profile))


def test_what_the_laws_say_is_what_the_profiles_say() -> None:
    eu, hr, de, fr, us = (load_profile(name) for name in PROFILE_NAMES[:5])
    assert [p.prior_price.days for p in (eu, hr, de, fr, us)] == [30, 30, 30, 30, 0]
    assert [p.prior_price.progressive_days for p in (eu, hr, de, fr)] == [0, 0, ALWAYS, ALWAYS]
    assert [p.tax.included for p in (eu, hr, de, fr, us)] == [True, True, True, True, False]
    assert [p.anchor.required for p in (eu, hr, de, fr, us)] == [False, True, False, False, False]
    assert (us.unit_price.heading, us.unit_price.position) == ("Unit Price", "above_or_left")
    assert de.unit_price.too_small_milli == 10
    assert "fr" in fr.prior_price.words
    assert hr.prior_price.words_in("hr_HR") == "najniža cijena u posljednjih 30 dana"
    assert hr.prior_price.words_in("ja") == hr.prior_price.words_in("hr")


def test_a_profile_is_read_once() -> None:
    assert load_profile("de") is load_profile("de")
    with pytest.raises(UnknownProfile, match="no law profile 'at'; there are eu"):
        load_profile("at")
    with pytest.raises(UnknownProfile):
        load_profile("../eu")


# ── A shop's own ────────────────────────────────────────────────────────────────────────────


def test_a_shops_own_profile_begins_with_one_of_ours(tmp_path: Path) -> None:
    text = EU.replace("days = 30", "days = 60").replace('"European Union"', '"Ours"')
    file = tmp_path / "our-shop.toml"
    file.write_text(text, encoding="utf-8")
    profile = read_profile_file(file)
    assert (profile.name, profile.title, profile.prior_price.days) == ("our-shop", "Ours", 60)


@pytest.mark.parametrize(
    ("old", "new", "path", "detail"),
    [
        ("days = 30", "days = 30.0", "/prior_price/days", "not a value of this rule"),
        ("days = 30", "days = true", "/prior_price/days", "not a value of this rule"),
        ("days = 30", "days = 367", "/prior_price/days", "not a value of this rule"),
        ("days = 30", 'days = "30"', "/prior_price/days", "not a value of this rule"),
        ("days = 30\n", "", "/prior_price/source/days", "a source of nothing"),
        ("days = 30\n", "dayz = 30\n", "/prior_price/dayz", "no such rule"),
        ("percent_from_prior = true\n", "", "/prior_price/percent_from_prior", "neither known"),
        ('source.days = "pid Art. 6a(1) and (2)"\n', "", "/prior_price/source/days", "no source"),
        ('"pid Art. 6a(1) and (2)"', '"art. 6a"', "/prior_price/source/days", "names no source"),
        ("progressive = ", "progressiv = ", "/prior_price/progressive", "neither known"),
        ("progressive = ", "progressiv = ", "/prior_price/unknown/progressiv", "no such rule"),
        ("version = 1", "version = 0", "/version", "no whole number"),
        ("version = 1", "version = true", "/version", "no whole number"),
        ("2022-05-28", '"2022-05-28"', "/in_force_since", "no date"),
        ("2022-05-28", "2022-05-28T00:00:00Z", "/in_force_since", "no date"),
        ('title = "European Union"', "title = 1", "/title", "no text"),
        ('title = "European Union"', 'title = "a\\u0000"', "/title", "control characters"),
        ("[tax]", "[taxes]", "/taxes", "no such section"),
        ("[tax]", "[taxes]", "/tax/included", "neither known nor unknown"),
        ('checked = "memory"', 'checked = "yes"', "/sources/notice/checked", "not known"),
        ('checked = "memory"', "checked = []", "/sources/notice/checked", "not known"),
        ("[sources.notice]", "[sources.Notice]", "/sources/Notice", "no name of a source"),
        ('"https://eur-lex.europa.eu/eli', '"ftp://', "/sources/pid/address", "no https"),
        ('unit = "kg"', 'unit = "stone"', "/unit_price/bases/0/unit", "no unit"),
        ('unit = "kg"', "unit = 1", "/unit_price/bases/0/unit", "no unit"),
        ('size = "1000"', 'size = "0"', "/unit_price/bases/0/size", "no size above zero"),
        ('size = "1000"', 'size = "1_000"', "/unit_price/bases/0/size", "no size above zero"),
        ('size = "1000"', "size = 1000", "/unit_price/bases/0/size", "no size above zero"),
        ('size = "1000"', 'size = "١"', "/unit_price/bases/0/size", "no size above zero"),
        ('unit = "l"', 'unit = "kg"', "/unit_price/bases/1", "a second basis"),
        ('text = "kg"\n', "", "/unit_price/bases/0/text", "no text"),
        ('text = "kg"', 'text = "kg"\nnote = 1', "/unit_price/bases/0/note", "no such key"),
        ('text = "kg"', 'text = "kg"\nloose = 1', "/unit_price/bases/0/loose", "not true"),
        ('source = "pid Art. 2(b)"', "", "/unit_price/bases/0/source", "names no source"),
        ('position = "near"', 'position = "far"', "/unit_price/position", "not a value"),
        ("plus {amount} deposit", "plus deposit", "/deposit/words/en", "must hold {amount}"),
        ("plus {amount} deposit", "{amount} {x}", "/deposit/words/en", "must hold {amount}"),
        ("lowest price of the", "{lowest} price of the", "/prior_price/words/en", "no braces"),
        ('en = "plus', 'english = "plus', "/deposit/words/english", "no language"),
        ("[prior_price.unknown]", "[prior_price.unknown]\ndays = 'x'", "/prior_price/days", "both"),
        ("required = false", "required = 0", "/anchor/required", "not a value"),
    ],
)
def test_every_mistake_is_named_with_its_place(old: str, new: str, path: str, detail: str) -> None:
    assert old in EU
    assert detail in problems(EU.replace(old, new, 1))[path]


def test_all_mistakes_are_told_at_once() -> None:
    found = problems(EU.replace("days = 30", "days = -1").replace("version = 1", ""))
    assert set(found) == {"/prior_price/days", "/version"}


@pytest.mark.parametrize(
    "text", ["", "title = ", "sources = 1", "[sources]\na = 1\n[tax]\nsource = 1\nunknown = []"]
)
def test_what_is_no_profile_is_refused(text: str) -> None:
    assert problems(text)


@pytest.mark.parametrize("name", ["", "EU", "../eu", "a" * 33, "ö"])
def test_a_profile_has_a_plain_name(name: str) -> None:
    assert problems(EU, name) == {"": "the name is no profile's"}


def test_a_file_that_cannot_be_read_is_refused_in_words(tmp_path: Path) -> None:
    with pytest.raises(SetupError, match="cannot read"):
        read_profile_file(tmp_path / "none.toml")
    big = tmp_path / "big.toml"
    big.write_text("#" * (FILE_LARGEST_BYTES + 1), encoding="utf-8")
    latin = tmp_path / "latin.toml"
    latin.write_bytes(EU.replace("Süd", "S\xfcd").encode("latin-1", "replace"))
    for file, detail in ((big, "larger"), (latin, "not UTF-8")):
        with pytest.raises(InvalidInput, match=detail):
            read_profile_file(file)


JUNK = st.recursive(
    st.one_of(st.booleans(), st.integers(), st.text(max_size=5), st.just("pid"), st.floats(0, 9)),
    lambda inner: st.one_of(
        st.lists(inner, max_size=3), st.dictionaries(st.text("abc", max_size=3), inner, max_size=3)
    ),
    max_leaves=6,
)
PLACES = [(section, key.name) for section, keys in SECTIONS.items() for key in keys]


@given(place=st.sampled_from([*PLACES, ("sources", "pid"), ("tax", "source")]), junk=JUNK)
def test_nothing_that_a_file_holds_breaks_the_reader(place: tuple[str, str], junk: object) -> None:
    document = tomllib.loads(EU)
    document[place[0]][place[1]] = junk
    toml = "\n".join(f"{key} = {_inline(value)}" for key, value in document.items())
    try:
        profile = parse_profile(toml, name="own")
    except InvalidInput:
        return  # anything but this would fail here
    assert isinstance(profile, Profile)
    assert account_of(profile)


def _inline(value: object) -> str:
    """Write a value as TOML on one line."""
    if isinstance(value, dict):
        return "{" + ", ".join(f"{json.dumps(k)} = {_inline(v)}" for k, v in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(map(_inline, value)) + "]"
    if isinstance(value, str):
        return json.dumps(value).replace("\x7f", "\\u007f")
    if isinstance(value, bool):
        return str(value).lower()
    return str(value)
