"""The words shops write for units, in some thirty languages, and what one of each is worth.

Only what can be one thing: "t" is tonnes here and tablets there, "p" is pieces, portions and
pairs, so they are not in the table, and neither are words for parts of a piece (sheets, layers,
washes), which no unit price counts. Imperial units are known by name, to say so.
"""

from fractions import Fraction
from typing import NamedTuple

from esl.domain.face import Unit


class Measure(NamedTuple):
    """What one of a word is: ``milli`` thousandths of ``unit``."""

    unit: Unit
    milli: Fraction


_THOUSAND = 1000

_GRAM = """g gr grm gram grama grami grame gramm gramme grammes grams gramo gramos grammi grammo
grammaa gramas gramų gramů gramov г гр грам грама граммов γρ גר גרם ג'"""
_KILOGRAM = """kg kgs kgr kilo kilogram kilograma kilogrami kilogramm kilogramme kilogrammes
kilograms kilogramo kilogramos kilos kilogrammo kilogramů кг килограм килограмм κιλο κιλό κιλά κγ
ק"ג קג קילו"""
_MILLILITRE = """ml mls mililitar mililitara mililiter milliliter millilitre millilitres mililitro
mililitros millilitro millilitri мл מ"ל מל"""
_LITRE = """l lt ltr lit liter litre litres liters litar litra litara litri litro litros litr litru
litrů litrov литър литра литр литар л λτ λίτρο λίτρα ליטר ל'"""
_METRE = "m metar metra metara meter metre metres meters metri metro metros metr metru metrů м мт"
_PIECE = """ko kom komad komada komadi kos kosa kosi kosov parče бр броя брой ком комада шт штук
szt sztuk sztuki sztuka ks kus kusy kusů kusov db darab buc bucăți bucati bucata stk stck stück
stuck stuks st stuk pc pcs piece pieces ea each ct count unit units pce pces pièce pièces unité
unités pz pezzo pezzi ud uds unid unidad unidades unidade unitat unitats un adet ad יח' יח יחידה
יחידות τεμ τεμάχια τμχ styck kpl tk gab vnt"""
_DOSE = """tab tabs tabl tbl tableta tablete tableti tablet tablets tabletten tabletta tabletek
tabletki tabletas comprimés comprimidos compresse таб таблетки caps kaps kapsula kapsule capsule
capsules kapsułek kapszula cápsulas kapslar kapseln"""
"""Tablets and capsules are counted one by one, wherever they are sold."""

_WORDS: tuple[tuple[Unit, Fraction, str], ...] = (
    (Unit.KILOGRAM, Fraction(1, _THOUSAND), "mg мг"),
    (Unit.KILOGRAM, Fraction(1), _GRAM),
    (Unit.KILOGRAM, Fraction(10), "dag dkg deka"),
    (Unit.KILOGRAM, Fraction(_THOUSAND), _KILOGRAM),
    (Unit.LITRE, Fraction(1), _MILLILITRE),
    (Unit.LITRE, Fraction(10), "cl centiliter centilitre centilitres cls"),
    (Unit.LITRE, Fraction(100), "dl dcl deci decilitar deciliter decilitre дл"),
    (Unit.LITRE, Fraction(_THOUSAND), _LITRE),
    (Unit.METRE, Fraction(1), "mm мм"),
    (Unit.METRE, Fraction(10), "cm см"),
    (Unit.METRE, Fraction(100), "dm"),
    (Unit.METRE, Fraction(_THOUSAND), _METRE),
    (Unit.SQUARE_METRE, Fraction(1, 10), "cm2"),
    (Unit.SQUARE_METRE, Fraction(_THOUSAND), "m2 qm м2 kvm"),
    (Unit.PIECE, Fraction(_THOUSAND), _PIECE),
    (Unit.PIECE, Fraction(_THOUSAND), _DOSE),
)

MEASURES: dict[str, Measure] = {
    word: Measure(unit, milli) for unit, milli, words in _WORDS for word in words.split()
}

IMPERIAL = frozenset(
    "oz ozs ounce ounces floz fl lb lbs pound pounds pt pint pints qt quart gal gallon gallons "
    "in inch inches ft feet yd".split()
)
"""Units without a certain worth: a pint is 473 ml or 568 ml, an ounce a mass or a volume."""

PARTS = frozenset(
    "list lista listova listić listića listica lis sheets sheet blatt blätter feuilles hojas "
    "folhas fogli listków listů lap lapos pranja pranje washes waschladungen wl lavages lavados "
    "lavaggi prań praní mosás sloja slojni layers ply lagig plis capas veli".split()
)
"""Parts and uses of a piece: sheets of a roll, washes of a box."""


def measure_of(word: str) -> Measure | None:
    """Look a unit's word up, case folded, with or without the stop of an abbreviation."""
    return MEASURES.get(word) or MEASURES.get(word.rstrip("."))
