"""Defects of access and of the audit: rights that outlive themselves, decisions without a trace."""

from collections.abc import Callable
from typing import Any
from weakref import WeakKeyDictionary

import pytest
from sqlalchemy import Connection

from esl.domain.access import Principal
from esl.domain.chain import RecordKind
from esl.domain.pricing import Decision
from esl.services import access, quarantine, sealing
from esl.services.scales import Scales
from esl.services.sealing import Sealing
from esl.store import audit, chain, chain_records
from esl.store.chain import Head
from tests.chaos.defects.defect import Patch, a_defect

Ask = Callable[..., Principal]


def plant_revoked_token_remembered(patch: Patch) -> None:
    """Whoever a token once stood for, it stands for as long as the process lives."""
    patch.setattr(access, "principal_of_token", _remembering(access.principal_of_token))


def plant_roles_of_the_sign_in(patch: Patch) -> None:
    """What a person may do is looked up at the first request of a session, and then known."""
    patch.setattr(access, "principal_of_session", _remembering(access.principal_of_session))


def _remembering(ask: Ask) -> Ask:
    known: dict[str, Principal] = {}

    def recall(tx: Connection, secret: str, *rest: Any, **named: Any) -> Principal:
        if secret not in known:
            known[secret] = ask(tx, secret, *rest, **named)
        return known[secret]

    return recall


def plant_right_without_its_store(patch: Patch) -> None:
    """That somebody holds a right somewhere is enough to use it anywhere."""
    require = Principal.require

    def anywhere(who: Principal, scope: Any, store_id: Any = None) -> None:
        held = [store for store in sorted(who.stores) if who.may(scope, store)]  # type: ignore[arg-type]
        require(who, scope, held[0] if held else store_id)  # type: ignore[arg-type]

    patch.setattr(Principal, "require", anywhere)


def plant_own_price_approved(patch: Patch) -> None:
    """Whoever may decide decides about their own prices too."""
    to_decide = quarantine._to_decide

    def by_anybody(tx: Connection, store_id: Any, which: Any, _by: str) -> Any:
        return to_decide(tx, store_id, which, "somebody else")

    patch.setattr(quarantine, "_to_decide", by_anybody)


def plant_doubted_price_holds(patch: Patch) -> None:
    """A price that the guards doubt holds at once, as one that they believe."""
    decide = Scales._decide

    def believe(scales: Scales, *what: Any, **named: Any) -> Any:
        decision, reasons = decide(scales, *what, **named)
        if decision is Decision.QUARANTINED:
            return Decision.ACCEPTED, ()
        return decision, reasons

    patch.setattr(Scales, "_decide", believe)


def plant_ruling_without_entry(patch: Patch) -> None:
    """What becomes of a price that waited is written to its row, and to no audit."""
    patch.setattr(quarantine, "_audit", lambda *_: None)


def plant_entry_after_the_commit(patch: Patch) -> None:
    """Entries are gathered in memory and written with the next transaction that makes one."""
    note = audit.note
    waiting: list[tuple[tuple[Any, ...], dict[str, Any]]] = []

    def later(_tx: Connection, *what: Any, **named: Any) -> None:
        for old, by_name in waiting:
            note(_tx, *old, **by_name)
        waiting[:] = [(what, named)]

    patch.setattr(audit, "note", later)


def plant_sealing_skips_what_it_gathered(patch: Patch) -> None:
    """A process begins to seal behind what was committed before it: another one gathered that."""
    begin = Sealing._begin
    floors: WeakKeyDictionary[Sealing, dict[RecordKind, int]] = WeakKeyDictionary()

    def behind(sealing: Sealing, tx: Connection) -> Any:
        pending = begin(sealing, tx)
        newest = {kind: chain_records.newest_id(tx, kind) for kind in RecordKind}
        floor = floors.setdefault(sealing, newest if pending.head.number else {})
        for kind, number in floor.items():
            pending.sealed_to[kind] = max(pending.sealed_to[kind], number)
        return pending

    patch.setattr(Sealing, "_begin", behind)


def plant_checkpoint_of_what_is_not_written(patch: Patch) -> None:
    """A checkpoint names the chain as it was before its last block."""
    head_of = chain.head_of

    def sign(sealing: Sealing, sign: Any, public_key: bytes) -> Any:
        with pytest.MonkeyPatch.context() as inner:
            inner.setattr(chain, "head_of", lambda tx: _before(tx, head_of(tx)))
            return checkpoint(sealing, sign, public_key)

    checkpoint = Sealing.checkpoint
    patch.setattr(Sealing, "checkpoint", sign)


def _before(tx: Connection, head: Head) -> Head:
    blocks = chain.blocks_after(tx, head.number - 2, most=1) if head.number > 1 else []
    return Head(head.number, bytes.fromhex(blocks[0].hash)) if blocks else head


def plant_hashes_forgotten_with_their_age(patch: Patch) -> None:
    """Hashes of the display log go with the years, also where lines of them are left."""
    patch.setattr(sealing, "rows_within", lambda *_, **__: [])


DEFECTS = tuple(
    a_defect(plant, *caught_by, profile="office")
    for plant, *caught_by in (
        (plant_revoked_token_remembered, "I13"),
        (plant_roles_of_the_sign_in, "I13"),
        (plant_right_without_its_store, "I13"),
        (plant_own_price_approved, "I9"),
        (plant_doubted_price_holds, "I9"),
        (plant_ruling_without_entry, "I12"),
        (plant_entry_after_the_commit, "I12"),
        (plant_sealing_skips_what_it_gathered, "I12"),
        (plant_checkpoint_of_what_is_not_written, "I12"),
        (plant_hashes_forgotten_with_their_age, "I12"),
    )
)
