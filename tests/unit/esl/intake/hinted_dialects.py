"""Price lists whose promotions stand under a bare word, and units and dates that prove nothing.

Nobody sent them either. Each says which columns a person must be asked of: none of them may be
taken for sure, and none may be left out without a word.
"""

import json
from typing import Any

from tests.unit.esl.intake.chain_dialects import LATIN, cell, elements, listed
from tests.unit.esl.intake.suggest_dialects import Dialect, items, money, table, workbook

GERMAN = "Käse Müsli Brötchen Öl Grieß Süßmost Würstchen Honig"
ASKED = frozenset({"promotion_price"})
SURE = frozenset({"price", "decimal", "sku"})


def _hinted(name: str, columns: dict[str, str], **more: Any) -> Dialect:
    """Make a list that needs a person, for its promotion's price if nothing else is said."""
    return listed(name, columns, **{"ready": False, "unsure": ASKED, "sure": SURE} | more)


def croatian_bare_word() -> Dialect:
    columns = {
        "Šifra": "sku", "Naziv": "name", "Barkod": "gtin", "JM": "=KOM",
        "MPC": "price", "Akcija": "promotion",
    }  # fmt: skip
    return _hinted("croatian bare word", columns, unsure=ASKED | {"unit"})


def serbian_bare_word() -> Dialect:
    columns = {
        "Šifra artikla": "sku", "Naziv artikla": "name", "Bar kod": "gtin",
        "Prodajna cena": "price", "Popust": "promotion",
    }  # fmt: skip
    return _hinted("serbian bare word", columns, delimiter="\t", pad=10, currency="RSD")


def german_bare_word() -> Dialect:
    columns = {
        "Artikelnummer": "sku", "EAN": "gtin", "Bezeichnung": "name", "ME": "=ST",
        "Verkaufspreis": "price", "Aktion": "promotion", "gültig bis": "=29.12.2025",
    }  # fmt: skip
    return _hinted(
        "german bare word", columns, words=GERMAN, encoding="cp1252",
        unsure=ASKED | {"unit", 'column "gültig bis"'},
    )  # fmt: skip


def english_bare_word() -> Dialect:
    columns = {
        "SKU": "sku", "Description": "name", "UPC": "gtin", "UOM": "=PC",
        "Retail price": "price", "Offer": "promotion", "Offer ends": "=03/04/2026",
    }  # fmt: skip
    return _hinted(
        "english bare word", columns, delimiter=",", sign=".", encoding="utf-8", currency="GBP",
        unsure=ASKED | {"unit", 'column "Offer ends"'},
    )  # fmt: skip


def two_bare_words() -> Dialect:
    columns = {
        "Item No": "sku", "Product": "name", "Price": "price", "Promo": "promotion",
        "Sale": "promotion",
    }  # fmt: skip
    return _hinted(
        "two bare words", columns, delimiter="|", sign=".", encoding="utf-8", currency="USD",
        truth={"price": "Price"},
    )  # fmt: skip


def percents() -> Dialect:
    columns = {
        "Kod towaru": "sku", "Nazwa": "name", "EAN": "gtin", "Cena brutto": "price",
        "Rabat": "=20", "Promocja": "=15%",
    }  # fmt: skip
    return _hinted(
        "percents", columns, words="Żółty Śledź Mąka Źródło Łosoś Ciasto Chleb Ćwikła",
        currency="PLN", unsure=frozenset({'column "Rabat"', 'column "Promocja"'}), ready=True,
    )  # fmt: skip


def czech_flag() -> Dialect:
    columns = {
        "Číslo zboží": "sku", "Název": "name", "Čárový kód": "gtin", "Cena s DPH": "price",
        "Sleva": "=A", "Leták": "=ano",
    }  # fmt: skip
    return _hinted(
        "czech flag", columns, words="Žemle Řízek Sýr Mléko Těstoviny Křen Ďábelské Pečivo",
        currency="CZK", unsure=frozenset({'column "Sleva"', 'column "Leták"'}), ready=True,
    )  # fmt: skip


def hungarian_bare_word() -> Dialect:
    made = items("Tejföl Kenyér Sajt Őszibarack Sör Tűzőgép", low=199, high=4999)
    rows = [
        [i.sku, i.name, i.gtin, f"{i.cents} Ft", f"{i.promotion} Ft" if i.promotion else ""]
        for i in made
    ]
    return Dialect(
        name="hungarian bare word", file="akcio.csv", currency="HUF", encoding="cp1250",
        data=table("Cikkszám;Megnevezés;Vonalkód;Bruttó ár;Akció", rows, ";").encode("cp1250"),
        truth={"price": "Bruttó ár", "promotion_price": "Akció"}, unsure=ASKED,
    )  # fmt: skip


