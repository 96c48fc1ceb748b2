"""Save, delete and choose templates; every label that comes to look different wants a revision.

Whoever calls has parsed and checked the template: this package knows no pixels. What was parsed
outside the transaction is compared with what holds inside it, so nothing is saved over a change
that its author has not seen.
"""

import hashlib
from collections.abc import Callable, Iterable, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection

from esl.domain.errors import Conflict, EditConflict, FieldProblem, InvalidInput, UnknownTemplate
from esl.domain.ids import LabelId, StoreId, TemplateName
from esl.domain.label import Lane
from esl.domain.template import NewTemplate, SavedPicture, SavedTemplate
from esl.domain.template_rule import DEFAULT_RULES, RuleBook, TemplateRule, choose_template
from esl.services.promotions.books import promotion_of
from esl.store import labels, pictures, places, promotion_rows, shown_stock, templates
from esl.store.revisions import take_revision
from esl.store.truth import LabelTruth
from esl.store.truth_beside import whole_truth_of_store

TEMPLATES_MOST = 200
PICTURES_MOST = 200
"""Of one store each."""

_PROBLEMS_MOST = 50


@dataclass(frozen=True, slots=True, kw_only=True)
class Saved:
    """What a save or a change of rules did: the version that holds, and the labels it changes."""

    version: int
    labels: tuple[LabelId, ...]


def save_template(
    tx: Connection,
    store_id: StoreId,
    new: NewTemplate,
    now: datetime,
    *,
    actor: str,
    gallery: AbstractSet[str],
) -> Saved:
    """Save a template's next version, and let the labels drawn with it follow.

    The same text with the same pictures again saves nothing. A template that had its name before
    the gallery of a newer release took it goes on as the store's own.

    Raises:
        Conflict: The name is one of the gallery's, or the store has too many templates.
        EditConflict: A picture of it has changed since it was parsed.
    """
    places.lock_store(tx, store_id, to_change=True)
    known = {p.name: p.digest for p in pictures.list_pictures(tx, store_id)}
    if any(known.get(TemplateName(name)) != digest for name, digest in new.pictures.items()):
        raise EditConflict("a picture of this template has just changed; send it again")
    versions = templates.versions_of(tx, store_id, new.name)
    last = versions[0] if versions else None
    if last is None or last.is_deleted:
        if new.name in gallery:
            raise Conflict(f"{new.name!r} is in the gallery; save your copy under another name")
        if len(templates.templates_in_use(tx, [store_id])) >= TEMPLATES_MOST:
            raise Conflict(f"the store has {TEMPLATES_MOST} templates, which is the most")
    elif says_the_same(tx, last, digest=new.digest, text=new.text):
        return Saved(version=last.version, labels=())
    version = last.version + 1 if last is not None else 1
    templates.add_version(tx, store_id, new, version, now, saved_by=actor)
    return Saved(version=version, labels=_redraw(tx, store_id, {new.name}, now))


def delete_template(
    tx: Connection, store_id: StoreId, name: TemplateName, now: datetime, *, actor: str
) -> tuple[LabelId, ...]:
    """Delete a template; its versions stay on record. Return the labels that it changes.

    Those are none, unless the gallery has a template of this name behind it.

    Raises:
        UnknownTemplate: The store has none of this name.
        Conflict: A rule or a promotion names it.
    """
    places.lock_store(tx, store_id, to_change=True)
    last = template_in_use(tx, store_id, name)
    named = [
        number
        for number, rule in enumerate(templates.rules_of(tx, [store_id])[store_id], 1)
        if rule.template == name
    ]
    if named:
        raise Conflict(f"rule {named[0]} of the store names it; change the rules first")
    drawn = [
        one.promotion_id
        for one in promotion_rows.live_in(tx, store_id)
        if promotion_of(one).template == name
    ]
    if drawn:
        raise Conflict(f"the promotion {drawn[0]!r} is drawn with it; change or end that first")
    templates.add_deletion(tx, last, now, saved_by=actor)
    return _redraw(tx, store_id, {name}, now)


def template_in_use(tx: Connection, store_id: StoreId, name: str) -> SavedTemplate:
    """Look up the version of a store's own template that is in use.

    Raises:
        UnknownTemplate: The store has none of this name.
    """
    found = templates.versions_of(tx, store_id, name)
    if not found or found[0].is_deleted:
        raise UnknownTemplate("the store has no template of this name")
    return found[0]


def put_rules(
    tx: Connection,
    store_id: StoreId,
    rules: Sequence[TemplateRule],
    now: datetime,
    *,
    gallery: AbstractSet[str],
    seen: str | None,
) -> tuple[LabelId, ...]:
    """Replace a store's rules; the labels whose template changes want a revision. Return those.

    ``seen`` is `rules_version` of the rules that the sender has read, None if whatever holds
    may go.

    Raises:
        InvalidInput: A rule names a template that is not there.
        EditConflict: The rules are others by now.
    """
    places.lock_store(tx, store_id, to_change=True)
    refuse_unknown_templates(tx, store_id, rules, gallery=gallery)
    held = templates.rules_of(tx, [store_id])[store_id]
    if seen is not None and seen != rules_version(held):
        raise EditConflict(
            "somebody else has changed the rules; read them again",
            present=f'"{rules_version(held)}"',
        )
    before, after = RuleBook(held), RuleBook(rules)
    templates.put_rules(tx, store_id, rules)
    lagging = set(shown_stock.forget_shown_stock(tx, store_id))  # its bands are others now

    def differs(truth: LabelTruth) -> bool:
        return truth.face is not None and (
            truth.sku in lagging
            or choose_template(before, truth.face, truth.panel_id).template
            != choose_template(after, truth.face, truth.panel_id).template
        )

    return _want(tx, store_id, differs, now)


