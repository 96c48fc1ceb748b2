"""Faces by chance: every script, currency and kind of offer, lengths from one letter to absurd.

Chance is passed in, so that a seed names a face.
"""

from collections.abc import Callable
from dataclasses import replace
from datetime import date, timedelta
from random import Random
from typing import TypeVar

from esl.domain.digital_link import digital_link
from esl.domain.face import Face, Multibuy, ReferenceKind, ReferencePrice, Unit
from esl.domain.gtin import check_digit
from esl.domain.money import PRICE_MAX_MINOR

SCRIPTS: dict[str, str] = {
    "latin": "Mlijeko Šunka Čokolada Žganci Käse Süßrahm Brötchen Crème fraîche Ñora Øl Żurek "
    "Škampi Răcoritoare Őszibarack Ærter AÇAÍ Ĳsthee Ünnepi Fűszer Ÿ WWWWWW jjjj ffi",
    "greek": "Γάλα φρέσκο Ελαιόλαδο εξαιρετικό παρθένο Φέτα Ψωμί ΜΈΛΙ θυμαρίσιο ΐ ΰ "
    "Ώριμες ντομάτες",
    "cyrillic": "Молоко пастеризованное Сметана Хлеб ржаной Ђурђевак Љубав Њоки Ћевапи Џем Їжак "
    "Ґрунт щавель ЁЛКА Йогурт",
    "arabic": "حليب طازج جبن أبيض خبز عربي زيت زيتون بكر ممتاز لَبَن مُحَلّى شاي أخضر تفاح ١٢ كوكا‌كولا",
    "hebrew": "חלב טרי גבינה צהובה לחם אחיד שמן זית כתית מעולה שׁוֹקוֹלָד קפה נמס תפוחים",
    "thai": "น้ำนมสด ข้าวหอมมะลิ ปลาทูน่า น้ำมันพืช กาแฟสำเร็จรูป ผักกาดขาว ที่นี่ ญี่ปุ่น กุ้ง",
    "devanagari": "दूध ताज़ा बासमती चावल हल्दी पाउडर क्षीर श्री हिन्दी द्राक्ष सरसों का तेल ३ किलो ट्रॉफी",
}
_PLAIN = "1,5 % 12×0,33 l (XXL) No. 7 & 100% 250g – BIO 3+1 / “extra” -20° @home".split(" ")
_MONEY = (
    ("hr_HR", "EUR"),
    ("de_DE", "EUR"),
    ("de_CH", "CHF"),
    ("en_GB", "GBP"),
    ("en_US", "USD"),
    ("nl_NL", "EUR"),
    ("sr_RS", "RSD"),
    ("pl_PL", "PLN"),
    ("hu_HU", "HUF"),
    ("cs_CZ", "CZK"),
    ("ja_JP", "JPY"),
    ("ko_KR", "KRW"),
    ("fr_CM", "XAF"),
    ("is_IS", "ISK"),
    ("en_KW", "KWD"),
    ("ar_KW", "KWD"),
    ("ar_TN", "TND"),
    ("ar_EG", "EGP"),
    ("he_IL", "ILS"),
    ("hi_IN", "INR"),
    ("th_TH", "THB"),
    ("el_GR", "EUR"),
    ("ru_RU", "RUB"),
    ("bg_BG", "EUR"),
    ("sv_SE", "SEK"),
    ("pt_BR", "BRL"),
)
_BADGES = ("AKCIJA", "−25 %", "Nur diese Woche", "SUPERPREIS!", "عرض خاص", "מבצע", "ลดราคา", "छूट")
_SIZES = ("400 g", "12 × 1,5 l", "1 kg", "0,250 KG", "6 x 330 ml", "١٢ × ٣٣٠ مل", "500 กรัม")
_ORIGINS = ("Hrvatska", "España", "מרוקו", "المغرب", "ไทย")
_UNITS = tuple(Unit)
_FIRST_DAY = date(2026, 1, 1)
_OFTEN = 0.7

T = TypeVar("T")


def make_face(random: Random, *, products: int = 1) -> Face:
    """Make a face; ``products`` is the most a label may have."""
    locale, currency = random.choice(_MONEY)
    first = _make_product(random, locale, currency)
    others = tuple(
        _make_product(random, locale, currency) for _ in range(random.randint(0, products - 1))
    )
    return replace(first, others=others)