def french_bare_word() -> Dialect:
    columns = {
        "Code article": "sku", "Libellé": "name", "Gencod": "gtin", "Unité": "=PCE",
        "Prix TTC": "price", "Promotion": "promotion", "Date début promo": "=05/01/2026",
    }  # fmt: skip
    return _hinted(
        "french bare word", columns, words="Crème Gâteau Pâté Fraîche Jambon Épinards Maïs Thé",
        encoding="cp1252", unsure=ASKED | {"unit", 'column "Date début promo"'},
    )  # fmt: skip


def italian_bare_word() -> Dialect:
    columns = {
        "Codice": "sku", "Descrizione": "name", "Barcode": "gtin", "UM": "=PZ",
        "Prezzo vendita": "price", "Offerta": "promotion", "Sconto %": "=10",
    }  # fmt: skip
    return _hinted(
        "italian bare word", columns, words="Pane Latte Prosciutto Caffè Città Però Virtù Così",
        encoding="cp1252", unsure=ASKED | {"unit", 'column "Sconto %"'},
    )  # fmt: skip


def spanish_bare_word() -> Dialect:
    columns = {
        "Código": "sku", "Descripción": "name", "Código de barras": "gtin", "PVP": "price",
        "Oferta": "promotion", "Descuento": "=5",
    }  # fmt: skip
    return _hinted(
        "spanish bare word", columns, words="Jamón Queso Piña Aceite Galletas Champú Azúcar Té",
        encoding="cp1252", unsure=ASKED | {'column "Descuento"'},
    )  # fmt: skip


def turkish_bare_word() -> Dialect:
    columns = {
        "Stok Kodu": "sku", "Ürün Adı": "name", "Barkod": "gtin", "Birim": "=AD",
        "Satış Fiyatı": "price", "Kampanya": "promotion",
    }  # fmt: skip
    return _hinted(
        "turkish bare word", columns, words="Süt Ekmek Peynir Çay Şeker Yoğurt Işık Üzüm",
        encoding="utf-8", currency="TRY", unsure=ASKED | {"unit"},
    )  # fmt: skip


def greek_words() -> Dialect:
    columns = {
        "Κωδικός": "sku", "Περιγραφή": "name", "Γραμμωτός κώδικας": "gtin",
        "Τιμή λιανικής": "price", "Τιμή χονδρικής": "cost", "Προσφορά": "promotion",
        "Έκπτωση %": "=10",
    }  # fmt: skip
    return _hinted(
        "greek words", columns, words="Γάλα Ψωμί Τυρί Μέλι Ελιές Κρασί Νερό Ρύζι",
        encoding="utf-8", unsure=ASKED | {'column "Έκπτωση %"'},
    )  # fmt: skip


def romanian_bare_word() -> Dialect:
    columns = {
        "Cod produs": "sku", "Denumire": "name", "Cod de bare": "gtin", "UM": "=BUC",
        "Preț vânzare": "price", "Preț achiziție": "cost", "Ofertă": "promotion",
    }  # fmt: skip
    return _hinted(
        "romanian bare word", columns, encoding="utf-8", currency="RON", unsure=ASKED | {"unit"}
    )


def slovak_days() -> Dialect:
    columns = {
        "Číslo tovaru": "sku", "Názov": "name", "Predajná cena": "price",
        "Akciová cena": "promotion", "Akcia od": "=2025-12-29", "Akcia do": "=20260107",
    }  # fmt: skip
    return _hinted(
        "slovak days", columns,
        sure=SURE | ASKED, unsure=frozenset({'column "Akcia od"', 'column "Akcia do"'}),
        ready=True,
    )  # fmt: skip


def bulgarian_bare_word() -> Dialect:
    columns = {
        "Код": "sku", "Наименование": "name", "Баркод": "gtin", "Продажна цена": "price",
        "Отстъпка": "promotion", "Мярка": "=бр",
    }  # fmt: skip
    return _hinted(
        "bulgarian bare word", columns, words="Мляко Хляб Сирене Ябълки Чушки Ориз Олио Брашно",
        encoding="cp1251", currency="BGN", sure=frozenset({"price", "decimal"}),
    )  # fmt: skip


def dutch_xlsx() -> Dialect:
    made = items("Brood Melk Kaas Worst Eieren Boter Sap Bier")
    header = ["Artikelnummer", "Omschrijving", "EAN", "Eenheid", "Verkoopprijs", "Actie", "Korting"]
    rows = [["Prijslijst", *[""] * 6], header]
    rows += [[i.sku, i.name, i.gtin, "ST", money(i.cents), money(i.promotion), "25"] for i in made]
    return Dialect(
        name="dutch xlsx", file="prijzen.xlsx", data=workbook(rows, numbers={4, 5, 6}),
        truth={"price": "Verkoopprijs", "promotion_price": "Actie"}, sure=frozenset({"price"}),
        unsure=ASKED | {"unit", 'column "Korting"'},
    )  # fmt: skip


