"""Labels that may show their price no longer, and what they show in its place.

::

    no product, no price,  ──▶ store policy "face" ──▶ neutral face, signed and sent
    or a refused picture                │                       │ cannot be drawn either
                                        └─ "task" ──────────────┴──▶ a task: take it off the shelf

A label that was never sent anything shows no price, so nothing is done about it.

A store may be ordered to show no prices at all (`esl.services.neutral_orders`): then every label
with a product is drawn so, whatever the policy is and whether it showed anything before.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from sqlalchemy import Connection

from esl.domain.face import Face, OfferKind
from esl.domain.ids import LabelId, StoreId, TemplateName
from esl.domain.label import NOTHING_SHOWN
from esl.domain.neutral import NEUTRAL_TEMPLATE, bare_face, neutral_face, neutral_of
from esl.domain.place import Neutral
from esl.domain.template import TemplateRef
from esl.domain.template_rule import RuleBook, choose_template
from esl.store import failures, neutral, remove_tasks, templates
from esl.store.due_labels import DueLabel

NO_PRICE = "no_price"
UNPAIRED = "unpaired"
ORDERED = "neutral_order"

Refusal = tuple[LabelId, int, str, str]
"""A label, the revision it wanted, the problem's code and its detail."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Shop:
    policy: Neutral
    bare: Face
    is_ordered: bool = False


class NeutralBook:
    """What the labels of one batch may show in place of a price."""

    def __init__(
        self,
        shops: Mapping[StoreId, _Shop] | None = None,
        named: Mapping[LabelId, tuple[Face, TemplateRef]] | None = None,
    ) -> None:
        self._shops = shops or {}
        self._named = named or {}

    def ways(self, label: DueLabel) -> list[DueLabel]:
        """Return the label with each neutral face it may show, the one that says most first.

        None where a person is to take it off the shelf, or where it shows no price anyway.
        """
        shop = self._shops.get(label.store_id)
        if shop is None or not self._is_wanted(label, shop):
            return []
        of_gallery = TemplateRef(store_id=label.store_id, name=NEUTRAL_TEMPLATE)
        faces: list[tuple[Face, TemplateRef]] = []
        if label.face is not None:
            faces.append((neutral_of(label.face), of_gallery))
        elif label.label_id in self._named:
            face, template = self._named[label.label_id]
            if not shop.is_ordered:
                faces.append((face, template))
            if shop.is_ordered or template != of_gallery:
                faces.append((face, of_gallery))
        faces.append((shop.bare, of_gallery))
        return [replace(label, face=face, template=template) for face, template in faces]

    def is_ordered(self, label: DueLabel) -> bool:
        """Say whether the label may show no price, though it has one: its store shows none."""
        shop = self._shops.get(label.store_id)
        return shop is not None and shop.is_ordered

    def _is_wanted(self, label: DueLabel, shop: _Shop) -> bool:
        if shop.is_ordered:
            has_product = label.face is not None or label.label_id in self._named
            return has_product or may_show_a_price(label)
        return shop.policy is not Neutral.TASK and may_show_a_price(label)

    def reason(self, label: DueLabel) -> tuple[str, str]:
        """Say why a label shows no price: code and words."""
        if label.face is not None and self.is_ordered(label):
            return ORDERED, "its store was ordered to show no prices"
        if label.label_id in self._named:
            return NO_PRICE, "the label's product has no price"
        return UNPAIRED, "the label speaks for no product"


def may_show_a_price(label: DueLabel) -> bool:
    """Say whether there may be anything on the glass that we have put there."""
    return label.sent_rev > 0 or label.shown_digest != NOTHING_SHOWN


def load_neutral(tx: Connection, due: Sequence[DueLabel]) -> NeutralBook:
    """Load what these labels may show instead: a query for their stores, rarely two more."""
    shops = {
        shop.store_id: _Shop(
            policy=shop.policy,
            bare=bare_face(shop.name, currency=shop.currency, locale=shop.locale),
            is_ordered=shop.is_ordered,
        )
        for shop in neutral.neutral_shops(tx, {label.store_id for label in due})
    }
    without = [label for label in due if label.face is None]
    if not without:
        return NeutralBook(shops)
    products = neutral.products_of_labels(tx, [label.label_id for label in without])
    store_ids = {label.store_id for label in without}
    rules = templates.rules_of(tx, store_ids)
    books = {store_id: RuleBook(of_store) for store_id, of_store in rules.items()}
    refs = {key: saved.ref for key, saved in templates.templates_in_use(tx, store_ids).items()}
    named: dict[LabelId, tuple[Face, TemplateRef]] = {}
    for label in without:
        product = products.get(label.label_id)
        if product is None:
            continue
        bare = shops[label.store_id].bare
        face = neutral_face(product, currency=bare.currency, locale=bare.locale)
        name = _chosen(books[label.store_id], label, face)
        ref = refs.get((label.store_id, name), TemplateRef(store_id=label.store_id, name=name))
        named[label.label_id] = (face, ref)
    return NeutralBook(shops, named)


def _chosen(book: RuleBook, label: DueLabel, face: Face) -> TemplateName:
    """A store's rule decides only if it speaks of labels without a price.

    One that fits everything was made for prices, and would leave a hole where they stand.
    """
    choice = choose_template(book, face, label.panel_id)
    if choice.rule is not None and book.rules[choice.rule].kind is OfferKind.NONE:
        return choice.template
    return NEUTRAL_TEMPLATE


def note_refusals(
    tx: Connection,
    *,
    refused: Iterable[Refusal],
    replaced: Iterable[Refusal],
    now: datetime,
) -> None:
    """Write down what could not be drawn, and have labels removed that nothing else helps.

    ``replaced`` show a neutral face instead, ``refused`` nothing new. A label without a price
    that gets its neutral face has not failed: that is what was asked for. A label that showed
    the face already is told nothing, and has failed all the same.
    """
    refused, replaced = list(refused), list(replaced)
    wanted = (NO_PRICE, UNPAIRED, ORDERED)
    neutral.note_refused(tx, [r for r in replaced if r[2] not in wanted])
    failures.log_failures(tx, [r for r in (*refused, *replaced) if r[2] not in wanted], now)
    remove_tasks.open_tasks(
        tx, [(label, _task_words(code, detail)) for label, _, code, detail in refused], now
    )


def _task_words(code: str, detail: str) -> str:
    if code == UNPAIRED:
        return "It speaks for no product any more."
    if code == NO_PRICE:
        return "Its product has no price any more."
    if code == ORDERED:
        return "Its store shows no prices, and its neutral face cannot be drawn."
    return f"What it should show cannot be drawn: {detail}"


def has_open_tasks(tx: Connection) -> bool:
    """Say whether a person is asked to take any label off the shelf."""
    return remove_tasks.has_open_tasks(tx)


def close_needless_tasks(tx: Connection, now: datetime) -> list[LabelId]:
    """End the tasks of labels that show again what they should; return those labels."""
    return remove_tasks.close_tasks(tx, now)