def _make_product(random: Random, locale: str, currency: str) -> Face:
    price = _make_price(random)
    gtin = _make_gtin(random) if random.random() < _OFTEN else None
    link, spare = _make_link(random, gtin)
    priced_per = random.choice(_UNITS) if random.random() < 0.2 else None
    return Face(
        name=_make_name(random),
        brand=_maybe(random, lambda: random.choice(SCRIPTS["latin"].split())),
        price_minor=price,
        currency=currency,
        locale=locale,
        priced_per=priced_per,
        was_minor=_maybe(random, lambda: min(price + _make_price(random), PRICE_MAX_MINOR + price)),
        unit_price_minor=_maybe(random, lambda: _make_price(random)),
        unit=random.choice(_UNITS),
        net_content=_maybe(random, lambda: random.choice(_SIZES)),
        badge=_maybe(random, lambda: random.choice(_BADGES)),
        valid_to=_maybe(random, lambda: _FIRST_DAY + timedelta(random.randrange(400))),
        member_price_minor=_maybe(random, lambda: random.randint(1, price)),
        multibuy=_maybe(random, lambda: _make_multibuy(random, price)),
        deposit_minor=_maybe(random, lambda: random.randint(1, 500)),
        reference_prices=_make_references(random),
        category=random.choice((None, "dairy", "produce")),
        origin=_maybe(random, lambda: random.choice(_ORIGINS)),
        stock=_maybe(random, lambda: random.randint(-1, 300)),
        sku=f"{random.randrange(10**6):06d}",
        gtin=gtin,
        link=link,
        link_may_be_left_out=spare,
    )


def _maybe(random: Random, make: Callable[[], T]) -> T | None:
    return make() if random.random() < _OFTEN else None


def _make_price(random: Random) -> int:
    """Make an amount with one to nine digits, all lengths alike; the short ones twice as often."""
    digits = random.choice((1, 2, 3, 3, 3, 4, 4, 4, 5, 5, 6, 7, 8, 9))
    return random.randint(10 ** (digits - 1), min(10**digits - 1, PRICE_MAX_MINOR))


def _make_name(random: Random) -> str:
    """Make a name of one script, or of a few mixed."""
    scripts = [random.choice(tuple(SCRIPTS))]
    if random.random() < 0.3:
        scripts += [random.choice(tuple(SCRIPTS)) for _ in range(2)]
    words = [
        random.choice(SCRIPTS[random.choice(scripts)].split())
        if random.random() < 0.85
        else random.choice(_PLAIN)
        for _ in range(random.choice((1, 2, 3, 3, 4, 4, 5, 6, 9, 14)))
    ]
    return random.choice((" ", " ", " ", "", "-")).join(words)


def _make_gtin(random: Random) -> str:
    body = "".join(str(random.randint(0, 9)) for _ in range(random.choice((7, 11, 12, 12, 12, 13))))
    return body + str(check_digit(body))


def _make_link(random: Random, gtin: str | None) -> tuple[str | None, bool]:
    """Make what the QR code says, and say whether it may be left out."""
    if gtin is not None and random.random() < _OFTEN:
        return digital_link(gtin), True
    if random.random() < 0.5:
        return None, False
    path = "".join(random.choice("abcXYZ019-_/") for _ in range(random.choice((1, 8, 15, 40))))
    return f"https://shop.example/{path}", random.random() < 0.5


def _make_multibuy(random: Random, price: int) -> Multibuy:
    quantity = random.randint(2, 6)
    if random.random() < 0.5:
        paid = quantity - 1
        return Multibuy(quantity=quantity, total_minor=paid * price, pay_for=paid)
    return Multibuy(quantity=quantity, total_minor=max(price * quantity * 4 // 5, 1))


def _make_references(random: Random) -> tuple[ReferencePrice, ...]:
    kinds = [kind for kind in ReferenceKind if random.random() < 0.4]
    return tuple(
        ReferencePrice(
            kind=kind,
            minor=_make_price(random),
            wording=random.choice((None, "Sidrena cijena 2.5.2025")),
        )
        for kind in kinds
    )
