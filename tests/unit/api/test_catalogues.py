"""The console says everything in every language it offers."""

import pytest
from babel.messages.catalog import Catalog

from api.console.languages import NAMES, choose, language, say, say_many, speaking
from tests import catalogues


@pytest.fixture(scope="module")
def texts() -> Catalog:
    return catalogues.said_by_the_console()


@pytest.mark.parametrize("code", catalogues.OTHERS)
def test_every_text_has_its_words(code: str, texts: Catalog) -> None:
    assert list(catalogues.lacking(catalogues.read(code), texts)) == []


def test_what_a_catalogue_lacks_is_found(texts: Catalog) -> None:
    catalogue = catalogues.read("de")
    catalogue.get("Sent %(times)s times, and no answer yet.").string = "%(anzahl)s-mal"
    catalogue.get("Sign out").string = ""
    catalogue.get("Close").flags.add("fuzzy")
    catalogue.add("Long gone", "Lange weg")
    catalogue.delete("Search")
    found = "\n".join(catalogues.lacking(catalogue, texts))
    for named in ("times", "Sign out", "Close", "Long gone", "Search"):
        assert named in found
    assert len(found.splitlines()) == 5


def test_a_text_is_said_in_the_language_that_is_spoken() -> None:
    assert say("Sent %(times)s times, and no answer yet.", times=3).startswith("Sent 3 times")
    with speaking("de"):
        assert say("Sign out") == "Abmelden"
        one, many = "%(num)s label: %(states)s.", "%(num)s labels: %(states)s."
        assert say_many(one, many, 1, states="x") == "1 Etikett: x."
        assert say_many(one, many, 2, states="x") == "2 Etiketten: x."
    with speaking("ar"):
        assert len({say_many(one, many, n, states="") for n in (1, 2, 3, 11)}) == 4
    assert say("Sign out") == "Sign out"


@pytest.mark.parametrize("code", NAMES)
def test_arabic_alone_goes_from_right_to_left(code: str) -> None:
    assert language(code).direction == ("rtl" if code == "ar" else "ltr")


@pytest.mark.parametrize(
    ("cookie", "accepted", "chosen"),
    [
        (None, "", "en"),
        (None, "de-AT,de;q=0.9,en;q=0.8", "de"),
        (None, "hr,fr;q=0.7,en;q=0.3", "fr"),
        (None, "fr;q=0.2, ar;q=0.9", "ar"),
        (None, "de;q=0, en", "en"),
        (None, "de;q=x, *;q=0.1", "en"),
        ("ar", "de", "ar"),
        ("../../etc", "de", "de"),
        (None, "," * 5000 + "de", "en"),
    ],
)
def test_a_person_is_asked_first_and_then_the_browser(
    cookie: str | None, accepted: str, chosen: str
) -> None:
    assert choose(cookie, accepted) == chosen
