"""What headers mean: the shopper's price in many languages, and what must never be taken for it."""

import pytest

from esl.intake.suggest.words import (
    meaning_of_header,
    says_minor_units,
    speaks_of_promotion,
)

HEADERS = {
    "price": """Maloprodajna cijena|MPC|Redovna cijena|Cijena|Cijena (EUR)|Redna cena|Prodajna cena
        |Малопродажна цена|Цена|Verkaufspreis|VK|VK-Preis|Preis|Bruttopreis|Normalpreis|Retail price
        |Price|price|Selling Price|Price incl. VAT|ItemPrice|Prix TTC|Prix de vente|Prix|Prezzo
        |Prezzo di vendita|Precio|PVP|Preço|Preço de venda|Cena brutto|Cena|Cena detaliczna
        |Cena s DPH|Prodejní cena|Predajná cena|Bruttó ár|Fogyasztói ár|Eladási ár|Ár|Preț vânzare
        |Preț|Satış Fiyatı|Fiyat|Τιμή|Τιμή λιανικής|Verkoopprijs|Prijs|מחיר|מחיר לצרכן
        |regular_price|price_cents""",
    "promotion_price": """MPC ZA VRIJEME POSEBNOG OBLIKA PRODAJE|Akcijska cijena|Cijena akcija
        |MaloprodajnaCijenaAkcija|Akcijska cena|Акцијска цена|Aktionspreis|Angebotspreis|Sonderpreis
        |Sale price|Special Price|sale_price|Promo price|Prix promo|Prix remisé|Prezzo offerta
        |Prezzo scontato|Precio oferta|Preço promocional|Cena promocyjna|Akční cena|Akciová cena
        |Akciós ár|Preț redus|Preț promo|İndirimli Fiyat|Actieprijs|מחיר מבצע""",
    "unit_price": """CIJENA ZA JEDINICU MJERE|Cijena po JM|CijenaZaJedinicuMjere|Cena za enoto mere
        |Grundpreis|Grundpreis (€/kg)|Preis/kg|Preis pro kg|Kilopreis|Price per kg|Unit Price
        |Prix au kg|Prix unitaire|Prezzo al kg|Precio por kg|Cena jednostkowa|Měrná cena
        |Jednotková cena|Egységár|Preț pe kg|Birim Fiyat|Prijs per kg|Цена за кг""",
    "lowest_price_30d": """NAJNIŽA CIJENA U POSLJEDNIH 30 DANA|Najniza cijena u poslj. 30 dana
        |Niedrigster Preis 30 Tage|Lowest price 30 days|Prix le plus bas 30 jours
        |Najniższa cena z 30 dni|Nejnižší cena za 30 dnů|Najnižšia cena za 30 dní""",
    "anchor_price": "SIDRENA CIJENA NA 2.5.2025|SidrenaCijena",
    "was": "Stara cijena|Old price|Alter Preis|compare_at_price|Prix barré|Poprzednia cena",
    "not for labels": """Nabavna cijena|VPC|Veleprodajna cijena|EK-Preis|Einkaufspreis|Cost
        |Net price
        |Prix d'achat|Cena netto|Cena bez DPH|Prezzo di acquisto costo|Price excl. VAT|UVP
        |MSRP|Neto cijena|Preis ohne MwSt|Precio sin IVA|Prix HT|Nettó ár|Wholesale price
        |Inkoopprijs|Τιμή χονδρικής|Τιμή χωρίς ΦΠΑ
        |Discount amount|Iznos popusta|Aktion Preisreduktion|Preisnachlass Aktion""",
    "some price": """Preis 1|Preis 2|Clubpreis|Member price|Kartonpreis|Listenpreis|Nova cijena
        |Cijena s karticom|Loyalty price|Staffelpreis|Cena katalogowa|Prezzo di listino|Webprijs
        |App price|price_level_2|Promjena cijene""",
    "sku": """ŠIFRA PROIZVODA|Šifra|Artikelnummer|Art.Nr.|SKU|Item No|Code article|Codice|Código
        |Indeks|Číslo zboží|Cikkszám|Cod produs|Ürün Kodu|Шифра|id""",
    "gtin": "BARKOD|EAN|EAN13|Bar code|Code barres|Codice a barre|Kod kreskowy|Čárový kód|Vonalkód"
    "|Cod de bare|Streepjescode|Črtna koda|Баркод|ברקוד",
    "name": "NAZIV PROIZVODA|Bezeichnung|Libellé|Descrizione|Descripción|Nazwa|Název|Megnevezés"
    "|Denumire|Ürün Adı|Omschrijving|Назив|title|ItemName|Product",
    "net_content": "NETO KOLIČINA|Neto kolicina|Inhalt|Contenance|Gramatura|Kiszerelés|Gramaj",
    "date": "PriceUpdateDate|gültig von|Datum|Akcija od|valid_to",
}
PAIRS = [(h.strip(), target) for target, words in HEADERS.items() for h in words.split("|")]
ONLY_IF_ALONE = {"Cijena", "Preis", "Price", "Prix", "Prezzo", "Precio", "Cena", "Prijs", "מחיר"}


@pytest.mark.parametrize(("header", "target"), PAIRS, ids=[header for header, _ in PAIRS])
def test_a_header_means(header, target):
    meaning = meaning_of_header(header)
    assert meaning is not None
    assert meaning.target == target


@pytest.mark.parametrize("header", sorted(ONLY_IF_ALONE))
def test_the_bare_word_is_the_price_only_where_no_other_header_says_more(header):
    assert meaning_of_header(header).narrow is False


@pytest.mark.parametrize("header", ["", "x", "ItemStatus", "AllowDiscount", "Popust %", "x" * 500])
def test_a_header_nobody_knows_means_nothing(header):
    assert meaning_of_header(header) is None


def test_headers_say_whether_prices_are_in_cents():
    assert says_minor_units("price_cents")
    assert says_minor_units("Cena (grosze)")
    assert not says_minor_units("price")
    assert not says_minor_units("percent")


@pytest.mark.parametrize(
    "header",
    """Akcija|AKCIJA_DN|Popust|Popust %|Promo|Promocija|Aktion|AktionsKZ|Angebot|Rabatt|Offer|Sale
    |On sale|Discount|Rabat|Promocja|Sleva|Akční|Zľava|Akció|Kedvezmény|Promotion|Remise|Offerta
    |Sconto|Oferta|Descuento|Desconto|Reducere|Ofertă|Kampanya|İndirim|Προσφορά|Έκπτωση|Actie
    |Korting|Промоция|Отстъпка|Попуст|Снижење|Скидка|מבצע|הנחה|عرض|خصم|Rasprodaja""".split("|"),
)
def test_a_word_that_hints_at_a_promotion_is_heard_in_every_language(header):
    assert speaks_of_promotion(header.strip())


@pytest.mark.parametrize(
    "header", ["Naziv", "Price", "Wholesale", "Scale", "Preis", "Description", "Officer", "Shop"]
)
def test_words_that_only_look_like_it_hint_at_nothing(header):
    assert not speaks_of_promotion(header)