def hebrew_bare_word() -> Dialect:
    made = items("חלב לחם גבינה דבש זיתים מים אורז סוכר")
    names = {"ItemCode": "gtin", "ItemName": "name", "ItemPrice": "price", "מבצע": "promotion"}
    body = "".join(f"<Item>{elements(i, names, '.')}</Item>" for i in made)
    return Dialect(
        name="hebrew bare word", file="Promo.xml", currency="ILS", data=(
            f'<?xml version="1.0" encoding="windows-1255"?><root><Items>{body}</Items></root>'
        ).encode("cp1255"),
        truth={"price": "ItemPrice", "promotion_price": "מבצע"}, sure=frozenset({"price"}),
        unsure=ASKED,
    )  # fmt: skip


def arabic_bare_word() -> Dialect:
    columns = {
        "رمز المنتج": "sku", "اسم المنتج": "name", "الباركود": "gtin", "السعر": "price",
        "عرض": "promotion", "خصم": "=10",
    }  # fmt: skip
    return _hinted(
        "arabic bare word", columns, words="حليب خبز جبن عسل زيتون ماء أرز سكر", encoding="utf-8",
        sign=".", delimiter=",", currency="AED", unsure=ASKED | {'column "خصم"'},
    )  # fmt: skip


def nested_json() -> Dialect:
    made = items("Coffee Tea Bread Jam Honey Butter Milk Rice")
    rows = [
        {
            "sku": i.sku,
            "title": i.name,
            "pricing": {"price": money(i.cents), "offer": money(i.promotion) or None},
            "offer": {"label": "Weekend", "until": "2026-01-07"},
        }
        for i in made
    ]
    return Dialect(
        name="nested json", file="nested.json", data=json.dumps({"items": rows}).encode(),
        truth={"price": "item.pricing.price", "promotion_price": "item.pricing.offer"},
        unsure=frozenset({"promotion_price"}),
    )  # fmt: skip


def piece_units() -> Dialect:
    made = items(LATIN)
    rows = [[i.sku, i.name, str(i.grams), "KOM", money(i.cents, ",")] for i in made]
    return Dialect(
        name="contents sold by the piece", file="kom.csv", decimal=",",
        data=table("Šifra;Naziv;Neto količina;Jedinica mjere;MPC", rows, ";").encode(),
        truth={"price": "MPC"}, sure=frozenset({"price"}), unsure=frozenset({"unit"}),
    )  # fmt: skip


def proven_units() -> Dialect:
    made = items(LATIN)
    roles = ["sku", "name", "=", "=g", "price", "per"]
    rows = [[cell(i, role, ",", "") for role in roles] for i in made]
    for item, row in zip(made, rows, strict=True):
        row[2] = str(item.grams)
    header = "Šifra;Naziv;Neto količina;Jedinica mjere;MPC;Cijena za jedinicu mjere"
    return Dialect(
        name="contents proven by unit prices", file="grami.csv", decimal=",",
        data=table(header, rows, ";").encode(),
        truth={"price": "MPC", "unit_price": "Cijena za jedinicu mjere"},
        sure=frozenset({"price", "unit_price"}),
    )  # fmt: skip


def unknown_language() -> Dialect:
    columns = {
        "SKU": "sku", "Name": "name", "Price": "price", "Xiluvo": "promotion", "Abc": "=x",
    }  # fmt: skip
    return _hinted(
        "unknown language", columns, delimiter=",", sign=".", encoding="utf-8",
        truth={"price": "Price"}, unsure=frozenset({'column "Xiluvo"'}), ready=True,
    )  # fmt: skip


def records_between_semicolons() -> Dialect:
    made = items(LATIN)
    rows = [
        ["D", i.sku, i.name, i.gtin, money(i.cents, ","), money(i.promotion, ",")] for i in made
    ]
    text = table("H;20251229;CJENIK", [*rows, ["T", str(len(rows))]], ";")
    return Dialect(
        name="records between semicolons", file="hdt.txt", data=text.encode("cp1250"),
        truth={"price": None}, decimal=",", unsure=frozenset({"price", "header_row", "sku"}),
    )  # fmt: skip


DIALECTS = [
    make()
    for make in (
        croatian_bare_word, serbian_bare_word, german_bare_word, english_bare_word, two_bare_words,
        percents, czech_flag, hungarian_bare_word, french_bare_word, italian_bare_word,
        spanish_bare_word, turkish_bare_word, greek_words, romanian_bare_word, slovak_days,
        bulgarian_bare_word, dutch_xlsx, hebrew_bare_word, arabic_bare_word, nested_json,
        piece_units, proven_units, unknown_language, records_between_semicolons,
    )
]  # fmt: skip
