"""Price lists nobody sent, in the dialects that shops do send; each knows its own truth.

``truth`` names the column of each money target, and None where the file has none that a shelf may
show. ``signs`` are the decimal sign and whether prices are whole minor units; None means that the
file itself does not say, so that a suggestion has to be unsure.
"""

import io
import json
import zipfile
from dataclasses import dataclass, field
from fractions import Fraction
from random import Random

from esl.domain.gtin import check_digit


@dataclass(frozen=True, slots=True, kw_only=True)
class Dialect:
    name: str
    file: str
    data: bytes
    truth: dict[str, str | None]
    decimal: str | None = "."
    thousands: str | None = None
    minor_units: bool | None = False
    encoding: str | None = None  # None: not to be checked
    delimiter: str | None = None
    currency: str = "EUR"
    sure: frozenset[str] = field(default_factory=frozenset)  # what has to be sure
    unsure: frozenset[str] = field(default_factory=frozenset)  # what must not be
    prices: dict[str, int] | None = None  # sku -> minor units, read back through the mapping


@dataclass(frozen=True, slots=True, kw_only=True)
class Item:
    sku: str
    gtin: str
    name: str
    cents: int
    promotion: int | None
    grams: int

    @property
    def per_kg(self) -> int:
        return int(Fraction(self.cents * 1000, self.grams) + Fraction(1, 2))


def items(words: str, count: int = 40, low: int = 49, high: int = 2999) -> list[Item]:
    """Make products with names of the given words."""
    random = Random(words)
    names = words.split()
    made = []
    for number in range(count):
        body = f"385{random.randrange(10**9):09d}"
        cents = random.randrange(low, high)
        made.append(
            Item(
                sku=f"{10200 + number * 7}",
                gtin=body + str(check_digit(body)),
                name=f"{random.choice(names)} {random.choice(names)}",
                cents=cents,
                promotion=cents * 3 // 4 if number % 4 == 0 else None,
                grams=random.choice([100, 125, 250, 330, 400, 500, 750, 1000]),
            )
        )
    return made


def money(cents: int | None, sign: str = ".", thousands: str = "") -> str:
    if cents is None:
        return ""
    return f"{cents // 100:,}".replace(",", thousands) + f"{sign}{cents % 100:02d}"


def table(header: str, rows: list[list[str]], delimiter: str, *, end: str = "\r\n") -> str:
    return end.join([header, *(delimiter.join(row) for row in rows)]) + end


def _prices(made: list[Item]) -> dict[str, int]:
    return {item.sku: item.cents for item in made}


