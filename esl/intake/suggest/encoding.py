"""The encoding of a file, from its bytes.

A mark at the begin and strict UTF-8 are proofs. Code pages of one byte a letter are not: every
byte is a letter in several of them. There the letters decide: the text must be one that people of
some language write ("ŠEĆER" is Croatian, "ŠEÆER" is nobody's), and where two code pages give two
such texts, the choice is unsure.
"""

import codecs
import re
from collections import Counter
from collections.abc import Mapping
from typing import NamedTuple

from esl.intake.suggest.suggestion import Setting

_MARKS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
_LATIN_2 = {
    "Croatian": "čćđšž",
    "Slovenian": "čšž",
    "Czech": "áčďéěíňóřšťúůýž",
    "Slovak": "áäčďéíĺľňóôŕšťúýž",
    "Polish": "ąćęłńóśźż",
    "Hungarian": "áéíóöőúüű",
    "Romanian": "ăâîşţ",
    "German": "äöüß",
}
_LATIN_1 = {
    "German": "äöüß",
    "French": "àâæçéèêëîïôœùûüÿ",
    "Italian": "àèéìíîòóùú",
    "Spanish": "áéíñóúü",
    "Portuguese": "ãáâàçéêíõóôúü",
    "Dutch": "áéëïíóöü",
    "Danish": "æøåé",
    "Swedish": "åäöé",
    "Finnish": "äöåšž",
}
_TURKISH = {"Turkish": "çğıöşüâîİ"}
_CYRILLIC = {
    "Russian": "абвгдеёжзийклмнопрстуфхцчшщъыьэюя",
    "Bulgarian": "абвгдежзийклмнопрстуфхцчшщъьюя",
    "Serbian": "абвгдђежзијклљмнњопрстћуфхцчџш",
    "Ukrainian": "абвгґдеєжзиіїйклмнопрстуфхцчшщьюя",
    "Macedonian": "абвгдѓежзѕијклљмнњопрстќуфхцчџш",
}
_GREEK = {"Greek": "αάβγδεέζηήθιίϊΐκλμνξοόπρσςτυύϋΰφχψωώ"}
_HEBREW = {"Hebrew": "אבגדהוזחטיךכלםמןנסעףפץצקרשת"}

_CANDIDATES: tuple[tuple[str, Mapping[str, str]], ...] = (
    ("cp1252", _LATIN_1),
    ("cp1250", _LATIN_2),
    ("iso-8859-2", _LATIN_2),
    ("cp1254", _TURKISH),
    ("cp1251", _CYRILLIC),
    ("cp1253", _GREEK),
    ("cp1255", _HEBREW),
    ("cp852", _LATIN_2),
)
_OTHER_SCRIPTS = (_CYRILLIC, _GREEK, _HEBREW)
_PURE_WORD = re.compile(r"(?<![A-Za-z])[^\W\d_A-Za-z]+(?![A-Za-z])")
_CONTROLS = re.compile(r"[\x80-\x9f]")
_ENOUGH = 0.9
"""Part of the unusual letters that one language must explain; brands are foreign words."""

_MARGIN = 0.1
_ENOUGH_LETTERS = 4
_HEAD = 1 << 20


class _Scored(NamedTuple):
    score: float
    encoding: str
    language: str
    text: str


def guess_encoding(data: bytes) -> Setting:
    """Say which encoding a file is in, and whether that is certain."""
    for mark, encoding in _MARKS:
        if data.startswith(mark):
            return _setting(encoding, "the file begins with its mark")
    head = data[:_HEAD]
    if (wide := _guess_wide(head)) is not None:
        return wide
    if b"\0" in head:
        return _setting("latin-1", "NUL bytes: no text of one byte a letter", sure=False)
    try:
        text = codecs.getincrementaldecoder("utf-8")("strict").decode(head, final=False)
    except UnicodeDecodeError:
        return _guess_code_page(head)
    beyond = sum(not c.isascii() for c in text)
    if not beyond:
        return _setting("utf-8", "plain ASCII, which is UTF-8 too")
    return _setting("utf-8", f"strictly valid, with {beyond} letters beyond ASCII")


def _guess_wide(head: bytes) -> Setting | None:
    """Find UTF-16 without a mark: every second byte of ASCII is zero."""
    half = len(head) // 2
    for encoding, zeros in (("utf-16-le", head[1::2]), ("utf-16-be", head[0::2])):
        if half and zeros.count(0) > half * 0.4 and head.count(0) < half * 1.1:
            return _setting(encoding, "every second byte is zero")
    return None


def _guess_code_page(head: bytes) -> Setting:
    """Choose among code pages by the letters they give."""
    scored: list[_Scored] = []
    for encoding, languages in _CANDIDATES:
        try:
            text = head.decode(encoding, "strict")
        except UnicodeDecodeError:
            continue
        if _CONTROLS.search(text):
            continue  # bytes that mean nothing there: another code page's letters
        score, language = _rate(text, languages)
        scored.append(_Scored(score, encoding, language, text))
    if not scored:
        return _setting("latin-1", "neither UTF-8 nor a code page we know", sure=False)
    scored.sort(key=lambda each: -each.score)
    best = scored[0]
    others = [each for each in scored[1:] if each.text != best.text]
    letters = sum(not c.isascii() for c in best.text)
    why = f"{best.score:.0%} of {letters} letters beyond ASCII are {best.language}"
    rival = others[0] if others else None
    if best.score < _ENOUGH or letters < _ENOUGH_LETTERS:
        sure = False
    else:
        sure = rival is None or best.score - rival.score >= _MARGIN
    if not sure:
        names = ", ".join(dict.fromkeys(each.encoding for each in scored[:3]))
        why = f"not UTF-8; it may be {names} ({why} in the first)"
        return _setting(best.encoding, why, sure=False)
    if rival is not None:
        why += f"; as {rival.encoding} only {rival.score:.0%}"
    return _setting(best.encoding, why)


def _rate(text: str, languages: Mapping[str, str]) -> tuple[float, str]:
    """Say how much of what is not ASCII one language explains, and which."""
    found = Counter(c for c in text if not c.isascii())
    harmless = sum(found.pop(sign, 0) for sign in "€£°²³½¼§®™©«»„“”‘’–—…·×\u00a0´")
    total = sum(found.values())
    if languages in _OTHER_SCRIPTS:  # no word mixes them with Latin letters
        found = Counter(c for word in _PURE_WORD.findall(text) for c in word)
    if not total:
        return (0.5 if harmless else 0.0), next(iter(languages))
    rated = [
        (sum(n for c, n in found.items() if c.lower() in letters or c in letters) / total, name)
        for name, letters in languages.items()
    ]
    return max(rated)


def _setting(encoding: str, why: str, *, sure: bool = True) -> Setting:
    return Setting(key="encoding", value=encoding, why=why, sure=sure, needed=True)
