"""Saving templates and rules: what is kept, what is refused, and which labels must follow."""

from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import Connection

from esl.domain.errors import Conflict, EditConflict, InvalidInput, UnknownTemplate
from esl.domain.face import OfferKind
from esl.domain.ids import LabelId, StoreId, TemplateName
from esl.domain.template import NewTemplate, SavedPicture
from esl.domain.template_rule import StockIs, TemplateRule
from esl.intake.product_json import ProductPut
from esl.services import deliveries
from esl.services.catalogue import put_products, put_store
from esl.services.template_choice import EXAMPLES_MOST, explain_template, preview_rules
from esl.services.templates import (
    delete_picture,
    delete_template,
    put_picture,
    put_rules,
    rules_version,
    save_template,
    templates_with_picture,
)
from esl.store import labels, pictures, templates
from tests.builders import (
    GATEWAY,
    NOON,
    STORE,
    a_change,
    a_product,
    a_store,
    build_shelf,
    label_id,
)

GALLERY = {"standard", "promotion", "neutral"}
LATER = NOON + timedelta(minutes=1)
OTHER_STORE = StoreId("split-1")


def a_template(name: str = "own", text: str = "v1", **pictures_named: str) -> NewTemplate:
    return NewTemplate(
        name=TemplateName(name),
        title=f"Title of {text}",
        text=text,
        digest=f"digest of {text} {sorted(pictures_named.items())}",
        pictures=pictures_named,
    )


def a_picture(name: str = "logo", digest: str = "d1") -> SavedPicture:
    return SavedPicture(
        name=TemplateName(name),
        digest=digest,
        width_px=10,
        height_px=5,
        saved_by="token:1",
        saved_at=NOON,
    )


def rule(template: str = "own", **asked: Any) -> TemplateRule:
    return TemplateRule(template=TemplateName(template), **asked)


def save(
    tx: Connection, new: NewTemplate, store: StoreId = STORE
) -> tuple[int, tuple[LabelId, ...]]:
    saved = save_template(tx, store, new, LATER, actor="token:1", gallery=GALLERY)
    return saved.version, saved.labels


def obey(tx: Connection, *rules: TemplateRule, seen: str | None = None) -> tuple[LabelId, ...]:
    return put_rules(tx, STORE, rules, LATER, gallery=GALLERY, seen=seen)


def upload(
    tx: Connection, picture: SavedPicture, **digests: tuple[int, str]
) -> tuple[LabelId, ...]:
    named = {TemplateName(name): told for name, told in digests.items()}
    return put_picture(tx, STORE, picture, b"png", named, LATER)


def wanted(tx: Connection) -> dict[LabelId, int]:
    return {state.label_id: state.wanted_rev for state in labels.list_labels(tx, STORE)}


def give(tx: Connection, number: int, **product: Any) -> None:
    put = ProductPut(product=a_product(f"sku-{number}", **product), price=None)
    put_products(tx, STORE, [put], NOON, actor="tests")


@pytest.fixture
def shelf(tx: Connection) -> Connection:
    """Four labels; the product of label 1 is fruit, that of label 2 too, and out of stock."""
    build_shelf(tx, labels_count=4)
    give(tx, 1, category="Voće")
    give(tx, 2, category="Voće", stock=0)
    return tx


# ── Templates ──────────────────────────────────────────────────────────────────────────────


def test_every_save_is_a_version_and_none_is_lost(shelf: Connection) -> None:
    assert save(shelf, a_template(text="v1")) == (1, ())
    assert save(shelf, a_template(text="v2")) == (2, ())
    assert save(shelf, a_template(text="v1")) == (3, ()), "going back is saving an old text again"
    versions = templates.versions_of(shelf, STORE, "own")
    assert [(v.version, v.title, v.saved_by) for v in versions] == [
        (3, "Title of v1", "token:1"),
        (2, "Title of v2", "token:1"),
        (1, "Title of v1", "token:1"),
    ]
    assert [templates.text_of(shelf, STORE, "own", v.version) for v in versions] == [
        "v1",
        "v2",
        "v1",
    ]
    with pytest.raises(UnknownTemplate):
        templates.text_of(shelf, STORE, "own", 4)


