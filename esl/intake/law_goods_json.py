"""Which of a store's categories are the goods that laws name: ``{"food": ["HRANA", "PIĆE"]}``."""

import json
from collections.abc import Sequence
from typing import Any, Final

from esl.domain.errors import FieldProblem, InvalidInput
from esl.domain.law.chosen import law_for, profiles
from esl.domain.law.goods import codes_known
from esl.intake.strict_json import pointer

WORDS_MOST: Final = 500
WORD_LONGEST: Final = 120


def parse_law_goods(value: Any, path: str, *, law: str | None, locale: str) -> str | None:
    """Read a store's words for goods; return them as they are kept, None where there are none.

    ``law`` and ``locale`` are the store's, for the fix. Codes of another law may be sent: they
    count once the store follows it.

    Raises:
        InvalidInput: With the path of each bad field.
    """
    if not isinstance(value, dict):
        raise InvalidInput.at(path, "not an object", fix='Send {"food": ["Groceries"]}.')
    known = codes_known(profiles())
    problems: list[FieldProblem] = []
    kept: dict[str, list[str]] = {}
    for code, words in value.items():
        at = pointer(path, code[:WORD_LONGEST])
        if code not in known:
            here = codes_known([law_for(law, locale)])
            fix = f"The law of this store names {', '.join(here)}." if here else _NONE_HERE
            problems.append(FieldProblem(path=at, detail="no goods that a law names", fix=fix))
        elif not isinstance(words, list) or not all(_is_word(word) for word in words):
            fix = f"Send your own names of these categories in a list, {WORDS_MOST} in all at most."
            problems.append(FieldProblem(path=at, detail="not a list of categories", fix=fix))
        elif words:
            kept[code] = _each_once(words)
    if sum(len(words) for words in kept.values()) > WORDS_MOST:
        fix = f"Send {WORDS_MOST} at most."
        problems.append(FieldProblem(path=path, detail="too many categories", fix=fix))
    if problems:
        raise InvalidInput(problems)
    return json.dumps(kept, ensure_ascii=False, sort_keys=True) if kept else None


def law_goods_view(law_goods: str | None) -> dict[str, list[str]]:
    """Write them as they are read."""
    view: dict[str, list[str]] = json.loads(law_goods) if law_goods is not None else {}
    return view


_NONE_HERE: Final = "The law of this store names none; leave law_goods out, or see: esl law show."


def _is_word(word: object) -> bool:
    return isinstance(word, str) and bool(word.strip()) and len(word) <= WORD_LONGEST


def _each_once(words: Sequence[str]) -> list[str]:
    return list(dict.fromkeys(" ".join(word.split()) for word in words))
