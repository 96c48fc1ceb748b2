"""A store's new law judges what its tills claim piece by piece, and names its goods."""

from dataclasses import replace
from datetime import timedelta

import pytest

from esl.domain.ids import Sku
from esl.services import catalogue, judging
from esl.services.pricing import apply_price_changes
from esl.services.promotions import turning
from esl.store import offers, places
from esl.store.database import Database
from esl.store.due_labels import load_due
from tests.builders import NOON, STORE, a_change, a_store, build_shelf, label_id

SKUS = [Sku(f"sku-{n}") for n in range(5)]
MONTHS_LATER = NOON + timedelta(days=60)


def test_a_new_law_judges_every_claim_once_and_the_labels_follow(
    either_database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(turning, "AT_ONCE", 2)
    with either_database.writing.begin() as tx:
        build_shelf(tx, labels_count=5, price_minor=90)
        catalogue.put_store(tx, replace(a_store(), law="none"), NOON)
        claims = [a_change(sku, 94, was_minor=99) for sku in SKUS]
        apply_price_changes(tx, STORE, claims, MONTHS_LATER, actor="till")
        assert offers.offers_of(tx, STORE, SKUS) == {}
        named = replace(a_store(), law="de", law_goods='{"perfume": ["Düfte"]}')
        catalogue.put_store(tx, named, MONTHS_LATER)
    pieces = 0
    while True:
        with either_database.writing.begin() as tx:
            if not places.stores_to_judge(tx):
                break
            pieces += 1
            judging.judge_on(tx, STORE, MONTHS_LATER)
    with either_database.read() as tx:
        judged = offers.offers_of(tx, STORE, SKUS)
        due = load_due(tx, [label_id(n) for n in range(5)])
        assert places.store_named(tx, STORE).law_goods == '{"perfume": ["Düfte"]}'
    assert pieces == 2, "the first came with the law itself"
    assert {one.trouble for one in judged.values()} == {"unlawful_claim"}
    assert len(judged) == 5
    assert [one.face.was_minor for one in due if one.face is not None] == [None] * 5