def german() -> Dialect:
    made = items("Käse Müsli Brötchen Öl Grieß Süßmost Würstchen Honig")
    rows = [
        [
            i.sku,
            i.gtin,
            i.name,
            f"{i.grams} g",
            f"{money(i.cents, ',')} €",
            money(i.per_kg, ","),
            money(i.promotion, ","),
            money(i.cents // 2, ","),
        ]
        for i in made
    ]
    header = (
        "Artikelnummer;EAN;Bezeichnung;Inhalt;Verkaufspreis;Grundpreis €/kg;Aktionspreis;EK-Preis"
    )
    return Dialect(
        name="german",
        file="preise.csv",
        data=table(header, rows, ";").encode("cp1252"),
        truth={
            "price": "Verkaufspreis",
            "unit_price": "Grundpreis €/kg",
            "promotion_price": "Aktionspreis",
        },
        decimal=",",
        encoding="cp1252",
        delimiter=";",
        sure=frozenset({"price", "promotion_price", "unit_price", "decimal", "encoding", "sku"}),
        prices=_prices(made),
    )


def croatian() -> Dialect:
    made = items("ŠEĆER ČOKOLADA ŽELE ĐUMBIR KRUŠKA MLIJEČNI VOĆNI ŠUNKA")
    rows = [
        [
            f"{i.name:<40}",
            i.sku.rjust(8),
            f"{i.grams} g",
            money(i.cents, ",").rjust(10),
            money(i.per_kg, ",").rjust(10),
            f"'{i.gtin}'",
        ]
        for i in made
    ]
    header = "Naziv\tŠifra\tNeto količina\tMaloprodajna cijena\tCijena za jedinicu mjere\tBarkod"
    return Dialect(
        name="croatian",
        file="cjenik 12.csv",
        data=table(header, rows, "\t").encode("cp1250"),
        truth={"price": "Maloprodajna cijena", "unit_price": "Cijena za jedinicu mjere"},
        decimal=",",
        encoding="cp1250",
        delimiter="\t",
        sure=frozenset({"price", "unit_price", "gtin", "encoding", "decimal", "sku"}),
        prices=_prices(made),
    )


def polish() -> Dialect:
    made = items("Żółty Śledź Mąka Źródło Łosoś Ciasto Chleb Ćwikła")
    rows = [
        [
            i.sku,
            i.name,
            i.gtin,
            money(i.cents * 100 // 108),
            money(i.cents),
            money(i.promotion),
            money(i.cents - 5),
            f"{i.grams} g",
        ]
        for i in made
    ]
    header = (
        "Indeks,Nazwa,Kod kreskowy,Cena netto,Cena brutto,Cena promocyjna,"
        "Najniższa cena z 30 dni,Gramatura"
    )
    return Dialect(
        name="polish",
        file="cennik.csv",
        data=table(header, rows, ",", end="\n").encode(),
        truth={
            "price": "Cena brutto",
            "promotion_price": "Cena promocyjna",
            "lowest_price_30d": "Najniższa cena z 30 dni",
        },
        delimiter=",",
        encoding="utf-8",
        currency="PLN",
        sure=frozenset({"price", "promotion_price", "decimal"}),
        prices=_prices(made),
    )


def czech() -> Dialect:
    made = items("Žemle Řízek Sýr Mléko Těstoviny Křen Ďábelské Pečivo", low=990, high=299_900)
    rows = [
        [
            i.sku,
            i.name,
            i.gtin,
            money(i.cents, ",", "\u00a0") + " Kč",
            money(i.cents - 200, ",", "\u00a0"),
        ]
        for i in made
    ]
    header = "Číslo zboží;Název;Čárový kód;Cena s DPH;Cena bez DPH"
    return Dialect(
        name="czech",
        file="cenik.csv",
        data=table(header, rows, ";").encode("cp1250"),
        truth={"price": "Cena s DPH"},
        decimal=",",
        thousands="\u00a0",
        encoding="cp1250",
        currency="CZK",
        sure=frozenset({"price", "decimal", "encoding"}),
        prices=_prices(made),
    )


def hungarian() -> Dialect:
    made = items("Tejföl Kenyér Sajt Őszibarack Sör Tűzőgép Gyümölcs Szőlő", low=99, high=4999)
    rows = [[i.sku, i.name, i.gtin, f"{i.cents} Ft", f"{i.grams} g"] for i in made]
    header = "Cikkszám;Megnevezés;Vonalkód;Bruttó ár (HUF);Kiszerelés"
    return Dialect(
        name="hungarian",
        file="arlista.csv",
        data=table(header, rows, ";").encode("cp1250"),
        truth={"price": "Bruttó ár (HUF)"},
        encoding="cp1250",
        currency="HUF",
        sure=frozenset({"price", "encoding", "minor_units"}),
        prices={i.sku: i.cents * 100 for i in made},
    )


def french() -> Dialect:
    made = items("Crème Gâteau Pâté Fraîche Jambon Bœuf Épinards Maïs", low=99, high=199_999)
    rows = [
        [
            i.sku,
            f'"{i.name}; bio"',
            i.gtin,
            money(i.cents, ",", "\u202f"),
            money(i.cents * 10 // 12, ",", "\u202f"),
            money(i.promotion, ",", "\u202f"),
            f"{i.grams} g",
            money(i.per_kg, ",", "\u202f"),
        ]
        for i in made
    ]
    header = "Code article;Libellé;Code barres;Prix TTC;Prix HT;Prix promo;Contenance;Prix au kg"
    return Dialect(
        name="french",
        file="tarifs.csv",
        data=b"\xef\xbb\xbf" + table(header, rows, ";").encode(),
        truth={"price": "Prix TTC", "promotion_price": "Prix promo", "unit_price": "Prix au kg"},
        decimal=",",
        thousands="\u202f",
        encoding="utf-8-sig",
        sure=frozenset({"price", "promotion_price", "unit_price", "decimal", "thousands"}),
        prices=_prices(made),
    )


def spanish() -> Dialect:
    made = items("Jamón Queso Piña Aceite Galletas Champú Azúcar Leche", low=99, high=499_999)
    rows = [
        [i.sku, i.name, i.gtin, money(i.cents, ",", "."), money(i.promotion, ",", ".")]
        for i in made
    ]
    header = "Código;Descripción;Código de barras;PVP;Precio oferta"
    return Dialect(
        name="spanish",
        file="precios.csv",
        data=table(header, rows, ";").encode("cp1252"),
        truth={"price": "PVP", "promotion_price": "Precio oferta"},
        decimal=",",
        thousands=".",
        sure=frozenset({"price", "promotion_price", "decimal", "thousands"}),
        prices=_prices(made),
    )


def hebrew_xml() -> Dialect:
    made = items("חלב לחם גבינה ביצים שוקולד מים קפה תה", low=190, high=9990)
    rows = "".join(
        f"<Item><PriceUpdateDate>2026-01-0{n % 9 + 1} 05:00</PriceUpdateDate><ItemCode>{i.gtin}"
        f"</ItemCode><ItemName>{i.name}</ItemName><Quantity>{i.grams}.00</Quantity><UnitQty>גרם"
        f"</UnitQty><UnitOfMeasure>100 גרם</UnitOfMeasure><ItemPrice>{money(i.cents)}</ItemPrice>"
        f"<UnitOfMeasurePrice>{money(i.per_kg // 10)}</UnitOfMeasurePrice>"
        f"<AllowDiscount>1</AllowDiscount><ItemStatus>1</ItemStatus></Item>"
        for n, i in enumerate(made)
    )
    head = "<?xml version='1.0' encoding='utf-8'?>"
    text = f"{head}<root><StoreId>1</StoreId><Items>{rows}</Items></root>"
    return Dialect(
        name="hebrew xml",
        file="PriceFull729-001.xml",
        data=text.encode(),
        truth={"price": "ItemPrice", "unit_price": None},  # it is the price of 100 g
        currency="ILS",
        sure=frozenset({"price", "decimal"}),
        unsure=frozenset({"unit_price"}),
    )


def shop_json() -> Dialect:
    made = items("Coffee Tea Bread Jam Honey Butter Milk Rice")
    products = [
        {
            "id": int(i.sku),
            "title": i.name,
            "vendor": "Acme",
            "variant": {
                "sku": i.sku,
                "barcode": i.gtin,
                "price": money(i.cents),
                "compare_at_price": money(i.cents + 100) if i.promotion else None,
            },
        }
        for i in made
    ]
    return Dialect(
        name="shop json",
        file="products.json",
        data=json.dumps({"page": 1, "data": {"products": products}}).encode(),
        truth={"price": "item.variant.price", "was": "item.variant.compare_at_price"},
        sure=frozenset({"price", "decimal"}),
    )


def cents_json() -> Dialect:
    made = items("Pasta Soup Salt Oil Beans Peas Corn Flour")
    rows = [{"sku": i.sku, "ean": i.gtin, "name": i.name, "price_cents": i.cents} for i in made]
    return Dialect(
        name="cents json",
        file="feed.json",
        data=json.dumps(rows).encode(),
        truth={"price": "item.price_cents"},
        minor_units=True,
        sure=frozenset({"price", "minor_units"}),
        prices=_prices(made),
    )


def whole_prices() -> Dialect:
    made = items("Pasta Soup Salt Oil Beans Peas Corn Flour")
    rows = [[i.sku, i.name, i.gtin, str(i.cents)] for i in made]
    return Dialect(
        name="whole prices",
        file="prices.csv",
        data=table("sku,name,ean,price", rows, ",").encode(),
        truth={"price": "price"},
        minor_units=None,
        unsure=frozenset({"minor_units"}),
    )


def three_digits() -> Dialect:
    made = items("Schraube Bohrer Hammer Zange Säge Leiter Farbe Kleber", low=1000, high=9999)
    rows = [[i.sku, i.name, i.gtin, f"{i.cents // 1000}.{i.cents % 1000:03d}"] for i in made]
    return Dialect(
        name="three digits",
        file="baumarkt.csv",
        data=table("Artikelnr;Bezeichnung;EAN;Verkaufspreis", rows, ";").encode(),
        truth={"price": "Verkaufspreis"},
        decimal=None,
        unsure=frozenset({"decimal"}),
    )


def mixed_signs() -> Dialect:
    made = items("Pasta Soup Salt Oil Beans Peas Corn Flour")
    rows = [[i.sku, i.name, i.gtin, money(i.cents, ".,"[n % 2])] for n, i in enumerate(made)]
    return Dialect(
        name="mixed signs",
        file="mixed.csv",
        data=table("sku;name;ean;price", rows, ";").encode(),
        truth={"price": "price"},
        decimal=None,
        unsure=frozenset({"decimal"}),
    )


def two_prices() -> Dialect:
    made = items("Brot Milch Käse Wurst Eier Butter Saft Bier")
    rows = [[i.sku, i.name, money(i.cents, ","), money(i.cents - 10, ",")] for i in made]
    return Dialect(
        name="two prices",
        file="zwei.csv",
        data=table("Nummer;Name;Preis 1;Preis 2", rows, ";").encode(),
        truth={"price": None},
        decimal=",",
        unsure=frozenset({"price"}),
    )


def only_net() -> Dialect:
    made = items("Brot Milch Käse Wurst Eier Butter Saft Bier")
    rows = [[i.sku, i.name, i.gtin, money(i.cents), money(i.cents // 2)] for i in made]
    return Dialect(
        name="only net prices",
        file="net.csv",
        data=table("SKU,Description,EAN,Net price,Cost", rows, ",").encode(),
        truth={"price": None},
        unsure=frozenset({"price"}),
    )


def no_header() -> Dialect:
    made = items("Brot Milch Käse Wurst Eier Butter Saft Bier")
    rows = [[i.sku, i.gtin, i.name, money(i.cents, ","), money(i.per_kg, ",")] for i in made]
    text = table("", rows, ";").lstrip("\r\n")
    return Dialect(
        name="no header",
        file="export.txt",
        data=text.encode("cp1252"),
        truth={"price": None},
        decimal=",",
        unsure=frozenset({"price", "header_row"}),
    )


def promotion_above() -> Dialect:
    made = items("Bread Milk Cheese Ham Eggs Butter Juice Beer")
    rows = [[i.sku, i.name, i.gtin, money(i.cents // 2), money(i.cents)] for i in made]
    return Dialect(
        name="promotion above the price",
        file="swapped.csv",
        data=table("SKU,Name,EAN,Price,Special price", rows, ",").encode(),
        truth={"price": None, "promotion_price": None},
        unsure=frozenset({"price", "promotion_price"}),
    )


def item_price_called_unit_price() -> Dialect:
    made = items("Bread Milk Cheese Ham Eggs Butter Juice Beer")
    rows = [[i.sku, f"{i.name} {i.grams} g", i.gtin, money(i.cents), "7"] for i in made]
    return Dialect(
        name="item price called unit price",
        file="erp.csv",
        data=table("Item No,Description,EAN,Unit Price,Qty", rows, ",").encode(),
        truth={"price": None, "unit_price": None},
        unsure=frozenset({"price", "unit_price"}),
    )


def serbian() -> Dialect:
    made = items("Млеко Хлеб Сир Кафа Шећер Чај Ђумбир Љутика")
    rows = [
        [i.sku, i.name, i.gtin, money(i.cents, ","), money(i.promotion, ","), f"{i.grams} г"]
        for i in made
    ]
    header = "Шифра;Назив;Баркод;Малопродажна цена;Акцијска цена;Нето количина"
    return Dialect(
        name="serbian",
        file="cenovnik.csv",
        data=table(header, rows, ";").encode("cp1251"),
        truth={"price": "Малопродажна цена", "promotion_price": "Акцијска цена"},
        decimal=",",
        encoding="cp1251",
        currency="RSD",
        sure=frozenset({"price", "promotion_price", "decimal"}),
        prices=_prices(made),
    )


def wide_with_titles() -> Dialect:
    made = items("Pane Latte Prosciutto Caffè Città Però Virtù Così")
    rows = [[i.sku, i.name, i.gtin, money(i.cents, ","), money(i.promotion, ",")] for i in made]
    text = table("Codice\tDescrizione\tCodice a barre\tPrezzo\tPrezzo offerta", rows, "\t")
    titled = f"Listino prezzi\r\nvalido dal 1 gennaio\r\n\r\n{text}"
    return Dialect(
        name="utf-16 with titles",
        file="listino.txt",
        data=titled.encode("utf-16"),
        truth={"price": "Prezzo", "promotion_price": "Prezzo offerta"},
        decimal=",",
        encoding="utf-16",
        delimiter="\t",
        sure=frozenset({"price", "promotion_price", "decimal"}),
        prices=_prices(made),
    )


def turkish() -> Dialect:
    made = items("Süt Ekmek Peynir Çay Şeker Yoğurt Işık Üzüm")
    rows = [[i.sku, i.name, i.gtin, f"₺{money(i.cents)}"] for i in made]
    return Dialect(
        name="turkish",
        file="fiyat.csv",
        data=table("Ürün Kodu,Ürün Adı,Barkod,Satış Fiyatı", rows, ",").encode(),
        truth={"price": "Satış Fiyatı"},
        currency="TRY",
        sure=frozenset({"price", "decimal"}),
        prices=_prices(made),
    )


def slovenian_xlsx() -> Dialect:
    made = items("Kruh Mleko Sir Češnja Žemlja Šunka Sok Čaj")
    rows = [["Cenik", "", "", "", ""], ["Šifra", "Naziv", "EAN", "Redna cena", "Akcijska cena"]]
    rows += [[i.sku, i.name, i.gtin, money(i.cents), money(i.promotion)] for i in made]
    return Dialect(
        name="slovenian xlsx",
        file="cenik.xlsx",
        data=workbook(rows, numbers={3, 4}),
        truth={"price": "Redna cena", "promotion_price": "Akcijska cena"},
        sure=frozenset({"price", "promotion_price", "decimal"}),
        prices=_prices(made),
    )


def clubs() -> Dialect:
    made = items("Brot Milch Käse Wurst Eier Butter Saft Bier")
    rows = [
        [
            i.sku,
            i.name,
            i.gtin,
            money(i.cents, ","),
            money(i.cents - 20, ","),
            money(i.cents * 6, ","),
        ]
        for i in made
    ]
    return Dialect(
        name="club and case prices",
        file="club.csv",
        data=table("ArtNr;Bezeichnung;EAN;Preis;Clubpreis;Kartonpreis", rows, ";").encode(),
        truth={"price": "Preis", "promotion_price": None},
        decimal=",",
        sure=frozenset({"price"}),
        prices=_prices(made),
    )


def new_and_old_price() -> Dialect:
    made = items("Bread Milk Cheese Ham Eggs Butter Juice Beer")
    rows = [[i.sku, i.name, i.gtin, money(i.cents), money(i.cents - 7)] for i in made]
    return Dialect(
        name="price and new price",
        file="changes.csv",
        data=table("SKU,Name,EAN,Price,New price", rows, ",").encode(),
        truth={"price": None},
        unsure=frozenset({"price"}),
    )


def discounts() -> Dialect:
    made = items("Bread Milk Cheese Ham Eggs Butter Juice Beer")
    rows = [[i.sku, i.name, i.gtin, money(i.cents), money(i.cents // 10)] for i in made]
    return Dialect(
        name="discounts called promotion prices",
        file="discounts.csv",
        data=table("SKU,Name,EAN,Retail price,Promo price", rows, ",").encode(),
        truth={"price": "Retail price", "promotion_price": None},
        unsure=frozenset({"promotion_price"}),
    )


def per_hundred_grams() -> Dialect:
    made = items("Brot Milch Käse Wurst Eier Butter Saft Bier")
    rows = [
        [i.sku, f"{i.name} {i.grams} g", i.gtin, money(i.cents, ","), money(i.per_kg // 10, ",")]
        for i in made
    ]
    return Dialect(
        name="unit prices of 100 g",
        file="hundert.csv",
        data=table("ArtNr;Bezeichnung;EAN;VK;Grundpreis", rows, ";").encode(),
        truth={"price": "VK", "unit_price": None},
        decimal=",",
        sure=frozenset({"price"}),
        unsure=frozenset({"unit_price"}),
    )


def two_currencies() -> Dialect:
    made = items("Kruh Mlijeko Sir Šunka Jaja Maslac Sok Pivo")
    rows = [
        [i.sku, i.name, i.gtin, money(i.cents, ","), money(i.cents * 75345 // 10000, ",")]
        for i in made
    ]
    return Dialect(
        name="two currencies",
        file="dvije.csv",
        data=table("Šifra;Naziv;Barkod;MPC EUR;MPC HRK", rows, ";").encode(),
        truth={"price": None},
        decimal=",",
        unsure=frozenset({"price"}),
    )


def unquoted_comma() -> Dialect:
    made = items("Bread Milk Cheese Ham Eggs Butter Juice Beer")
    rows = [[i.sku, i.name, i.gtin, money(i.cents, ",")] for i in made]
    return Dialect(
        name="decimal commas between commas",
        file="broken.csv",
        data=table("sku,name,ean,price", rows, ",").encode(),
        truth={"price": "price"},  # by its header; but nothing is read before a person looked
        decimal=None,
        minor_units=None,
        unsure=frozenset({"delimiter"}),
    )


def workbook(rows: list[list[str]], *, numbers: set[int]) -> bytes:
    """Make a small .xlsx file; cells of the columns in ``numbers`` are numbers."""
    lines = []
    for at, row in enumerate(rows, 1):
        cells = []
        for number, value in enumerate(row):
            place = f"{chr(65 + number)}{at}"
            if not value:
                continue
            if number in numbers and value[0].isdigit():
                cells.append(f'<c r="{place}"><v>{float(value)!r}</v></c>')
            else:
                cells.append(f'<c r="{place}" t="inlineStr"><is><t>{value}</t></is></c>')
        lines.append(f'<row r="{at}">{"".join(cells)}</row>')
    main = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
    office = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
    package = "http://schemas.openxmlformats.org/package/2006"
    sheet = '<sheet name="Cenik" sheetId="1" r:id="rId1"/>'
    first = f'Id="rId1" Type="{office}/worksheet" Target="worksheets/sheet1.xml"'
    parts = {
        "[Content_Types].xml": f'<Types xmlns="{package}/content-types"/>',
        "xl/workbook.xml": f'<workbook xmlns="{main}" xmlns:r="{office}"><sheets>{sheet}</sheets>'
        "</workbook>",
        "xl/_rels/workbook.xml.rels": f'<Relationships xmlns="{package}/relationships">'
        f"<Relationship {first}/></Relationships>",
        "xl/worksheets/sheet1.xml": f'<worksheet xmlns="{main}"><sheetData>{"".join(lines)}'
        "</sheetData></worksheet>",
    }
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, text in parts.items():
            archive.writestr(name, '<?xml version="1.0" encoding="UTF-8"?>' + text)
    return target.getvalue()


DIALECTS = [
    make()
    for make in (
        german, croatian, polish, czech, hungarian, french, spanish, hebrew_xml, shop_json,
        cents_json, whole_prices, three_digits, mixed_signs, two_prices, only_net, no_header,
        promotion_above, item_price_called_unit_price, serbian, wide_with_titles, turkish,
        slovenian_xlsx, clubs, new_and_old_price,
    discounts, per_hundred_grams, two_currencies, unquoted_comma,
    )
]  # fmt: skip
