"""Columns of dates: which date each may be, and how it is written.

"29.12.2025"  day first: there is no month 29          "03/04/2026"  April or March: a person says
"2025-12-29"  ISO 8601, needs no format                 "00.00.0000", "9999-12-31"  stand for none

Which date a column is (the offer's begin, its end, the day the row was typed) no file proves, so
every one is a question; only its form may be certain.
"""

import json
import re
from collections.abc import Sequence
from datetime import datetime
from itertools import product

from esl.intake.suggest.suggestion import Column, Question
from esl.intake.suggest.words import fold_header, speaks_of_promotion

_LOOKED_AT = 300
_NONE_MOST = 3
_FIRST_YEAR, _LAST_YEAR = 2000, 2099
_PARTED_DAYS = (
    *("%d.%m.%Y", "%m.%d.%Y", "%d.%m.%Y.", "%m.%d.%Y.", "%d/%m/%Y", "%m/%d/%Y"),
    *("%d-%m-%Y", "%m-%d-%Y", "%Y/%m/%d", "%Y.%m.%d", "%Y.%m.%d.", "%Y. %m. %d."),
    *("%d. %m. %Y", "%d.%m.%y", "%m.%d.%y", "%d/%m/%y", "%m/%d/%y"),
)
_RUN_TOGETHER = {"%Y%m%d": 8, "%d%m%Y": 8, "%Y%m%d%H%M": 12, "%Y%m%d%H%M%S": 14}
"""Forms of digits alone, and how many there are."""
FORMS = (
    *("".join(each) for each in product(_PARTED_DAYS, ("", " %H:%M", " %H:%M:%S"))),
    *_RUN_TOGETHER,
)
_ISO = re.compile(r"\d{4}-\d\d-\d\d([T ]\d\d:\d\d(:\d\d(\.\d{1,6})?)?(Z|[+-]\d\d:?\d\d)?)?")
_PARTED = re.compile(r"\d{1,4}([-/.]) ?\d{1,2}\1 ?\d{1,4}")
_ENDS = re.compile(
    r"\b(?:to|until|till|do|bis|au|al|hasta|fino|fin|fine|end\w*|kraj\w*|koniec|konec|ate|"
    r"expir\w*|veg\w*|bitis|до|крај\w*|край|עד|סיום|ληξ\w*|εωσ|tot|valid_to)\b"
)
_STAMPS = re.compile(
    r"\b(?:update\w*|modified|changed|change|timestamp|created|geandert|promjen\w*|izmjen\w*)\b"
)


def ask_of_dates(column: Column) -> Question | None:
    """Ask which date a column is; None of a time at which the row was changed."""
    folded = fold_header(column.header)
    if _STAMPS.search(folded):
        return None
    filled = [value for value in dict.fromkeys(column.values) if value][:_LOOKED_AT]
    if not filled:
        words = "every cell is empty here: what does it hold while a promotion runs?"
        return Question(column=column, words=words)
    forms, none_words = forms_of(filled)
    target = _target_of(column.header)
    dates = [value for value in filled if value not in none_words]
    example = f'"{(dates or filled)[0][:30]}"'
    if not dates or not forms:
        words = f"is it a date? {example} has no form that is known; give it a format"
        return Question(column=column, words=words)
    asked = {
        "promotion_to": "the promotion's last day?",
        "promotion_from": "the promotion's first day?",
        "valid_to": "the last day of what the row says?",
        "valid_from": "the day from which all the row says holds?",
    }[target]
    words = f"is it {asked} Then take the # away"
    if len(forms) > 1:
        words += (
            f". Day and month cannot be told apart: {example} is {_spoken(forms[0])}, "
            f"or {_spoken(forms[1])}"
        )
    members = [] if forms[0] is None else [f'format: "{forms[0]}"']
    if none_words:
        words_map = ", ".join(f"{json.dumps(word)}: null" for word in none_words[:_NONE_MOST])
        members.append(f"map: {{{words_map}}}")
    return Question(column=column, words=words, target=target, members=tuple(members))


def holds_dates(column: Column) -> bool:
    """Say whether all cells are dates, by their form alone: such as no number has."""
    filled = [value for value in dict.fromkeys(column.values) if value][:_LOOKED_AT]
    forms, none_words = forms_of(filled)
    dates = [value for value in filled if value not in none_words]
    return bool(forms) and all(_PARTED.match(value) for value in dates)


def forms_of(values: Sequence[str]) -> tuple[list[str | None], list[str]]:
    """Find the forms that all values have (None is ISO 8601), and words that stand for no date."""
    none_words = [value for value in values if _is_none(value)]
    dates = [value for value in values if value not in none_words]
    if not dates:
        return [], none_words
    if all(_ISO.fullmatch(value) for value in dates):
        return [None], none_words
    return [form for form in FORMS if all(_fits(value, form) for value in dates)], none_words


def _is_none(value: str) -> bool:
    digits = re.sub(r"\D", "", value)
    if not digits.strip("0"):
        return True
    years = re.findall(r"(?<!\d)(?:0001|1[789]\d\d|9999)(?!\d)", value)
    return bool(years) or digits.startswith(("1900", "9999"))


def _fits(value: str, form: str) -> bool:
    digits = _RUN_TOGETHER.get(form)
    if digits is not None and not (len(value) == digits and value.isdigit()):
        return False
    try:
        moment = datetime.strptime(value, form)  # noqa: DTZ007  only its form is looked at
    except ValueError:
        return False
    return _FIRST_YEAR <= moment.year <= _LAST_YEAR


def _target_of(header: str) -> str:
    kind = "promotion" if speaks_of_promotion(header) else "valid"
    return f"{kind}_{'to' if _ENDS.search(fold_header(header)) else 'from'}"


def _spoken(form: str | None) -> str:
    """Say a form in words: "%d.%m.%Y" is "day.month.year"."""
    words = {"%d": "day", "%m": "month", "%Y": "year", "%y": "year"}
    text = form or "ISO 8601"
    for sign, word in words.items():
        text = text.replace(sign, word)
    return re.sub(r"[T ]?%H.*", "", text)
