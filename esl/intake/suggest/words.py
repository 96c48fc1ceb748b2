"""What the headers of price lists mean, in the languages shops write them in.

A header is folded first: "MPC ZA VRIJEME POSEBNOG OBLIKA PRODAJE" and "mpcZaVrijemePosebnog…"
become the same words, without marks on letters. Then the first rule that fits says what it is,
so narrow meanings stand before wide ones: "lowest price" before "price", and a price without tax
or a purchase price before both, for it may never stand on a label.
"""

import re
import unicodedata
from functools import lru_cache
from typing import NamedTuple

NOT_FOR_LABELS = "not for labels"
"""The meaning of prices that no shopper pays: purchase, wholesale, without tax, recommended."""

SOME_PRICE = "some price"
"""The meaning of a price with a word beside it that may change what it is the price of."""

DATE = "date"
"""The meaning of headers that name a date or a period; which one is for a person to say."""


class Meaning(NamedTuple):
    """What a header means. ``narrow`` is one that says more than the bare word ("price")."""

    target: str
    narrow: bool


def _words(words: str) -> str:
    """Make alternatives of words: ``*`` is any ending, ``_`` a blank, ``?`` as in patterns."""
    return f"(?:{'|'.join(words.split())})".replace("*", r"\w*").replace("_", " ")


def _any(words: str) -> str:
    """Make a pattern that finds one of the words anywhere in a header."""
    return rf"\b{_words(words)}\b"


def _only(words: str) -> str:
    """Make a pattern of whole headers."""
    return f"^{_words(words)}$"


_PRICE = _any(
    """price prices cijen* cen cena cene ceny cenu preis* *preis prix prezzo prezzi precio preco
    prijs *prijs pret pretul ar ara fiyat* mpc pvp цен* мпц מחיר τιμη hinta pris سعر السعر"""
)
_BARE = """price prices cijena cijene cena ceny preis preise prix prezzo prezzi precio precios preco
precos prijs prijzen pret pretul ar ara fiyat fiyati mpc pvp цена цени цене мпц מחיר τιμη hinta
pris سعر السعر"""
_BESIDE_BARE = """eur euro hrk kn rsd din km bam pln zl czk kc huf ft ron lei bgn лв usd gbp chf try
tl ils cents? minor amount value proizvoda artikla artiklu product produkt* towaru zbozi"""

