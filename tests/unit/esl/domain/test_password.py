import unicodedata

import pytest

from esl.domain.errors import InvalidInput
from esl.domain.password import (
    PASSWORD_LONGEST,
    PASSWORD_SHORTEST,
    check_password,
    common_passwords,
)

SHOP = ("Konzum Vrsar", "ana.novak", "Ana Novak")


@pytest.mark.asvs("6.2.4")
def test_many_of_those_that_are_tried_first_are_known() -> None:
    known = common_passwords()
    assert len(known) >= 3000
    assert all(len(one) >= PASSWORD_SHORTEST for one in known), "shorter ones are refused anyway"
    assert {"password1234", "qwertyuiop123", "iloveyou2024", "adminadmin123"} <= known


@pytest.mark.parametrize(
    "password",
    [
        "password1234",
        "PASSWORD1234",
        "P@ssw0rd1234",
        "Pa$$word2024!",
        "QwertyUiop123",
        "123456789012",
        "210987654321",
        "abcdefghijkl",
        "aaaaaaaaaaaa",
        "121212121212",
        "Konzum12345!",
        "konzum-esl-2025",
        "vrsar.konzum.1",
        "Ana.Novak-2024",
        "esl-controller-1",
        "lozinkalozinka",
    ],
)
@pytest.mark.asvs("6.2.4", "6.2.11")
def test_what_is_tried_first_is_refused_and_never_repeated(password: str) -> None:
    with pytest.raises(InvalidInput) as refused:
        check_password(password, path="/password", context=SHOP)
    [problem] = refused.value.problems
    assert problem.path == "/password"
    assert "tried first" in problem.detail
    assert password not in repr(problem)


@pytest.mark.parametrize(
    "password",
    [
        "a heron by the weir",
        "konzum and four more words",
        "korak kiša lopata",
        "жираф у реки один",
        "🦩🐟🌧️🪨🛶🐚🪶🌾🦆🐸🪵🌿",
        "x" * 5 + "yz" * 60 + "correct horse",
        "no digits no capitals",
        " spaces count too ",
    ],
)
@pytest.mark.asvs("6.2.5", "6.2.9")
def test_long_ones_of_any_kind_are_taken_whole(password: str) -> None:
    taken = check_password(password, path="/password", context=SHOP)
    assert taken == unicodedata.normalize("NFC", password)


@pytest.mark.asvs("6.2.1", "6.2.9")
def test_the_length_is_bound_and_nothing_is_cut() -> None:
    base = "the heron stood by the weir and waited for a fish that never came "
    longest = (base * 5)[:PASSWORD_LONGEST]
    assert check_password(longest, path="/password") == longest
    for text, words in (
        (base[: PASSWORD_SHORTEST - 1], "shorter"),
        (longest + "x", "longer"),
        ("", "shorter"),
        ("the heron \ud800 stood", "half a character"),
    ):
        with pytest.raises(InvalidInput, match=words):
            check_password(text, path="/password")


def test_two_ways_to_type_a_letter_are_one_password() -> None:
    composed, combined = "čaplja kraj brane", unicodedata.normalize("NFD", "čaplja kraj brane")
    assert composed != combined
    assert check_password(combined, path="/password") == composed