def test_the_same_again_saves_nothing(shelf: Connection) -> None:
    obey_own(shelf)
    before = wanted(shelf)
    assert save(shelf, a_template(text="v1")) == (1, ())
    assert len(templates.versions_of(shelf, STORE, "own")) == 1
    assert wanted(shelf) == before


def obey_own(tx: Connection) -> None:
    """Draw fruit with the store's own template."""
    save(tx, a_template(text="v1"))
    obey(tx, rule(category="Voće"))


def test_labels_drawn_with_a_template_follow_it_and_no_others(shelf: Connection) -> None:
    obey_own(shelf)
    before = wanted(shelf)
    assert save(shelf, a_template(text="v2")) == (2, (label_id(1), label_id(2)))
    after = wanted(shelf)
    assert {label for label in after if after[label] != before[label]} == {label_id(1), label_id(2)}
    assert after[label_id(1)] == after[label_id(2)] > max(before.values())
    assert labels.label_named(shelf, label_id(1)).due_at == LATER


def test_a_name_of_the_gallery_is_not_for_sale(shelf: Connection) -> None:
    with pytest.raises(Conflict, match="under another name"):
        save(shelf, a_template("standard"))


def test_stores_do_not_share_templates(shelf: Connection) -> None:
    put_store(shelf, a_store(OTHER_STORE), NOON)
    assert save(shelf, a_template(text="v1")) == (1, ())
    assert save(shelf, a_template(text="other"), OTHER_STORE) == (1, ())
    in_use = templates.templates_in_use(shelf, [STORE, OTHER_STORE])
    assert [saved.title for saved in in_use.values()] == ["Title of other", "Title of v1"]


def test_a_deleted_template_is_gone_and_its_numbers_are_never_used_again(shelf: Connection) -> None:
    save(shelf, a_template(text="v1"))
    delete_template(shelf, STORE, TemplateName("own"), LATER, actor="token:1")
    assert templates.templates_in_use(shelf, [STORE]) == {}
    with pytest.raises(UnknownTemplate):
        delete_template(shelf, STORE, TemplateName("own"), LATER, actor="token:1")
    assert save(shelf, a_template(text="v1")) == (3, ())
    assert [v.is_deleted for v in templates.versions_of(shelf, STORE, "own")] == [
        False,
        True,
        False,
    ]


def test_a_template_that_a_rule_names_cannot_be_deleted(shelf: Connection) -> None:
    save(shelf, a_template())
    obey(shelf, rule("standard", brand="x"), rule(category="Voće"))
    with pytest.raises(Conflict, match="rule 2"):
        delete_template(shelf, STORE, TemplateName("own"), LATER, actor="token:1")
    obey(shelf)
    delete_template(shelf, STORE, TemplateName("own"), LATER, actor="token:1")


def test_a_template_older_than_its_namesake_in_the_gallery_stays_the_stores_own(
    shelf: Connection,
) -> None:
    new = a_template("standard")
    save_template(shelf, STORE, new, NOON, actor="tests", gallery=set())
    [due] = deliveries.load(shelf, [label_id(0)])
    assert str(due.template) == "standard@1"
    everyone = tuple(label_id(n) for n in range(4))
    assert save(shelf, a_template("standard", text="v2")) == (2, everyone)
    assert delete_template(shelf, STORE, new.name, LATER, actor="tests") == everyone
    [due] = deliveries.load(shelf, [label_id(0)])
    assert str(due.template) == "standard"
    with pytest.raises(Conflict, match="under another name"):
        save(shelf, new)


# ── Rules ──────────────────────────────────────────────────────────────────────────────────


