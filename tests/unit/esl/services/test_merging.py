"""What a source may say of a product, where several speak of the same products."""

from typing import Any

import pytest

from esl.domain.entry import Entry
from esl.domain.guards import Guards
from esl.domain.ids import Sku, SourceId
from esl.services.merging import Merger, NotTaken
from esl.store.desk import Desk, Seat, owners_from, owners_with
from esl.store.listed import Listed
from tests.builders import STORE

ERP, TILL, WEB = SourceId("erp"), SourceId("till"), SourceId("web")
TODAY = "2026-03-01"


def a_seat(priority: int, **fields: int) -> Seat:
    return Seat(guards=None, priority=priority, priorities=fields, disabled=False)


def a_merger(source: SourceId = ERP) -> Merger:
    seats = {ERP: a_seat(50), TILL: a_seat(80, name=10), WEB: a_seat(50)}
    return Merger(source, Desk(guards=Guards(), seats=seats), TODAY)


def an_entry(**fields: Any) -> Entry:
    return Entry(store_id=STORE, sku=Sku("1"), currency="EUR", **fields)


def owned(owner: str, **fields: Any) -> Listed:
    """Return a product all of whose fields one source has said."""
    named = tuple(sorted({"name", *fields}))
    return Listed(**({"name": "Kruh"} | fields), owners=owners_with(None, owner, named))


def test_each_product_has_the_rights_of_its_own_owners() -> None:
    merger = a_merger()
    entry = an_entry(name="Pogača", brand="Klara")
    tills, _ = merger.merge(entry, owned(TILL, brand="Till's"))
    webs, _ = merger.merge(entry, owned(WEB, brand="Web's"))
    again, _ = merger.merge(entry, owned(TILL, brand="Till's"))
    assert (tills.name, tills.brand) == ("Pogača", "Till's")  # of names the till knows little
    assert (webs.name, webs.brand) == ("Pogača", "Klara")  # of one priority the last word counts
    assert again == tills
    assert owners_from(tills.owners) == {"name": ERP, "brand": TILL}
    assert owners_from(webs.owners) == {"name": ERP, "brand": ERP}


def test_what_says_nothing_new_is_the_product_itself() -> None:
    held = owned(ERP, brand="Klara", stock=5)
    merged, further = a_merger().merge(an_entry(name="Kruh", brand="Klara", stock=5), held)
    assert merged is held
    assert further is None


def test_stating_an_unowned_field_makes_it_the_sources_own() -> None:
    held = Listed(name="Kruh")
    merged, _ = a_merger().merge(an_entry(name="Kruh"), held)
    assert merged == held._replace(owners=owners_with(None, ERP, ("name",)))


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"name": "x" * 201}, "name: not 1 to 200 characters"),
        ({"name": "a", "brand": "b\0"}, "brand: holds control characters"),
        ({"name": "a", "tax_permille": 1001}, "tax: not within 0 to 1000"),
        ({"name": "a", "gtins": ("123",)}, "gtins: not 8, 12, 13 or 14 digits"),
        ({"name": "a", "lowest_30d_minor": 0}, "lowest_30d: not a price"),
        ({}, "sku: the store has no product with this SKU, and no name is given for one"),
    ],
)
def test_what_fits_nowhere_is_refused_by_name(fields: dict[str, Any], words: str) -> None:
    with pytest.raises(NotTaken, match=words):
        a_merger().merge(an_entry(**fields), None)
