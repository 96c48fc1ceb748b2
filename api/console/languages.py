"""The languages the console speaks: texts from catalogues; dates and numbers in their ways.

English stands in the templates and in the code; the other languages' words are in
``catalogues/*.po``. What a person chose comes in a cookie; else the browser says what it likes.
"""

import io
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from functools import cache
from importlib.resources import files
from types import MappingProxyType
from typing import Final

from babel import Locale
from babel.dates import format_date, format_datetime, format_time
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po
from babel.numbers import format_currency, format_decimal, format_percent
from babel.support import Translations
from starlette.requests import Request
from starlette.types import ASGIApp, Receive, Scope, Send

COOKIE: Final = "esl_language"

NAMES: Final[Mapping[str, str]] = MappingProxyType(
    {"en": "English", "de": "Deutsch", "fr": "Français", "ar": "العربية"}
)
"""Each language by its own name; the first is spoken where nobody asks for another."""

_DEFAULT: Final = "en"


@dataclass(frozen=True, slots=True, kw_only=True)
class Language:
    """One language: its words and its ways."""

    code: str
    locale: Locale
    words: Translations

    @property
    def direction(self) -> str:
        """``ltr`` or ``rtl``."""
        return self.locale.text_direction

    def day(self, moment: date) -> str:
        """Write a day: “21 Nov 2026”."""
        return format_date(moment, "medium", locale=self.locale)

    def time(self, moment: datetime) -> str:
        """Write a time of the day; the moment is in the store's zone already."""
        return format_time(moment, "short", locale=self.locale)

    def moment(self, moment: datetime) -> str:
        """Write a day and a time."""
        return format_datetime(moment, "d MMM y HH:mm", locale=self.locale)

    def money(self, amount: str, currency: str) -> str:
        """Write an amount of the API's, a decimal string, with its currency."""
        return format_currency(Decimal(amount), currency, locale=self.locale)

    def percent(self, hundredths: str) -> str:
        """Write a percentage of the API's, a decimal string: “98.5 %”, never rounded up."""
        return format_percent(Decimal(hundredths) / 100, "#,##0.##\u00a0%", locale=self.locale)

    def number(self, number: Decimal | float) -> str:
        """Write a number with its thousands parted."""
        return format_decimal(number, locale=self.locale)


@cache
def language(code: str) -> Language:
    """Return a language of `NAMES`; its catalogue is read once."""
    return Language(code=code, locale=Locale.parse(code), words=_words_of(code))


def _words_of(code: str) -> Translations:
    if code == _DEFAULT:
        return Translations()
    source = files("api.console").joinpath("catalogues", f"{code}.po").read_bytes()
    compiled = io.BytesIO()
    write_mo(compiled, read_po(io.BytesIO(source), locale=code))
    compiled.seek(0)
    return Translations(compiled)


def choose(cookie: str | None, accepted: str) -> str:
    """Choose one of `NAMES`: as the person said, else as the browser's list asks."""
    if cookie is not None and cookie in NAMES:
        return cookie
    for wanted, _ in sorted(_wishes(accepted), key=lambda wish: -wish[1]):
        if wanted in NAMES:
            return wanted
    return _DEFAULT


def _wishes(accepted: str) -> Iterator[tuple[str, float]]:
    for one in accepted[:200].split(","):
        tag, _, quality = one.partition(";q=")
        try:
            weight = float(quality or 1)
        except ValueError:
            continue
        if weight > 0:
            yield tag.strip().lower().partition("-")[0], weight


_SPOKEN: ContextVar[str] = ContextVar("language of the page that is drawn", default=_DEFAULT)


def spoken() -> Language:
    """Return the language of the request that is served now."""
    return language(_SPOKEN.get())


@contextmanager
def speaking(code: str) -> Iterator[None]:
    """Draw in a language of `NAMES`."""
    token = _SPOKEN.set(code)
    try:
        yield
    finally:
        _SPOKEN.reset(token)


def say(text: str, /, **values: object) -> str:
    """Say a text in the language that is spoken now; ``%(name)s`` stands for a value."""
    said = spoken().words.gettext(text)
    return said % values if values else said


def say_many(one: str, many: str, num: int, /, **values: object) -> str:
    """Say a text about ``num`` things."""
    return spoken().words.ngettext(one, many, num) % {"num": num, **values}


def mark(text: str) -> str:
    """Mark a text that is put into words only when it is drawn."""
    return text


class Speaking:
    """Wraps the application: pages and errors are drawn in the asker's language."""

    def __init__(self, app: ASGIApp, *, leaves: Callable[[str], bool]) -> None:
        self._app = app
        self._leaves = leaves
        """Which paths are left alone: what programs ask."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        if scope["type"] != "http" or self._leaves(scope["path"]):
            await self._app(scope, receive, send)
            return
        request = Request(scope)
        asked = request.headers.get("accept-language", "")
        with speaking(choose(request.cookies.get(COOKIE), asked)):
            await self._app(scope, receive, send)