def test_a_rule_change_concerns_exactly_the_labels_that_get_another_template(
    shelf: Connection,
) -> None:
    before = wanted(shelf)
    assert obey(shelf, rule("promotion", category="Voće")) == (label_id(1), label_id(2))
    then = wanted(shelf)
    assert {label for label in then if then[label] != before[label]} == {label_id(1), label_id(2)}
    reordered = (
        rule("standard", category="Voće", stock=StockIs.OUT),
        rule("promotion", category="Voće"),
    )
    assert obey(shelf, *reordered) == (label_id(2),)
    assert obey(shelf, *reordered, rule("promotion", brand="nobody's")) == ()
    assert obey(shelf) == (label_id(1),)


def test_rules_are_kept_in_their_order_with_all_they_ask_for(shelf: Connection) -> None:
    rules = (
        rule("promotion", category="a*", brand="b", panel="*", kind=OfferKind.NONE, note="n"),
        rule("standard", stock=StockIs.LOW, stock_most=5, weighed=False, products=2),
        rule("neutral"),
    )
    obey(shelf, *rules)
    assert templates.rules_of(shelf, [STORE, OTHER_STORE]) == {STORE: rules, OTHER_STORE: ()}


def test_a_rule_may_name_only_a_template_that_is_there(shelf: Connection) -> None:
    with pytest.raises(InvalidInput) as refused:
        obey(shelf, rule("standard"), rule("own"), rule("weighed"))
    assert [p.path for p in refused.value.problems] == ["/rules/1/template", "/rules/2/template"]
    assert templates.rules_of(shelf, [STORE])[STORE] == ()
    save(shelf, a_template())
    obey(shelf, rule("own"))


def test_two_editors_do_not_overwrite_each_other(shelf: Connection) -> None:
    seen = rules_version(())
    mine = (rule("promotion", category="Voće"),)
    obey(shelf, *mine, seen=seen)
    with pytest.raises(EditConflict):
        obey(shelf, rule("promotion", brand="x"), seen=seen)
    assert templates.rules_of(shelf, [STORE])[STORE] == mine
    obey(shelf, rule("promotion", brand="x"), seen=rules_version(mine))


def test_a_preview_counts_and_changes_nothing(shelf: Connection) -> None:
    obey(shelf, rule("promotion", category="Voće"))
    before = wanted(shelf), templates.rules_of(shelf, [STORE])
    fresh, unused = rule("neutral", stock=StockIs.OUT), rule("neutral", brand="x")
    preview = preview_rules(shelf, STORE, [fresh, unused])
    assert (preview.labels, preview.without_price) == (4, 0)
    told = [
        (c.choice.rule, c.choice.template, c.labels, [e.label_id for e in c.examples])
        for c in preview.by_rule
        if c.choice is not None
    ]
    assert told == [
        (0, "neutral", 1, [label_id(2)]),
        (1, "neutral", 0, []),
        (None, "standard", 3, [label_id(0), label_id(1), label_id(3)]),
    ]
    assert preview.changed.labels == 2
    assert [(e.label_id, e.template_now, e.template) for e in preview.changed.examples] == [
        (label_id(1), "promotion", "standard"),
        (label_id(2), "promotion", "neutral"),
    ]
    assert (wanted(shelf), templates.rules_of(shelf, [STORE])) == before


def test_a_preview_shows_a_few_examples_and_counts_the_rest(tx: Connection) -> None:
    build_shelf(tx, labels_count=EXAMPLES_MOST + 3)
    preview = preview_rules(tx, STORE, [rule("promotion")])
    assert preview.changed.labels == EXAMPLES_MOST + 3
    assert len(preview.changed.examples) == EXAMPLES_MOST


def test_a_label_without_a_price_has_no_template(tx: Connection) -> None:
    build_shelf(tx, price_minor=None)
    assert obey(tx, rule("promotion")) == ()
    preview = preview_rules(tx, STORE, [])
    assert (preview.labels, preview.without_price, preview.changed.labels) == (1, 1, 0)
    [due] = deliveries.load(tx, [label_id(0)])
    assert explain_template(tx, due) is None


