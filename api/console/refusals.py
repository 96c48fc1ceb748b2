"""What is wrong with a sign-in, a new password or a code: whole sentences, in any language.

The API says it by field and in English; these are the same refusals as people read them, who have
no page of ours yet. What is not known here is said as the API says it.
"""

from collections.abc import Mapping
from typing import Final

from api.console.languages import mark, say, say_many
from esl.domain.errors import EslError, InvalidInput, TooOften

_MINUTES_FROM_S: Final = 120

_SENTENCES: Final[Mapping[str, str]] = {
    "shorter than 12 characters": mark(
        "The password is shorter than 12 characters. Use several words; there are no other rules."
    ),
    "longer than 256 characters": mark(
        "The password is longer than 256 characters. Use a shorter one."
    ),
    "holds half a character": mark("The password holds half a character. Type it again."),
    "one of those that are tried first": mark(
        "The password is one of those that are tried first. Use several words that do not belong"
        " together, and no name of shop or person."
    ),
    "not the same twice": mark("The password is not the same twice. Type it again."),
    "not your password": mark("That is not your password. Type the one you sign in with."),
    "not the code of this moment": mark(
        "That is not the code of this moment. Check the clock of the phone."
    ),
    "not 2 to 80 characters": mark(
        "The name to sign in with is not 2 to 80 characters long. Use a short name, or the mail"
        " address."
    ),
    "holds blanks or characters that cannot be seen": mark(
        "The name to sign in with holds blanks or characters that cannot be seen. Use letters,"
        " digits and signs, such as ana.novak or a mail address."
    ),
    "this sign-in name is taken": mark("This name to sign in with is taken. Choose another."),
    "there is an admin already": mark("There is an admin already. Ask them to add you."),
    "codes are asked for already; turn them off first": mark(
        "Codes are asked for already. Turn them off first."
    ),
    "nothing to confirm: begin first": mark("That was begun too long ago. Begin again."),
}


def in_words(exc: EslError) -> str:
    """Say what was refused, and what to do."""
    if isinstance(exc, TooOften):
        return too_often(exc.again_after_s)
    detail = exc.problems[0].detail if isinstance(exc, InvalidInput) else str(exc)
    if detail in _SENTENCES:
        return say(_SENTENCES[detail])
    fix = exc.problems[0].fix if isinstance(exc, InvalidInput) else None
    sentence = f"{detail[:1].upper()}{detail[1:]}".rstrip(".") + "."
    return f"{sentence} {fix}" if fix else sentence


def too_often(wait_s: int) -> str:
    """Say that somebody has to wait."""
    if wait_s < _MINUTES_FROM_S:
        return say_many(
            "Too many attempts. Wait %(num)s second, then try again.",
            "Too many attempts. Wait %(num)s seconds, then try again.",
            wait_s,
        )
    return say_many(
        "Too many attempts. Wait %(num)s minute, then try again.",
        "Too many attempts. Wait %(num)s minutes, then try again.",
        -(-wait_s // 60),
    )
