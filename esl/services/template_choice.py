"""Say which template labels are drawn with and why, and what other rules would change."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from sqlalchemy import Connection

from esl.domain.ids import LabelId, PanelId, Sku, StoreId, TemplateName
from esl.domain.template import TemplateRef
from esl.domain.template_rule import Choice, RuleBook, TemplateRule, Verdict, choose_template
from esl.store import templates
from esl.store.due_labels import DueLabel
from esl.store.truth_beside import whole_truth_of_store

EXAMPLES_MOST = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class Example:
    """A label that a rule chooses for; ``template_now`` is what the rules in force say."""

    label_id: LabelId
    sku: Sku
    name: str
    template: TemplateName
    template_now: TemplateName


@dataclass(slots=True, kw_only=True)
class Count:
    """How many labels were chosen for one reason, and some of them."""

    choice: Choice | None = None
    labels: int = 0
    examples: list[Example] = field(default_factory=list)

    def add(self, example: Example) -> None:
        """Count one label."""
        self.labels += 1
        if len(self.examples) < EXAMPLES_MOST:
            self.examples.append(example)


@dataclass(frozen=True, slots=True, kw_only=True)
class Preview:
    """What rules would do to a store's paired labels.

    ``by_rule`` holds every rule of the list, also those that choose for no label, then those of
    ours that choose for some; ``changed`` are labels that would get another template.
    """

    labels: int
    without_price: int
    by_rule: tuple[Count, ...]
    changed: Count


@dataclass(frozen=True, slots=True, kw_only=True)
class Explained:
    """The template of one label, and what each rule said of it until one fitted."""

    template: TemplateRef
    choice: Choice
    verdicts: tuple[Verdict, ...]


def preview_rules(tx: Connection, store_id: StoreId, rules: Sequence[TemplateRule]) -> Preview:
    """Choose for every paired label of a store by these rules, and change nothing."""
    now = RuleBook(templates.rules_of(tx, [store_id])[store_id])
    then = RuleBook(rules)
    counts = {choice: Count(choice=choice) for choice in then.choices if choice.rule is not None}
    changed = Count()
    total = without_price = 0
    for truth in whole_truth_of_store(tx, store_id):
        total += 1
        if truth.face is None:
            without_price += 1
            continue
        choice = choose_template(then, truth.face, truth.panel_id)
        before = choose_template(now, truth.face, truth.panel_id)
        example = Example(
            label_id=truth.label_id,
            sku=truth.sku,
            name=truth.face.name,
            template=choice.template,
            template_now=before.template,
        )
        counts.setdefault(choice, Count(choice=choice)).add(example)
        if before.template != choice.template:
            changed.add(example)
    return Preview(
        labels=total,
        without_price=without_price,
        by_rule=tuple(counts.values()),
        changed=changed,
    )


def count_drawn_with(
    tx: Connection, store_id: StoreId, template: TemplateName
) -> Mapping[PanelId, int]:
    """Count the labels of a store that are drawn with a template now, by display model."""
    book = RuleBook(templates.rules_of(tx, [store_id])[store_id])
    if all(choice.template != template for choice in book.choices):
        return {}
    return Counter(
        truth.panel_id
        for truth in whole_truth_of_store(tx, store_id)
        if truth.face is not None
        and choose_template(book, truth.face, truth.panel_id).template == template
    )


def explain_template(tx: Connection, due: DueLabel) -> Explained | None:
    """Say which template a label is drawn with and why; None where it has nothing to show."""
    if due.face is None or due.template is None:
        return None
    book = RuleBook(templates.rules_of(tx, [due.store_id])[due.store_id])
    return Explained(
        template=due.template,
        choice=choose_template(book, due.face, due.panel_id),
        verdicts=book.explain(due.face, due.panel_id),
    )