_COST = _any(
    """nabavn* fakturn* veleprod* vpc einkauf* ek ekpreis wholesale cost costs purchas* buying costo
    coste custo achat* inkoop* zakup* nakupn* hurt* beszerz* achizit* alis grossist* набавн* закуп*
    велепрод* доставн* margin marza marge marz* rabat margen עלות קניה شراء الشراء تكلفة التكلفة
    جملة الجملة χονδρικ* αγορ* κοστοσ"""
)
_NET = _any(
    """bez_pdv brez_ddv excl* exkl* ex_vat ex_tax net_price netto_?preis nettopreis preis_netto
    cena_netto netto_ar netto_eladasi neto_cijena neto_cena cijena_neto cena_neto ohne_mw_?st
    ohne_ust vk_netto netto_vk ht hors_tax* prix_net iva_esclusa sin_iva sem_iva bez_dph bez_vat
    fara_tva haric χωρισ_φπα без_ддс без_пдв uvp rrp msrp recommended preporucen* doporuc*
    sugerowan* conseille* consigliat* recomendad* advies*"""
)
_OFF = _any(
    """*reduktion* *nachlass* abschlag* diff* razlik* savings? save usted* risparm* ahorr* econom*
    iznos amount percent* posto prozent* procent* %"""
)
_LOWEST = _any(
    """najniz* lowest niedrigst* tiefst* plus_bas* piu_bass* mas_baj* mais_baix* nejniz*
    legalacsony* cel_mai_mic laagst* en_dusuk најниж* најниск* най_ниск* найниск* omnibus הנמוך"""
)
_LATELY = _any("30 last posl* zadn* letzt* ostatni* dern* ultim* utols* son")
_PER = _any("za po per pro je na za_1")
_MEASURE = _any(
    """jedinic* jed jm j_m kg l litr* liter kilo* mern* enot* 100 1 unit_of einheit jednotk*
    jednostk*"""
)
_UNIT_PRICE = _any(
    """kilopreis literpreis kiloprijs literprijs grundpreis einheitspreis jednotkov* merna_cena
    merne_jednotk* cena_merna jednostkow* egysegar egyseg_ar eenheidsprijs prijs_per birim_fiyat*
    unit_?price price_per τιμη_μοναδασ unit_of_measure_price comparison_price jamforpris единична
    мерна_цена pret_(?:pe|per)_(?:kg|um|unitate|litru) pret_unitar prix_unitaire prezzo_unitario
    precio_unitario preco_unitario prezzo_(?:al|per)_(?:kg|kilo|litro|unita)
    precio_(?:por|al|x)_(?:kg|kilo|litro|unidad|medida|um)
    preco_(?:por|ao)_(?:kg|kilo|litro|unidade|medida) prix_(?:au|a_l|par)_(?:kg|kilo|litre|unite)
    (?:за|по)_(?:кг|л|единиц*|јединиц*) יחידת_מידה_מחיר מחיר_ליחיד*"""
)
_SHORT_UNIT_PRICE = _only(
    "(?:preis|price|prix|prezzo|precio|preco|cena|cijena|prijs|pret|ar)_(?:kg|l|l_kg|kg_l|100_g)"
)
_DATE = _any(
    """datum date data_(?:od|do|wazn|vig)* dat from until valid* gueltig gultig od_(?:dana|kdy)
    do_(?:dana|kdy) vazi vrijedi pocetak kraj_akcije start starts end ends ende beginn begin debut
    fin inizio fine inicio fecha wazn* platn* ervenyes* kezdet* baslang* bitis tarih* дата важи*
    валид* update modified changed timestamp תאריך akci*_(?:od|do) promo*_(?:od|do)"""
)
_PROMOTION = _any(
    """akci* akcni akc promo* snizen* popust* posebn*_oblik* special sale offer angebot* aktion*
    sonder* reduz* reduce* remise offert* ofert* scont* aanbieding* actie* kampany* indirim* obnizk*
    zlav* zlevn* slev* zniz* redus* discount* deal промо* акци* намален* намал* снижен*
    посебн*_облик* posebn*_prodaj* προσφορ* מבצע عرض العرض تخفيض"""
)
_PROMOTION_WHOLE = _any(
    """aktionspreis angebotspreis sonderpreis actieprijs promotieprijs saleprice promoprice
    specialprice"""
)
_BEFORE = _any(
    """stara stari staro old previous alter alte statt* prije prejsnja ancien* precedente anterior
    vorher* compare_at poprzedni* puvodn* povodn* regi vechi eski oude was before barre vecchio
    стара старая предишна"""
)
_DEPOSIT = _any(
    """povratn* polog* pfand* deposit* consign* kaucj* zaloh* betetdij* statiegeld depozit* kaucion*
    garantie депозит*"""
)
_TAX = _only(
    """pdv ddv vat mwst mw_st ust tva iva dph afa kdv btw ддс пдв tax מע_מ
    (?:stopa|stawka|sazba|sadzba|taux|aliquota|tipo|taxa|cota)_[a-z]{3}
    (?:pdv|ddv|vat|mwst|tva|iva|dph|afa|kdv|btw|tax)_(?:rate|satz|stopa|%|oran*)
    porezna_stopa steuersatz mwst_?satz"""
)
_OF_SOMEBODY = _any(
    """club* klub* member* clan* loyal* kartic* card karte* app staffel* tier* bulk multi* nov[aei]
    new neu* promjen* change* list* listen* b2b web online cases? karton* kutij* vip min max avg
    average prosje* suggest* listino catalog* katalog* level [2-9]"""
)
_SELLING = _any(
    """maloprod* mpc retail selling regular* redovn* redna normal* verkauf* vk vkpreis brutto*
    bruttopreis ttc pvp vendita venta venda detaliczn* fogyaszt* eladasi vanzare satis verkoop*
    incl* inkl* s_pdv s_ddv z_ddv s_dph z_vat малопрод* редовн* дребно продажн* розничн* регулярн*
    prodajn* prodejn* predajn* de_vente de_detail shelf kassen* item λιανικ* לצרכן"""
)
_SELLING_WHOLE = _any(
    """verkaufspreis bruttopreis normalpreis verkoopprijs ladenpreis itemprice retailprice
    saleunitprice"""
)
_GTIN = _any(
    """ean* gtin* barkod* barcode* bar_?cod* upc* strichcode code_?barre?s? codice_a_barre
    codigo_(?:de_)?barras? vonalkod kod_kreskowy carov*_kod ciarov*_kod cod_(?:de_)?bare
    streepjescode crtn*_kod* crtna_koda бар_?код баркод штрих_?код ברקוד itemcode γραμμωτ*
    باركود الباركود"""
)
_BRAND = _any(
    """marka marke brand* herstell* manufactur* producer proizvodac* proizvodjac* proizvajalec
    producent vyrobce vyrobca gyarto marca marque merk produttore fabricante fabricant producator
    uretici znamka znacka robna_marka vendor марка бренд произвођач производител יצרן μαρκα"""
)
_CATEGORY = _any(
    """kategor* categor* warengruppe robna_grupa grupa* group skupina department dept reparto rayon
    famill* familia csoport cikkcsoport rodzaj sortiment product_type категор* груп* κατηγορια
    קטגוריה bolum"""
)
_UNIT = _only(
    """jedinica(?:_mjere|_mere)? jm j_m unit_of_measure(?:_name)? unit uom me mengeneinheit einheit
    unite(?:_de_mesure)? unita(?:_di_misura)? um unidad(?:_de)?(?:_medida)? unidade mj em
    jednostka(?:_miary)? mern*_jednotka mertekegyseg egyseg me_egyseg unitate(?:_de_masura)? birim
    olcu_birimi eenheid enota(?:_mere)? единица(?:_мярка)? мярка мерна_единица
    јединица_мере мерка μοναδα(?:_μετρησησ)? unit_?qty יחידת_מידה"""
)
_STOCK = _any(
    """zaliha* zaloga stock bestand lager* giacenza existencias stan sklad* keszlet stoc voorraad
    наличност залиха inventory on_hand stan_magazynowy stok_miktari מלאי"""
)
_CONTENT = _any(
    """neto_?kolicin* netto_?kolicin* net_?(?:content|quantity|weight|qty) nettomenge nettogewicht
    netto_?inhalt netto neto net inhalt fullmenge fuellmenge contenu contenance quantite_nette
    contenuto quantita_netta contenido conteudo zawartosc gramatura pojemnosc obsah mnozstv*
    kiszereles netto_?tomeg nettomennyiseg mennyiseg cantitate gramaj icerik miktar inhoud
    количество количина нето нетто грамаж pack_?size packung packungsgrosse package_?size size
    pakiranje pakovanje tezina masa content tartalom poids peso weight quantity kolicina quantita
    quantite cantidad כמות περιεχομενο ποσοτητα hmotnost menge"""
)
_ORIGIN = _any(
    """podrijetlo porijekl* poreklo zemlja drzava origin* country herkunft* ursprung* paese pais
    kraj puvod* povod* szarmazas* orszag tara mensei herkomst произход земља manufacturecountry"""
)
_STORE = _any(
    """poslovnica prodavaonica prodajno_mjesto prodajni_objekt trgovina store* filiale? markt shop
    branch magasin negozio punto_vendita tienda loja sklep prodejna predajna uzlet magazin magaza
    sube winkel filiaal обект магазин објекат סניף"""
)
_SKU = _any(
    """sku sifra* item_?(?:no|nr|number|code|id) product_?(?:no|nr|number|code|id) artikelnummer
    artikel_?(?:nr|nummer|no|code|id) art_?nr article_?(?:no|number|code|id) plu code_?article
    code_?produit codice* codigo* cod_?(?:articulo|produs|articol|prod) indeks cislo* cikkszam
    cikk_?kod kod_(?:towaru|produktu|artykulu|zbozi|tovaru|artikla|proizvoda|izdelka) urun_kod*
    stok_kod* nr_art шифра* артикул* קוד* מק_ט internal_?(?:code|id) sap wg_nr koda default_code
    nummer κωδικοσ* код_на_(?:продукт*|артикул*|стока*) (?:رمز|رقم|كود)_(?:المنتج|الصنف)"""
)
_ID = r"^(?:\w+ )?(?:id|nr|no|number|numer|broj|code|kod|cod|код|номер|ref|reference)$"
_NAME = _any(
    """naziv* name bezeichnung artikelbezeichnung artikelname produktname description desc opis
    libelle* designation nom descrizione denominazione descripcion nombre descricao nome nazwa nazev
    nazov megnevezes nev denumire urun_ad* omschrijving naam назив* наименование название име שם*
    תיאור ime aciklama περιγραφη ονομασια itemname title اسم الاسم وصف"""
)
_THING = _only(
    """product produkt artikal artikl artikel article articolo articulo prodotto producto produto
    produs izdelek termek tovar zbozi item urun артикл proizvod"""
)
_RULES: tuple[tuple[str, bool, str], ...] = (
    (NOT_FOR_LABELS, True, _COST),
    (NOT_FOR_LABELS, True, _NET),
    (
        NOT_FOR_LABELS,
        True,
        f"{_OFF}.*(?:{_PRICE}|{_PROMOTION})|(?:{_PRICE}|{_PROMOTION}).*{_OFF}|^{_OFF}|preis(?:reduk|nachl)",
    ),
    ("lowest_price_30d", True, f"{_LOWEST}.*{_LATELY}|{_LATELY}.*{_LOWEST}"),
    ("lowest_price_30d", False, f"{_LOWEST}.*{_PRICE}|{_PRICE}.*{_LOWEST}"),
    ("lowest_price_30d", True, rf"\bmin(?:imum)?\b.*{_PRICE}.*\b30\b|\b30\b.*\b(?:low|min)\w*"),
    ("anchor_price", True, _any("sidren* anchor*")),
    ("anchor_price", True, rf"{_PRICE}.*\b0?2 ?0?5 ?(?:20)?25\b"),  # fixed by Croatian law
    ("unit_price", True, f"{_PER} {_MEASURE}|{_UNIT_PRICE}|{_SHORT_UNIT_PRICE}"),
    (DATE, True, _DATE),
    (
        "promotion_price",
        True,
        f"{_PROMOTION}.*{_PRICE}|{_PRICE}.*{_PROMOTION}|{_PROMOTION_WHOLE}",
    ),
    ("was", True, f"{_BEFORE}.*{_PRICE}|{_PRICE}.*{_BEFORE}|{_only('was statt compare_at_price')}"),
    ("deposit", True, _DEPOSIT),
    ("tax", True, _TAX),
    (SOME_PRICE, True, f"{_OF_SOMEBODY}.*{_PRICE}|{_PRICE}.*{_OF_SOMEBODY}"),
    ("price", True, f"{_SELLING}.*{_PRICE}|{_PRICE}.*{_SELLING}|{_SELLING_WHOLE}"),
    ("price", True, _any("mpc pvp vk vkp vkpreis mp_cijena")),
    ("price", False, f"^{_words(_BARE)}(?: {_words(_BESIDE_BARE)})*$"),
    (SOME_PRICE, True, f"{_PRICE}|preis|prijs|price|cena|cijena"),
    ("gtin", True, _GTIN),
    ("brand", True, _BRAND),
    ("category", True, _CATEGORY),
    ("unit", True, _UNIT),
    ("stock", True, _STOCK),
    ("net_content", True, _CONTENT),
    ("origin", True, _ORIGIN),
    ("store", True, _STORE),
    ("sku", True, _SKU),
    ("sku", False, _ID),
    ("name", True, f"{_NAME}|{_THING}"),
)
_COMPILED = tuple((target, narrow, re.compile(pattern)) for target, narrow, pattern in _RULES)
_SPECIAL = str.maketrans({"đ": "d", "ł": "l", "ß": "ss", "ø": "o", "æ": "ae", "ı": "i", "œ": "oe"})
_MINOR = re.compile(
    _any("cents? minor centi grosze? groszy haler* lipa bani stotink* kurus agorot pence")
)
_COMPETING = re.compile(r"[0-9]|\b(?:nov[aei]|new|neu\w*|level|change\w*|promjen\w*|web|online)\b")
_HINTS = re.compile(
    _PROMOTION
    + "|"
    + _any(
        """rabat* rabatt* *rabatt nachlass* desc desconto* descuento* sconto reduktion* korting*
        kedvezm* rabais tarjous* kampanj* erbjudande tilbud* nuolaida atlaide soodus* oferta oferty
        προσφορ* εκπτωσ* отстъпк* попуст* сниж* скидк* הנחה خصم promotion* promocj* promoc* markdown
        clearance rasprodaj* rasprodat* vyprodej* wyprzedaz* lichidare letak flugblatt prospekt"""
    )
)
_PERCENT = re.compile(r"%|\b(?:percent\w*|posto|postot\w*|prozent\w*|procent\w*|pct|proc|yuzde)\b")
_HEADER_LONGEST = 120


