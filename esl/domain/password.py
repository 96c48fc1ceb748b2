"""What a password must be: long, and not one that is guessed first. No other rule (NIST 800-63B).

12 characters at least, 256 at most, any of Unicode (compared as NFC), never cut
not among those that are tried first: generated below from the words of the top of every list
not made of the shop's name, the person's name or ours, and digits
"""

import itertools
import unicodedata
from collections.abc import Iterable
from functools import cache
from typing import Final

from esl.domain.errors import InvalidInput

PASSWORD_SHORTEST: Final = 12
PASSWORD_LONGEST: Final = 256
_LETTERS_LEFT: Final = 6
"""What must be left of a password without the words of its place."""

_SIGNS_LEAST: Final = 5
"""Different characters; "aaaaaaaaaaaa" and "121212121212" are tried early."""

_CONTEXT_SHORTEST: Final = 3
_TAILS: Final = "0123456789!.?*#@"
_OURS: Final = ("esl", "electronicshelflabel", "shelflabel", "label", "shelf", "controller")

_WORDS: Final = (
    *("password", "passwort", "passwd", "parola", "lozinka", "sifra", "haslo", "heslo", "geslo"),
    *("motdepasse", "contrasena", "senha", "wachtwoord", "losenord", "salasana", "jelszo"),
    *("admin", "administrator", "root", "user", "guest", "test", "login", "welcome", "willkommen"),
    *("bienvenue", "dobrodosli", "letmein", "changeme", "default", "secret", "geheim", "tajna"),
    *("qwerty", "qwertz", "azerty", "qwertyuiop", "qwertzuiop", "azertyuiop", "asdfgh", "zxcvbn"),
    *("asdfghjkl", "yxcvbnm", "zxcvbnm", "qazwsx", "qazwsxedc", "1q2w3e4r", "1qaz2wsx", "abc"),
    *("abcd", "abcdef", "abcdefgh", "monkey", "dragon", "sunshine", "princess", "football"),
    *("baseball", "basketball", "superman", "batman", "pokemon", "starwars", "master", "shadow"),
    *("michael", "jennifer", "daniel", "charlie", "jordan", "andrea", "nicole", "ashley"),
    *("iloveyou", "tequiero", "jetaime", "volimte", "trustno", "whatever", "freedom", "hello"),
    *("hallo", "bonjour", "computer", "internet", "samsung", "google", "summer", "winter"),
    *("spring", "autumn", "sommer", "market", "store", "shop", "price", "manager", "technician"),
    *("liverpool", "arsenal", "chelsea", "barcelona", "juventus", "hajduk", "dinamo", "bayern"),
)
"""Words at the top of any list of what people choose: common knowledge, written down by us."""

_ENDINGS: Final = (
    *("1", "12", "123", "1234", "12345", "123456", "1234567", "12345678", "123456789"),
    *("1234567890", "0", "00", "000", "0000", "01", "007", "11", "111", "1111", "321", "4321"),
    *("54321", "654321", "69", "77", "777", "99", "999", "!", "!!", "!!!", "!1", "1!", "123!"),
    *("1234!", "12345!", "@123", "@1234", "#123", "#1", ".", "..", "?", "*", "abc", "xyz"),
    *(str(year) for year in range(1980, 2036)),
    *(f"{year}!" for year in range(2015, 2036)),
)


@cache
def common_passwords() -> frozenset[str]:
    """Passwords of `PASSWORD_SHORTEST` characters or more that are tried first, folded."""
    made = {
        "".join(parts)
        for word in _WORDS
        for parts in (
            *((word, ending) for ending in _ENDINGS),
            *((ending, word) for ending in _ENDINGS),
            *((word, word, ending) for ending in ("", *_ENDINGS)),
            (word, word, word),
        )
    }
    made |= {"".join(pair) for pair in itertools.product(_WORDS, repeat=2)}
    return frozenset(one for one in made if len(one) >= PASSWORD_SHORTEST)


def normal_password(text: str) -> str:
    """Return a password as it is hashed: two ways to type an é are one."""
    return unicodedata.normalize("NFC", text)


def check_password(text: str, *, path: str, context: Iterable[str] = ()) -> str:
    """Return a new password as it is hashed. ``context``: names of its shops and person.

    Raises:
        InvalidInput: It is too short or too long, or guessed first; says what to do.
    """
    password = normal_password(text)
    if len(password) < PASSWORD_SHORTEST:
        raise InvalidInput.at(
            path,
            f"shorter than {PASSWORD_SHORTEST} characters",
            fix="Use several words; there are no other rules.",
        )
    if len(password) > PASSWORD_LONGEST:
        raise InvalidInput.at(
            path, f"longer than {PASSWORD_LONGEST} characters", fix="Use a shorter one."
        )
    if any(unicodedata.category(c) == "Cs" for c in password):
        raise InvalidInput.at(path, "holds half a character", fix="Type it again.")
    if _is_guessed_first(password, context):
        raise InvalidInput.at(
            path,
            "one of those that are tried first",
            fix="Use several words that do not belong together, and no name of shop or person.",
        )
    return password


def _is_guessed_first(password: str, context: Iterable[str]) -> bool:
    folded = _fold(password)
    stem = folded.rstrip(_TAILS)
    if not {folded, _plain(stem) + folded[len(stem) :]}.isdisjoint(common_passwords()):
        return True
    if len(set(folded)) < _SIGNS_LEAST or _is_a_run(folded):
        return True
    rest = "".join(c for c in folded if c.isalnum())
    words = {
        part
        for text in (*context, *_OURS)
        for part in (*_fold(text).replace("@", " ").replace(".", " ").split(), _joined(text))
        if len(part) >= _CONTEXT_SHORTEST
    }
    held = [word for word in words if word in rest]
    for word in sorted(held, key=len, reverse=True):
        rest = rest.replace(word, "")
    return bool(held) and sum(c.isalpha() for c in rest) < _LETTERS_LEFT


def _fold(text: str) -> str:
    """Small letters without their marks."""
    parts = unicodedata.normalize("NFKD", text).casefold()
    return "".join(c for c in parts if not unicodedata.combining(c))


def _plain(folded: str) -> str:
    """Undo what people take for a disguise."""
    return folded.translate(str.maketrans("@01345$7", "aoieasst"))


def _joined(text: str) -> str:
    return "".join(c for c in _fold(text) if c.isalnum())


def _is_a_run(folded: str) -> bool:
    """Say whether each character follows the one before, as in "abcdefghijkl", or a few times."""
    steps = {ord(b) - ord(a) for a, b in itertools.pairwise(folded)}
    return steps <= {1, -9} or steps <= {-1, 9}