def test_a_label_says_which_template_it_has_and_why(shelf: Connection) -> None:
    save(shelf, a_template())
    obey(shelf, rule("promotion", brand="x"), rule(category="Voće"))
    [due] = deliveries.load(shelf, [label_id(1)])
    explained = explain_template(shelf, due)
    assert explained is not None
    assert (str(explained.template), explained.choice.rule) == ("own@1", 1)
    assert [v.words for v in explained.verdicts] == [
        "not so: brand is “x”",
        "rule 2 of the store: category is “Voće”",
    ]
    [due] = deliveries.load(shelf, [label_id(0)])
    explained = explain_template(shelf, due)
    assert explained is not None
    assert (str(explained.template), explained.choice.rule) == ("standard", None)


def test_what_a_due_label_is_drawn_with_is_loaded_with_the_pictures_it_names(
    shelf: Connection,
) -> None:
    upload(shelf, a_picture())
    save(shelf, a_template(logo="d1"))
    obey(shelf, rule(category="Voće"))
    due = deliveries.load(shelf, [label_id(0), label_id(1)])
    refs = {label.label_id: label.template for label in due}
    assert str(refs[label_id(0)]) == "standard"
    own = refs[label_id(1)]
    assert own is not None
    assert (own.version, own.digest) == (1, a_template(logo="d1").digest)
    [source] = deliveries.load_templates(shelf, [own]).values()
    assert (source.text, source.pictures) == ("v1", {"logo": b"png"})
    save(shelf, a_template(text="v2", logo="d1"))
    assert deliveries.load_templates(shelf, [own]) == {}, "it is another one by now"


# ── Pictures ───────────────────────────────────────────────────────────────────────────────


def test_labels_whose_template_shows_a_picture_follow_it(shelf: Connection) -> None:
    assert upload(shelf, a_picture()) == ()
    save(shelf, a_template(logo="d1"))
    obey(shelf, rule(category="Voće"))
    assert [t.name for t in templates_with_picture(shelf, STORE, "logo")] == ["own"]
    assert upload(shelf, a_picture(digest="d2"), own=(1, "new")) == (label_id(1), label_id(2))
    [due] = deliveries.load(shelf, [label_id(1)])
    assert due.template is not None
    assert (due.template.version, due.template.digest) == (1, "new")
    assert upload(shelf, a_picture(digest="d2"), own=(1, "new")) == (), "the same picture again"


def test_a_picture_is_not_put_below_a_template_saved_meanwhile(shelf: Connection) -> None:
    upload(shelf, a_picture())
    save(shelf, a_template(logo="d1"))
    for seen in ({}, {"own": (2, "new")}):
        with pytest.raises(EditConflict):
            upload(shelf, a_picture(digest="d2"), **seen)
    assert [p.digest for p in pictures.list_pictures(shelf, STORE)] == ["d1"]


def test_a_template_is_not_saved_over_a_picture_changed_meanwhile(shelf: Connection) -> None:
    for digest in ("unknown", "d1"):
        with pytest.raises(EditConflict):
            save(shelf, a_template(logo=digest))
    upload(shelf, a_picture())
    save(shelf, a_template(logo="d1"))


def test_a_picture_that_a_template_names_cannot_be_deleted(shelf: Connection) -> None:
    upload(shelf, a_picture())
    save(shelf, a_template(logo="d1"))
    with pytest.raises(Conflict, match="own"):
        delete_picture(shelf, STORE, TemplateName("logo"))
    save(shelf, a_template(text="without"))
    delete_picture(shelf, STORE, TemplateName("logo"))
    with pytest.raises(UnknownTemplate):
        delete_picture(shelf, STORE, TemplateName("logo"))


# ── What else changes the template of a label ──────────────────────────────────────────────


def test_a_product_that_runs_out_may_get_another_template(shelf: Connection) -> None:
    obey(shelf, rule("neutral", stock=StockIs.OUT))
    before = wanted(shelf)
    give(shelf, 0, stock=0)
    [due] = deliveries.load(shelf, [label_id(0)])
    assert str(due.template) == "neutral"
    assert wanted(shelf)[label_id(0)] > before[label_id(0)]
    assert a_change().sku == "sku-0"
    assert due.gateway_id == GATEWAY
