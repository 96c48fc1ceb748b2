"""Keep the console's catalogues: what its pages and code say, and what other languages say for it.

    python -m tests.catalogues          bring the catalogues up to date, and list what lacks words

A text that is new gets an empty entry in every catalogue, one that is gone leaves it; words that
stand there are kept. Translate the empty ones by hand.
"""

import ast
import io
import sys
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

from babel.messages.catalog import Catalog, Message
from babel.messages.extract import extract_from_dir
from babel.messages.pofile import read_po, write_po

from api.console.languages import NAMES
from esl.domain.guards import WORDS
from esl.domain.problem import WHAT_TO_DO
from esl.services.provider_sign_in import REFUSALS

CONSOLE = Path(__file__).resolve().parents[1] / "api" / "console"
CATALOGUES = CONSOLE / "catalogues"
OTHERS = tuple(code for code in NAMES if code != "en")

_METHODS = [("**/vendor/**", "ignore"), ("**.py", "python"), ("**/html/**.html", "jinja2")]
_OPTIONS = {"**/html/**.html": {"trimmed": "true", "silent": "false"}}
_KEYWORDS = {
    "_": None,
    "gettext": None,
    "ngettext": (1, 2),
    "mark": None,
    "say": None,
    "say_many": (1, 2),
}
_WIDTH = 96
_NO_DAY = datetime(2026, 1, 1, tzinfo=UTC)
"""Stands in every header, so that a catalogue changes only with its words."""


def said_by_the_console() -> Catalog:
    """Return every text of the console's templates and code, without translations.

    With the API's own words for doubted prices, problems and refusals, which pages show.
    """
    found = Catalog(project="ESL controller", charset="utf-8")
    for file, line, text, comments, context in extract_from_dir(
        CONSOLE, method_map=_METHODS, options_map=_OPTIONS, keywords=_KEYWORDS
    ):
        texts = (text,) if isinstance(text, str) else text
        if all(texts):
            found.add(text, None, [(file, line)], auto_comments=comments, context=context)
    for text, line in _advised():
        found.add(text, None, [("words.py", line)])
    for text in (*WORDS.values(), *WHAT_TO_DO.values()):
        found.add(text, None, [("held.html", 1), ("problems.html", 1)])
    for refusal in REFUSALS:
        found.add(refusal.words, None, [("provider_sign_in.py", 1)])
    return found


def _advised() -> Iterator[tuple[str, int]]:
    """Yield the texts of ``_advice(what, todo)``, which no keyword of the extractor fits."""
    for node in ast.walk(ast.parse((CONSOLE / "words.py").read_text(encoding="utf-8"))):
        if isinstance(node, ast.Call) and getattr(node.func, "id", "") == "_advice":
            for argument in node.args:
                if isinstance(argument, ast.Constant) and argument.value:
                    yield str(argument.value), node.lineno


def read(code: str) -> Catalog:
    """Return a language's catalogue; an empty one if it has none yet."""
    path = CATALOGUES / f"{code}.po"
    if not path.exists():
        return Catalog(locale=code)
    return read_po(io.BytesIO(path.read_bytes()), locale=code)


def lacking(catalogue: Catalog, texts: Catalog) -> Iterator[str]:
    """Yield what is wrong with a catalogue: texts without words, or with other placeholders."""
    for wanted in texts:
        if not wanted.id:
            continue
        found = catalogue.get(wanted.id)
        if found is None or not _is_whole(found):
            yield f"no words for: {_first(wanted)!r}"
        elif found.fuzzy:
            yield f"not checked: {_first(wanted)!r}"
        else:
            yield from (f"{_first(wanted)!r}: {error}" for error in found.check(catalogue))
    for has in catalogue:
        if has.id and texts.get(has.id) is None:
            yield f"nobody says: {_first(has)!r}"


def _is_whole(message: Message) -> bool:
    strings = message.string if isinstance(message.string, (tuple, list)) else (message.string,)
    return all(strings)


def _first(message: Message) -> str:
    return message.id if isinstance(message.id, str) else message.id[0]


def bring_up_to_date(code: str, texts: Catalog) -> Catalog:
    """Write a language's catalogue anew, with the words it has."""
    had = read(code)
    new = Catalog(
        locale=code,
        header_comment=f"# What the console says in {NAMES[code]}; see tests/catalogues.py.",
        project="ESL controller",
        version="1",
        charset="utf-8",
        creation_date=_NO_DAY,
        revision_date=_NO_DAY,
        last_translator="",
        language_team="",
        msgid_bugs_address="",
        fuzzy=False,
    )
    for wanted in texts:
        if wanted.id:
            known = had.get(wanted.id)
            is_same = known is not None and type(known.id) is type(wanted.id)
            new.add(wanted.id, known.string if known is not None and is_same else None)
    CATALOGUES.mkdir(exist_ok=True)
    with (CATALOGUES / f"{code}.po").open("wb") as file:
        write_po(file, new, width=_WIDTH, no_location=True, omit_header=False, sort_output=True)
    return new


def main() -> int:
    """Write all catalogues; say what they lack."""
    texts = said_by_the_console()
    is_whole = True
    for code in OTHERS:
        for finding in lacking(bring_up_to_date(code, texts), texts):
            print(f"{code}: {finding}")  # noqa: T201  a command says what it found
            is_whole = False
    return 0 if is_whole else 1


if __name__ == "__main__":
    sys.exit(main())
