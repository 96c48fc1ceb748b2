"""The cookie of a sign-in that is under way: ours, fresh, and the seed of what travels."""

import base64
import hashlib
from datetime import timedelta

import pytest

from api.oidc.sealed_cookie import LASTS, begin, seal, unseal
from tests.builders import NOON

KEY = b"k" * 32


def test_a_cookie_comes_back_as_it_was_for_ten_minutes() -> None:
    begun = begin()
    cookie = seal(begun, KEY, NOON)
    assert unseal(cookie, KEY, NOON) == begun
    assert unseal(cookie, KEY, NOON + LASTS) == begun
    assert unseal(cookie, KEY, NOON + LASTS + timedelta(seconds=1)) is None
    assert unseal(cookie, KEY, NOON - timedelta(minutes=1)) is None


@pytest.mark.parametrize("place", range(0, 119, 7))
def test_a_cookie_with_another_character_is_none(place: int) -> None:
    cookie = seal(begin(), KEY, NOON)
    assert len(cookie) == 119
    other = "1" if cookie[place] != "1" else "2"
    assert unseal(cookie[:place] + other + cookie[place + 1 :], KEY, NOON) is None


@pytest.mark.parametrize("text", ["", "..", "1.a.b", "x" * 119, "é" * 119, "1\n.2"])
def test_what_is_no_cookie_of_ours_is_none(text: str) -> None:
    assert unseal(text, KEY, NOON) is None


def test_a_cookie_of_another_installation_is_none() -> None:
    assert unseal(seal(begin(), KEY, NOON), b"j" * 32, NOON) is None


def test_what_travels_tells_nothing_of_what_stays() -> None:
    begun = begin()
    made = {begun.secret, begun.state, begun.nonce, begun.verifier, begun.challenge}
    assert len(made) == 5
    assert all(len(one) == 43 for one in made)
    digest = hashlib.sha256(begun.verifier.encode()).digest()
    assert begun.challenge == base64.urlsafe_b64encode(digest).rstrip(b"=").decode()
    assert begin().secret != begun.secret
