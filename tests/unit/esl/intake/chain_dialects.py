"""More price lists nobody sent, after those that chains of several countries publish.

Each is a row of headers by what they mean. Columns may be padded, quoted, in another encoding, or
beside others that look alike and are not what a shopper pays.
"""

from collections.abc import Sequence

from tests.unit.esl.intake.suggest_dialects import Dialect, Item, items, money, table, workbook

LATIN = "ŠEĆER ČOKOLADA ŽELE ĐUMBIR KRUŠKA MLIJEČNI VOĆNI ŠUNKA"
CYRILLIC = "Млеко Хлеб Сир Шећер Џем Ђумбир Љуто Њоке Ћевапи Чај"
MONEY = {
    "price": "price",
    "promotion": "promotion_price",
    "low": "lowest_price_30d",
    "per": "unit_price",
    "anchor": "anchor_price",
}
"""What a column holds, and the target that is its truth."""


def cell(item: Item, role: str, sign: str, thousands: str) -> str:
    """Write one cell as its column's role wants it."""
    texts = {"sku": item.sku, "gtin": item.gtin, "name": item.name, "content": f"{item.grams} g"}
    amounts = {
        "price": item.cents,
        "promotion": item.promotion,
        "low": item.promotion,
        "per": item.per_kg,
        "anchor": item.cents + 10,
        "cost": max(item.cents * 7 // 10, 1),
        "case": item.cents * 12,
        "other": item.cents * 196 // 100,  # of another currency
    }
    if role in amounts:
        return money(amounts[role], sign, thousands)
    return texts.get(role, role.removeprefix("="))


def rows_of(
    made: Sequence[Item], roles: Sequence[str], sign: str, thousands: str = ""
) -> list[list[str]]:
    return [[cell(item, role, sign, thousands) for role in roles] for item in made]


def truth_of(columns: dict[str, str]) -> dict[str, str | None]:
    return {MONEY[role]: header for header, role in columns.items() if role in MONEY}


def listed(
    name: str,
    columns: dict[str, str],
    *,
    words: str = LATIN,
    delimiter: str = ";",
    sign: str = ",",
    encoding: str = "cp1250",
    quote: str = "",
    pad: int = 0,
    thousands: str = "",
    currency: str = "EUR",
    sure: frozenset[str] = frozenset({"price", "decimal", "sku"}),
    unsure: frozenset[str] = frozenset(),
    ready: bool = True,
    before: str = "",
    suffix: str = "",
    truth: dict[str, str | None] | None = None,
    marks: dict[str, str] | None = None,
) -> Dialect:
    """Make a delimited list from its headers."""
    made = items(words)
    rows = rows_of(made, list(columns.values()), sign, thousands)
    for row in rows:
        for at, role in enumerate(columns.values()):
            if role == "name" and quote:
                row[at] = (
                    quote
                    + row[at].replace(" ", f" {quote}{quote}B{quote}{quote}{delimiter} ", 1)
                    + quote
                )
            if role in MONEY and row[at]:
                row[at] = (row[at] + suffix).rjust(pad)
            if marks and role in marks and row[at]:
                row[at] = f"{marks[role]}{row[at]}{marks[role]}"
    data = before + table(delimiter.join(columns), rows, delimiter)
    return Dialect(
        name=name,
        file=f"{name}.csv",
        data=data.encode(encoding),
        truth=truth if truth is not None else truth_of(columns),
        decimal=sign,
        thousands=thousands or None,
        encoding=encoding,
        delimiter=delimiter,
        currency=currency,
        sure=sure,
        unsure=unsure,
        prices={item.sku: item.cents for item in made} if ready else None,
    )


def padded_tabs() -> Dialect:
    columns = {
        "naziv proizvoda": "name", "šifra proizvoda": "sku", "marka proizvoda": "=Čako",
        "neto količina(KG)": "=0,250", "jedinica mjere": "=KOM",
        "maloprod.cijena(EUR)": "price", "akc.cijena, A=akcija": "promotion",
        "kol.jed.mj.": "=1", "jed.mj. (1 KOM/L/KG)": "=KG", "cijena jed.mj.(EUR)": "per",
        "Najniža MPC u 30dana": "low", "Sidrena cijena": "anchor", "barkod": "gtin", "WG": "=12",
    }  # fmt: skip
    return listed("padded tabs", columns, delimiter="\t", pad=12)


def underscores() -> Dialect:
    columns = {
        "NAZIV": "name", "ŠIFRA": "sku", "NETO_KOLIČINA": "content", "JEDINICA_MJERE": "=kom",
        "MARKA": "=Žuja", "MALOPRODAJNA_CIJENA": "price",
        "MPC_ZA_VRIJEME_POSEBNOG_OBLIKA_PRODAJE": "promotion",
        "NAJNIZA_CIJENA_U_POSLJ._30_DANA": "low", "CIJENA_ZA_JEDINICU_MJERE": "per",
        "BARKOD": "gtin", "KATEGORIJA_PROIZVODA": "=Piće", "SIDRENA_CIJENA_NA_02.05.2025": "anchor",
    }  # fmt: skip
    return listed("underscores", columns, delimiter=",", sign=".", marks={"gtin": "'"})


def quoted_semicolons() -> Dialect:
    columns = {
        "naziv": "name", "šifra": "sku", "marka": "=Đuro", "neto količina": "content",
        "jedinica mjere": "=kom", "MPC (EUR)": "price", "cijena za jedinicu mjere (EUR)": "per",
        "MPC za vrijeme posebnog oblika prodaje (EUR)": "promotion",
        "Najniža cijena u posljednjih 30 dana (EUR)": "low",
        "sidrena cijena na 2.5.2025. (EUR)": "anchor", "barkod": "gtin",
    }  # fmt: skip
    return listed("quoted semicolons", columns, quote='"')


def short_words() -> Dialect:
    columns = {
        "BARKOD_ARTIKLA": "gtin", "ROBNA_STRUKTURA": "=A1", "ŠIFRA_ARTIKLA": "sku", "BRAND": "=Č",
        "NAZIV_ARTIKLA": "name", "JED_MJERE": "=KOM", "NETO_KOLICINA": "content", "MPC": "price",
        "MPC_POSEBNA_PRODAJA": "promotion", "CIJENA_PO_JM": "per",
        "DATUM_ULASKA_NOVOG_ARTIKLA": "=29.12.2025", "MPC_NAJNIZA_30": "low",
        "MPC_020525": "anchor",
    }  # fmt: skip
    return listed("short words", columns, delimiter=",", sign=".", encoding="utf-8")


def bare_words() -> Dialect:
    columns = {
        "NAZIV": "name", "SIFRA": "sku", "MARKA": "=Ćo", "NETO_KOLICINA": "content",
        "JED_MJERE": "=KOM", "MPC": "price", "CIJENA_PO_MJERI": "per",
        "POSEBNA_PRODAJA": "promotion",
        "NAJNIZA_30_DANA": "low", "SIDRENA_02_05": "anchor", "BARKOD": "gtin",
    }  # fmt: skip
    return listed(
        "bare words", columns, delimiter=",", sign=".", encoding="utf-8-sig", ready=False,
        unsure=frozenset({"promotion_price"}),  # its header does not say that it is a price
    )  # fmt: skip


def euros_behind() -> Dialect:
    columns = {
        "Naziv": "name", "Šifra": "sku", "Cijena": "price", "Akcijska cijena": "promotion",
        "Barkod": "gtin", "Nabavna cijena": "cost",
    }  # fmt: skip
    return listed("euros behind", columns, suffix=" €", sure=frozenset({"price", "decimal"}))


def serbian_cyrillic() -> Dialect:
    columns = {
        "Шифра производа": "sku", "Назив производа": "name", "Робна марка": "=Ћао",
        "Баркод": "gtin", "Јединица мере": "=ком", "Редовна цена": "price",
        "Цена по јединици мере": "per", "Снижена цена": "promotion", "Датум почетка": "=29.12.2025",
    }  # fmt: skip
    return listed("serbian cyrillic", columns, words=CYRILLIC, encoding="cp1251", currency="RSD")


def serbian_latin() -> Dialect:
    columns = {
        "Šifra proizvoda": "sku", "Naziv proizvoda": "name", "Bar kod": "gtin",
        "Jedinica mere": "=kom", "Redovna cena": "price", "Cena po jedinici mere": "per",
        "Snižena cena": "promotion", "Datum kraja sniženja": "=29.12.2025",
    }  # fmt: skip
    return listed("serbian latin", columns, delimiter="\t", encoding="utf-16", currency="RSD")


def bulgarian_two_currencies() -> Dialect:
    columns = {
        "Код на продукта": "sku", "Наименование на продукта": "name", "Баркод": "gtin",
        "Цена на дребно": "price", "Цена на дребно (лв.)": "other", "Цена в промоция": "promotion",
    }  # fmt: skip
    return listed(
        "bulgarian two currencies", columns,
        words="Мляко Хляб Сирене Ябълки Чушки Ориз Олио Брашно", encoding="cp1251",
        ready=False, sure=frozenset({"decimal", "sku"}),
    )  # fmt: skip


def german_catering() -> Dialect:
    columns = {
        "Art.-Nr.": "sku", "EAN-Code": "gtin", "Artikelbezeichnung": "name", "VE": "=12",
        "VK netto": "cost", "VK brutto": "price", "Preis VE": "case", "Grundpreis": "per",
        "Sonderpreis": "promotion", "gültig ab": "=29.12.2025",
    }  # fmt: skip
    return listed(
        "german catering", columns, words="Käse Müsli Brötchen Öl Grieß Süßmost Würstchen Honig",
        encoding="cp1252",
    )  # fmt: skip


def swiss() -> Dialect:
    columns = {
        "Artikelnummer": "sku", "EAN": "gtin", "Bezeichnung": "name", "Preis CHF": "price",
        "Aktionspreis CHF": "promotion", "Einstandspreis": "cost",
    }  # fmt: skip
    return listed(
        "swiss", columns, words="Käse Müsli Brötchen Öl Grieß Rösti Würstchen Honig",
        encoding="utf-8", sign=".", currency="CHF",
    )  # fmt: skip


def polish_chain() -> Dialect:
    columns = {
        "Kod towaru": "sku", "Nazwa towaru": "name", "EAN": "gtin", "Cena zakupu": "cost",
        "Cena detaliczna": "price", "Cena promocyjna": "promotion",
        "Najniższa cena z 30 dni przed obniżką": "low", "Cena jednostkowa": "per",
        "Gramatura": "content",
    }  # fmt: skip
    return listed(
        "polish chain", columns, words="Żółty Śledź Mąka Źródło Łosoś Ciasto Chleb Ćwikła",
        currency="PLN",
    )  # fmt: skip


def greek() -> Dialect:
    columns = {
        "Κωδικός": "sku", "Περιγραφή": "name", "Barcode": "gtin", "Τιμή": "price",
        "Τιμή προσφοράς": "promotion",
    }  # fmt: skip
    return listed(
        "greek", columns, words="Γάλα Ψωμί Τυρί Μέλι Ελιές Κρασί Νερό Ρύζι", encoding="cp1253",
        sure=frozenset({"decimal"}), ready=False,
    )  # fmt: skip


def arabic() -> Dialect:
    columns = {
        "رمز المنتج": "sku", "اسم المنتج": "name", "الباركود": "gtin", "السعر": "price",
        "سعر العرض": "promotion", "سعر الشراء": "cost",
    }  # fmt: skip
    return listed(
        "arabic", columns, words="حليب خبز جبن عسل زيتون ماء أرز سكر", encoding="utf-8", sign=".",
        delimiter=",", currency="AED",
    )  # fmt: skip


def hebrew_csv() -> Dialect:
    columns = {
        "קוד פריט": "sku", "שם פריט": "name", "ברקוד": "gtin", "מחיר": "price",
        "מחיר מבצע": "promotion", "מחיר קניה": "cost",
    }  # fmt: skip
    return listed(
        "hebrew csv", columns, words="חלב לחם גבינה דבש זיתים מים אורז סוכר", encoding="cp1255",
        sign=".", delimiter=",", sure=frozenset({"decimal"}), ready=False, currency="ILS",
    )  # fmt: skip


def price_levels() -> Dialect:
    columns = {
        "Šifra": "sku", "Naziv": "name",
        "Cijena 1": "price", "Cijena 2": "cost", "Cijena 3": "case",
    }  # fmt: skip
    return listed(
        "price levels", columns, sure=frozenset({"decimal"}), unsure=frozenset({"price"}),
        ready=False, truth={},
    )  # fmt: skip


def wholesale_first() -> Dialect:
    columns = {
        "Šifra": "sku", "Naziv": "name", "Cijena": "cost", "VPC": "cost", "MPC": "price",
        "Rabat %": "=5", "PDV": "=25",
    }  # fmt: skip
    return listed(
        "wholesale first", columns, sure=frozenset({"decimal"}), ready=False,
        truth={"price": "MPC"},
    )  # fmt: skip


def merged_titles() -> Dialect:
    made = items(LATIN)
    roles = [
        "name",
        "sku",
        "=Čako",
        "gtin",
        "content",
        "per",
        "price",
        "promotion",
        "low",
        "anchor",
    ]
    headers = [
        "naziv", "šifra (interna)", "marka", "barkod", "neto količina", "cijena za jedinicu mjere",
        "MPC", "MPC za vrijeme posebnog oblika prodaje (rasprodaja)",
        "najniža cijena u posljednjih 30 dana", "sidrena cijena na 2.5.2025.",
    ]  # fmt: skip
    titles = [
        ["Cjenik", *[""] * 9], [""] * 10, ["Prodavaonica 12, Ulica 3", *[""] * 9],
        ["", "", "", "", "", "Cijene u EUR", "", "", "", ""],
    ]  # fmt: skip
    rows = [*titles, headers, *rows_of(made, roles, ".")]
    columns = dict(zip(headers, roles, strict=True))
    return Dialect(
        name="merged titles",
        file="merged.xlsx",
        data=workbook(rows, numbers={5, 6, 7, 8, 9}),
        truth=truth_of(columns),
        sure=frozenset({"price", "decimal", "sku"}),
        prices={item.sku: item.cents for item in made},
    )


def elements(item: Item, names: dict[str, str], sign: str) -> str:
    return "".join(f"<{tag}>{cell(item, role, sign, '')}</{tag}>" for tag, role in names.items())


def small_elements() -> Dialect:
    made = items(LATIN)
    names = {
        "naziv": "name", "sifra": "sku", "marka": "=Ć", "nettoKolicina": "content",
        "jedMjere": "=kom", "mpcijena": "price", "mpcijenapop": "promotion", "najniza30": "low",
        "cijenaJedMj": "per", "barkod": "gtin",
    }  # fmt: skip
    body = "".join(f"<item>{elements(i, names, ',')}</item>" for i in made)
    text = f'<?xml version="1.0" encoding="windows-1250"?><cjenik><items>{body}</items></cjenik>'
    return Dialect(
        name="small elements", file="cjenik.xml", data=text.encode("cp1250"),
        truth=truth_of(names), decimal=",", sure=frozenset({"decimal"}),
    )  # fmt: skip


def hebrew_full() -> Dialect:
    made = items("חלב לחם גבינה דבש זיתים מים אורז סוכר")
    names = {
        "PriceUpdateDate": "=2025-12-29 05:00", "ItemCode": "gtin", "ItemType": "=1",
        "ItemName": "name", "ManufacturerName": "=תנובה", "UnitQty": "=גרם", "Quantity": "=250.00",
        "bIsWeighted": "=0", "UnitOfMeasure": "=100 גרם", "QtyInPackage": "=1",
        "ItemPrice": "price",
        "UnitOfMeasurePrice": "other", "AllowDiscount": "=1", "ItemStatus": "=1", "ItemId": "sku",
    }  # fmt: skip
    body = "".join(f"<Item>{elements(i, names, '.')}</Item>" for i in made)
    text = (
        '<?xml version="1.0" encoding="UTF-16"?><root><ChainId>7290</ChainId><StoreId>1</StoreId>'
        f'<Items Count="{len(made)}">{body}</Items></root>'
    )
    return Dialect(
        name="hebrew full", file="PriceFull.xml", data=text.encode("utf-16"), currency="ILS",
        truth={"price": "ItemPrice"}, sure=frozenset({"price", "decimal"}),
    )  # fmt: skip


DIALECTS = [
    make()
    for make in (
        padded_tabs, underscores, quoted_semicolons, short_words, bare_words, euros_behind,
        serbian_cyrillic, serbian_latin, bulgarian_two_currencies, german_catering, swiss,
        polish_chain, greek, arabic, hebrew_csv, price_levels, wholesale_first, merged_titles,
        small_elements, hebrew_full,
    )
]  # fmt: skip