def refuse_unknown_templates(
    tx: Connection, store_id: StoreId, rules: Sequence[TemplateRule], *, gallery: AbstractSet[str]
) -> None:
    """Make sure that every template a rule names is there.

    Raises:
        InvalidInput: With the path of each that is not.
    """
    own = {name for _, name in templates.templates_in_use(tx, [store_id])}
    problems = [
        FieldProblem(
            path=f"/rules/{index}/template",
            detail="neither in the gallery nor a template of this store",
            fix="Save the template first, or name another.",
        )
        for index, rule in enumerate(rules)
        if rule.template not in own and rule.template not in gallery
    ]
    if problems:
        raise InvalidInput(problems[:_PROBLEMS_MOST])


def rules_version(rules: Iterable[TemplateRule]) -> str:
    """Name a list of rules, so that two editors do not overwrite each other unseen."""
    said = "\n".join(repr(rule) for rule in rules)
    return hashlib.sha256(said.encode()).hexdigest()[:16]


def put_picture(
    tx: Connection,
    store_id: StoreId,
    picture: SavedPicture,
    png: bytes,
    digests: Mapping[TemplateName, tuple[int, str]],
    now: datetime,
) -> tuple[LabelId, ...]:
    """Add or replace a picture; the labels of templates that name it follow. Return those.

    ``digests`` holds, for each template in use that names it, the version that was read and
    the digest it has with the new picture.

    Raises:
        Conflict: The store has too many pictures.
        EditConflict: A template that names it was saved meanwhile.
    """
    places.lock_store(tx, store_id, to_change=True)
    held = pictures.list_pictures(tx, store_id)
    if len(held) >= PICTURES_MOST and picture.name not in {p.name for p in held}:
        raise Conflict(f"the store has {PICTURES_MOST} pictures, which is the most")
    naming = templates_with_picture(tx, store_id, picture.name)
    if {t.name: t.version for t in naming} != {n: version for n, (version, _) in digests.items()}:
        raise EditConflict("a template with this picture has just changed; send it again")
    pictures.put_picture(tx, store_id, picture, png, now)
    changed = {t for t in naming if t.digest != digests[t.name][1]}
    for template in changed:
        templates.set_digest(tx, template, digests[template.name][1])
    return _redraw(tx, store_id, {t.name for t in changed}, now)


def delete_picture(tx: Connection, store_id: StoreId, name: TemplateName) -> None:
    """Delete a picture.

    Raises:
        UnknownTemplate: The store has none of this name.
        Conflict: A template names it.
    """
    places.lock_store(tx, store_id, to_change=True)
    naming = templates_with_picture(tx, store_id, name)
    if naming:
        raise Conflict(f"the template {naming[0].name!r} names it; change that first")
    if not pictures.delete_picture(tx, store_id, name):
        raise UnknownTemplate("the store has no picture of this name")


def templates_with_picture(tx: Connection, store_id: StoreId, name: str) -> list[SavedTemplate]:
    """List the templates in use that name a picture."""
    in_use = templates.templates_in_use(tx, [store_id]).values()
    return [template for template in in_use if name in template.pictures]


def says_the_same(tx: Connection, last: SavedTemplate, *, digest: str, text: str) -> bool:
    """Say whether saving a text would save nothing."""
    return (
        last.digest == digest
        and templates.text_of(tx, last.store_id, last.name, last.version) == text
    )


def _redraw(
    tx: Connection, store_id: StoreId, names: AbstractSet[TemplateName], now: datetime
) -> tuple[LabelId, ...]:
    """Let every label drawn with one of these templates want a revision."""
    rules = templates.rules_of(tx, [store_id])[store_id]
    lagging = set(shown_stock.forget_shown_stock(tx, store_id))  # it may print the stock now
    if not lagging and not names & {rule.template for rule in (*rules, *DEFAULT_RULES)}:
        return ()  # nobody is drawn with them
    book = RuleBook(rules)

    def is_drawn_so(truth: LabelTruth) -> bool:
        face = truth.face
        if face is None or truth.sku in lagging:
            return face is not None
        return choose_template(book, face, truth.panel_id).template in names

    return _want(tx, store_id, is_drawn_so, now)


def _want(
    tx: Connection, store_id: StoreId, chosen: Callable[[LabelTruth], bool], now: datetime
) -> tuple[LabelId, ...]:
    touched = tuple(truth.label_id for truth in whole_truth_of_store(tx, store_id) if chosen(truth))
    if touched:
        labels.lock_labels(tx, store_id, touched)
        labels.want(tx, touched, take_revision(tx), now, lane=Lane.NORMAL)
    return touched