def fold_header(header: str) -> str:
    """Forget case, marks on letters, punctuation and camel case."""
    text = unicodedata.normalize("NFC", header[:_HEADER_LONGEST])
    spaced = "".join(
        f" {c}" if c.isupper() and text[at - 1 : at].islower() else c for at, c in enumerate(text)
    )
    plain = unicodedata.normalize("NFKD", spaced.casefold().translate(_SPECIAL))
    plain = "".join(c for c in plain if not unicodedata.combining(c))
    words = re.sub(r"[^\w/%]+|_", " ", plain).replace("/", " / ")
    return " ".join(words.replace(" / ", " ").split())


@lru_cache(maxsize=4096)
def meaning_of_header(header: str) -> Meaning | None:
    """Say what a header means; None if no rule fits it."""
    folded = fold_header(header)
    if not folded or len(header) > _HEADER_LONGEST:
        return None
    for target, narrow, pattern in _COMPILED:
        if pattern.search(folded):
            return Meaning(target, narrow)
    return None


def target_of_header(header: str) -> str | None:
    """Say which target a header means, or `NOT_FOR_LABELS` or `DATE`; None if no rule fits it."""
    meaning = meaning_of_header(header)
    return meaning.target if meaning else None


def competes(header: str) -> bool:
    """Say whether a price with such a header may be the shopper's instead of "price"."""
    return _COMPETING.search(fold_header(header)) is not None


def says_minor_units(header: str) -> bool:
    """Say whether a header says that its integers count the smallest coin."""
    return _MINOR.search(fold_header(header)) is not None


def speaks_of_promotion(header: str) -> bool:
    """Say whether a header hints at a promotion or a discount, whatever its cells hold."""
    return _HINTS.search(fold_header(header[:_HEADER_LONGEST])) is not None


def says_percent(header: str) -> bool:
    """Say whether a header says that its cells are percentages."""
    return _PERCENT.search(fold_header(header)) is not None
