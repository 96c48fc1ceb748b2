"""Fill labels' spare slots ahead of time, and arm timed shows: the books of it.

::

    look ──▶ what is due, and with which future face      one read
    (the gateway's side draws)
    note ──▶ puts, armed shows, cancels as they are about to leave     one transaction
    (`esl.services.slots_heard`: what gateways say of it, with the other reports)

For whoever brings other faces for a moment (promotions), `stage`, `cancel` and `states` are
those of `esl.services.flips`.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

import structlog
from sqlalchemy import Connection

from esl.domain.errors import EslError
from esl.domain.ids import Digest, GatewayId, LabelId, Sku, TemplateName
from esl.domain.label import Lane, SlotState
from esl.domain.pricing import CurrentPrice, PriceChange, price_after, says_of
from esl.domain.staged import TOO_LATE, Flip, FlipKind, NextStep, Staged, next_step
from esl.domain.template import TemplateRef
from esl.domain.template_rule import RuleBook, choose_template
from esl.services import flips, till_ahead
from esl.services.promotions.ahead import apart_at
from esl.services.promotions.books import book_of
from esl.services.promotions.offering import kept_offer, offers_at
from esl.services.till_ahead import NOTHING_WITHHELD, Withheld
from esl.store import (
    due_labels,
    frames,
    future,
    labels,
    places,
    staged,
    templates,
)
from esl.store.due_labels import DueLabel
from esl.store.flips import planned_flips
from esl.store.frames import StoredFrame
from esl.store.future import Apart, HoldsThen, Then
from esl.store.revisions import take_revision
from esl.store.staged import ArmNoted, PutNoted

EARLY = timedelta(seconds=5)
"""How long before its moment a picture may be on the glass: clocks differ a little."""

BUSY_AGAIN_AFTER = timedelta(seconds=5)
"""How soon a picture is looked at again whose label has something more urgent to show."""

GIVE_UP_AFTER = 8
"""Attempts to fill a slot; after that the picture is sent when its moment comes."""

PAUSE_DOUBLES = 5
"""How often the pause between two attempts doubles."""

log = structlog.get_logger()


@dataclass(frozen=True, slots=True, kw_only=True)
class StagingWork:
    """What is to be done now. ``future`` is each label to be drawn as it will be then."""

    puts: tuple[Staged, ...] = ()
    arms: tuple[Staged, ...] = ()
    cancels: tuple[Staged, ...] = ()
    drops: tuple[Staged, ...] = ()
    later: tuple[Staged, ...] = ()
    given_up: tuple[Staged, ...] = ()
    disarm: frozenset[GatewayId] = frozenset()  # armed shows below them are to be cancelled
    future: Mapping[tuple[LabelId, int], DueLabel] | None = None
    withheld: Withheld = NOTHING_WITHHELD  # not to be armed, until a till says so

    def __bool__(self) -> bool:
        """Say whether there is anything to do."""
        return bool(
            self.puts
            or self.arms
            or self.cancels
            or self.drops
            or self.later
            or self.given_up
            or self.disarm
        )


def is_anything_staged(tx: Connection) -> bool:
    """Say whether any label waits for a moment: the cheap question before all others."""
    return staged.any_staged(tx)


def look(
    tx: Connection,
    room: Mapping[GatewayId, int],
    now: datetime,
    *,
    limit: int,
    frozen: Collection[GatewayId] = (),
    untimely: Collection[GatewayId] = (),
) -> StagingWork:
    """Find what is to be done below gateways, puts only as far as they have ``room``.

    Below ``frozen`` gateways, and ``untimely`` ones whose clock is not to be trusted, shows are
    only cancelled, and what is armed is to be.
    """
    if not room or not staged.any_staged(tx):
        return StagingWork()
    by_step: dict[NextStep, list[Staged]] = {step: [] for step in NextStep}
    given_up: list[Staged] = []
    timely = {g: count for g, count in room.items() if g not in frozen and g not in untimely}
    puts = staged.puts_due(tx, timely, now, limit=limit)
    for one in [*staged.shows_due(tx, room, timely, now, limit=limit), *puts]:
        step = next_step(one, now)
        if step is NextStep.PUT and attempts_after(one) > GIVE_UP_AFTER:
            given_up.append(one)
            continue
        by_step[step].append(one)
    drawn = [*by_step[NextStep.PUT], *by_step[NextStep.ARM]]
    future = _load_future(tx, drawn)
    withheld = till_ahead.withhold(tx, future, {_key(one): one.show_at for one in drawn})
    arms = [one for one in by_step[NextStep.ARM] if _key(one) not in withheld.keys]
    return StagingWork(
        puts=tuple(by_step[NextStep.PUT]),
        arms=tuple(arms),
        cancels=tuple(by_step[NextStep.CANCEL]),
        drops=tuple(by_step[NextStep.DROP]),
        later=(
            *by_step[NextStep.NOTHING],
            *(one for one in by_step[NextStep.ARM] if _key(one) in withheld.keys),
        ),
        given_up=tuple(given_up),
        disarm=staged.armed_below(tx, room.keys() - timely.keys()),
        future=future,
        withheld=withheld,
    )


def attempts_after(one: Staged) -> int:
    """Count the attempts to fill a slot with one more; a newer wish is another picture."""
    is_new = one.wanted_rev > max(one.rev, one.show_rev or 0)
    return 1 if is_new else min(one.attempts, GIVE_UP_AFTER) + 1


def correct_early(tx: Connection, label_ids: Collection[LabelId], now: datetime) -> bool:
    """Let labels that show a picture before its moment show again what holds.

    They must be locked. Their pictures are staged no more: what came early once is sent when
    its moment comes. Say whether there were any.
    """
    if not label_ids or not staged.any_staged(tx):
        return False
    early = staged.shown_early(tx, label_ids, now + EARLY)
    if not early:
        return False
    log.warning("timed show came early", labels=len(early), label=early[0][0])
    staged.drop_pictures(tx, early)
    wrong = {label_id for label_id, _ in early}
    labels.want(tx, wrong, take_revision(tx), now, lane=Lane.CORRECTION)
    return True


def _load_future(tx: Connection, drawn: Sequence[Staged]) -> dict[tuple[LabelId, int], DueLabel]:
    """Load labels as they will be at the moment of each staged picture."""
    if not drawn:
        return {}
    found: dict[tuple[LabelId, int], DueLabel] = {}
    for flip_id, flip in planned_flips(tx, {one.flip_id for one in drawn}).items():
        try:
            then = holds_then(tx, flip)
            apart = apart_at(tx, places.store_named(tx, flip.store_id), flip.show_at)
        except EslError as exc:  # its pictures are staged no more; its moment says the same
            log.warning("flip not staged", flip=flip_id, store=flip.store_id, reason=str(exc))
            continue
        here = [one for one in drawn if one.flip_id == flip_id]
        found |= _future_of_flip(tx, here, then, apart)
    return found


def holds_then(tx: Connection, flip: Flip) -> HoldsThen:
    """Say what will hold at a flip's moment: promotions included, and what the law lets it say.

    Raises:
        EslError: What it says means nothing any more.
    """
    store = places.store_named(tx, flip.store_id)
    change_of: Mapping[Sku, PriceChange] = (
        flips.changes_of(tx, flip) if flip.kind is FlipKind.PRICES else {}
    )

    def then(now: Mapping[Sku, CurrentPrice]) -> Mapping[Sku, Then]:
        # Of another product since: it will show what it shows now.
        prices = dict(now)
        prices |= {sku: price_after(now.get(sku), change, 0) for sku, change in change_of.items()}
        bases = {sku: says_of(price) for sku, price in prices.items()}
        offers = offers_at(tx, store, bases, book_of(tx, store), flip.show_at)
        kept = {sku: kept_offer(offer) for sku, offer in offers.items()}
        return {sku: (price, kept.get(sku)) for sku, price in prices.items()}

    return then


def _future_of_flip(
    tx: Connection, here: Sequence[Staged], then: HoldsThen, apart: Apart
) -> dict[tuple[LabelId, int], DueLabel]:
    label_ids = [one.label_id for one in here]
    due = {label.label_id: label for label in due_labels.load_due(tx, label_ids)}
    if not due:
        return {}
    here_store = next(iter(due.values())).store_id
    own: dict[LabelId, str] = {}
    faces = future.future_faces(tx, label_ids, then, apart=apart, templates=own)
    rules = templates.rules_of(tx, {here_store})
    book = RuleBook(rules[here_store])
    refs = {key: saved.ref for key, saved in templates.templates_in_use(tx, {here_store}).items()}
    found: dict[tuple[LabelId, int], DueLabel] = {}
    for one in here:
        label, face = due.get(one.label_id), faces.get(one.label_id)
        if label is None or face is None:
            continue
        name = TemplateName(own.get(one.label_id, ""))
        name = name or choose_template(book, face, label.panel_id).template
        ref = refs.get((here_store, name), TemplateRef(store_id=here_store, name=name))
        # Whole, and drawn even where it equals what is shown: a slot is to be filled.
        found[one.label_id, one.slot] = replace(
            label, face=face, template=ref, shown_digest=Digest(""), send_full=True
        )
    return found


def is_stored(one: Staged) -> bool:
    """Say whether a label holds the picture that is written down for its slot."""
    return one.state in (SlotState.STORED, SlotState.ARMED)


@dataclass(frozen=True, slots=True, kw_only=True)
class DrawnPicture:
    """A staged picture as it was drawn, and the frame as it is kept."""

    staged: Staged
    digest: Digest
    template: str
    kept: StoredFrame


@dataclass(frozen=True, slots=True, kw_only=True)
class Noted:
    """What may leave, as it was written down: revisions of puts and of timed shows."""

    puts: Mapping[tuple[LabelId, int], int]
    arms: Mapping[tuple[LabelId, int], int]
    first_counter: Mapping[GatewayId, int]


def note(
    tx: Connection,
    work: StagingWork,
    *,
    puts: Sequence[DrawnPicture],
    arms: Sequence[DrawnPicture],
    hopeless: Iterable[Staged],
    sessions: Mapping[GatewayId, str],
    counters: Mapping[GatewayId, int],
    now: datetime,
    again: datetime,
) -> Noted:
    """Write down what is about to leave, before it does.

    ``again`` is when a put or a cancel without an answer is looked at anew. A label that wants
    something newer than was read, or hangs elsewhere by now, is left for the next look.
    """
    concerned = {d.staged.label_id for d in (*puts, *arms)}
    held = labels.labels_by_id(tx, sorted(concerned), lock=True)

    def is_as_read(one: Staged) -> bool:
        label = held.get(one.label_id)
        return (
            label is not None
            and label.wanted_rev == one.wanted_rev
            and label.gateway_id == one.gateway_id
        )

    puts = [d for d in puts if is_as_read(d.staged)]
    arms = [d for d in arms if is_as_read(d.staged)]
    rev = take_revision(tx) if puts or arms else 0
    put_revs: dict[tuple[LabelId, int], int] = {}
    for d in puts:
        same = d.staged.state is SlotState.PUT and d.staged.digest == d.digest
        put_revs[_key(d.staged)] = d.staged.rev if same and d.staged.rev else rev
    arm_revs: dict[tuple[LabelId, int], int] = {}
    for d in arms:
        show_rev = d.staged.show_rev
        still = show_rev is not None and show_rev >= d.staged.wanted_rev
        arm_revs[_key(d.staged)] = show_rev if still and show_rev is not None else rev
    frames.keep_frames(tx, {d.digest: d.kept for d in (*puts, *arms)}, now)
    staged.note_puts(
        tx,
        [
            PutNoted(
                label_id=d.staged.label_id,
                slot=d.staged.slot,
                rev=put_revs[_key(d.staged)],
                digest=d.digest,
                gateway_id=d.staged.gateway_id,
                due_at=now + (again - now) * 2 ** min(d.staged.attempts, PAUSE_DOUBLES),
                attempts=attempts_after(d.staged),
            )
            for d in puts
        ],
    )
    staged.note_arms(
        tx,
        [
            ArmNoted(
                label_id=d.staged.label_id,
                slot=d.staged.slot,
                show_rev=arm_revs[_key(d.staged)],
                digest=d.digest,
                gateway_id=d.staged.gateway_id,
                session=sessions[d.staged.gateway_id],
                template=d.template,
            )
            for d in arms
        ],
        now,
    )
    staged.postpone(tx, [_key(one) for one in work.cancels], again)
    staged.drop_pictures(tx, [_key(one) for one in work.drops])
    soon = [one for one in work.later if one.show_at - now >= TOO_LATE]
    staged.postpone(tx, [_key(one) for one in soon], now + BUSY_AGAIN_AFTER)
    never = [one for one in work.later if one.show_at - now < TOO_LATE]
    staged.postpone(tx, [_key(one) for one in (*never, *work.given_up, *hopeless)], None)
    staged.cancel_armed(tx, work.disarm, now)
    first = places.take_counters(tx, {g: count for g, count in counters.items() if count > 0})
    return Noted(puts=put_revs, arms=arm_revs, first_counter=first)


def _key(one: Staged) -> tuple[LabelId, int]:
    return one.label_id, one.slot
