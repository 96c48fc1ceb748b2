"""Proposals of engines, a store's rules for them, rulings and costs as JSON.

{"source": "footfall", "proposals": [{"sku": "4711", "price": "1.19", "reason": "quiet morning"}]}

{"engines": ["footfall"], "lowest": "0.20", "highest": null, "least_percent": 80,
 "most_percent": 120, "margin_percent": 5, "moves_a_day": 2, "approval": "rises",
 "quiet": [{"begins": "22:00", "ends": "06:00"}], "freeze_while_open": true,
 "opening": {"mon": [{"begins": "08:00", "ends": "20:00"}]}}
"""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import time
from functools import lru_cache
from typing import Any, Final

from esl.domain.errors import FieldProblem, InvalidInput
from esl.domain.ids import Sku, SourceId, check_sku, check_slug
from esl.domain.money import format_minor, parse_price
from esl.domain.pricing import KEEP
from esl.domain.promotion.window import Hours
from esl.domain.proposal import Approval, Proposal, Rules
from esl.intake.fields import Fields
from esl.intake.guard_json import read_flag
from esl.intake.price_json import parse_each
from esl.intake.promotion_json import WEEKDAYS
from esl.intake.strict_json import parse_strict_json, pointer

PROPOSALS_MOST: Final = 1000
COSTS_MOST: Final = 10_000
REASON_LONGEST: Final = 300
ENGINES_MOST: Final = 20
HOURS_MOST: Final = 10
PERCENT_MOST: Final = 1000
MOVES_MOST: Final = 100

_CLOCK = re.compile(r"([01][0-9]|2[0-3]):[0-5][0-9]")
_NOTHING_YET: Final = Rules(engines=())


@dataclass(frozen=True, slots=True, kw_only=True)
class Proposed:
    """What an engine sent: its own name and its proposals, each of another product."""

    source: SourceId
    proposals: tuple[Proposal, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class ProposalRuling:
    """Which proposals a person decides about, and what they write to it."""

    proposals: tuple[int, ...]
    note: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Cost:
    """What a product costs the store; None: nobody knows it any more."""

    sku: Sku
    cost_minor: int | None
    path: str


def parse_proposals(value: Any, *, currency: str) -> Proposed:
    """Read what an engine proposes.

    Raises:
        InvalidInput: With the path of each bad field.
    """
    read = Fields(value)
    source = read.parsed(
        "source", lambda text, at: check_slug(text, path=at, what="source"), required=True
    )
    given = read.take("proposals")
    found: list[Proposal] = []
    if not isinstance(given, list) or not 1 <= len(given) <= PROPOSALS_MOST:
        read.problem("proposals", f"not an array of 1 to {PROPOSALS_MOST} proposals")
    else:
        found = _read_each(read, given, currency)
    read.finish()
    return Proposed(source=SourceId(str(source)), proposals=tuple(found))


def parse_rules(value: Any, *, currency: str) -> Rules:
    """Read a store's rules; what is left out is as usual.

    Raises:
        InvalidInput: With the path of each bad field.
    """
    read = Fields(value)

    def money(text: str, at: str) -> int:
        return parse_price(text, currency, path=at)

    usual = _NOTHING_YET
    engines = _read_engines(read)
    lowest, highest = read.parsed("lowest", money), read.parsed("highest", money)
    least = _percent(read, "least_percent", usual.least_percent, high=100)
    most = _percent(read, "most_percent", usual.most_percent, high=PERCENT_MOST, low=100)
    margin = read.integer("margin_percent", high=PERCENT_MOST)
    moves = read.integer("moves_a_day", low=1, high=MOVES_MOST)
    quiet = _read_hours(read, "quiet", read.take("quiet"))
    opening = _read_opening(read)
    frozen = read_flag(read, "freeze_while_open", usual=False)
    if frozen and not opening:
        read.problem(
            "opening",
            "missing, and prices shall not move while the store is open",
            fix='Send its hours: {"mon": [{"begins": "08:00", "ends": "20:00"}], …}.',
        )
    if isinstance(lowest, int) and isinstance(highest, int) and lowest > highest:
        read.problem("lowest", "above the highest")
    approval = read.parsed("approval", _parse_approval)
    read.finish()
    return Rules(
        engines=engines,
        lowest_minor=lowest if isinstance(lowest, int) else None,
        highest_minor=highest if isinstance(highest, int) else None,
        least_percent=least,
        most_percent=most,
        margin_percent=margin if margin is not None else usual.margin_percent,
        moves_a_day=moves if moves is not None else usual.moves_a_day,
        quiet=quiet,
        opening=opening,
        freeze_while_open=frozen,
        approval=approval if isinstance(approval, Approval) else usual.approval,
    )


def rules_view(rules: Rules, currency: str) -> dict[str, Any]:
    """Write rules as `parse_rules` reads them."""

    def money(minor: int | None) -> str | None:
        return None if minor is None else format_minor(minor, currency)

    return {
        "engines": list(rules.engines),
        "lowest": money(rules.lowest_minor),
        "highest": money(rules.highest_minor),
        "least_percent": rules.least_percent,
        "most_percent": rules.most_percent,
        "margin_percent": rules.margin_percent,
        "moves_a_day": rules.moves_a_day,
        "quiet": _hours_view(rules.quiet),
        "opening": {
            WEEKDAYS[day]: _hours_view(some) for day, some in sorted(rules.opening.items())
        },
        "freeze_while_open": rules.freeze_while_open,
        "approval": rules.approval.value,
    }


def rules_text(rules: Rules, currency: str) -> str:
    """Write rules as they are kept."""
    return json.dumps(rules_view(rules, currency), ensure_ascii=False)


@lru_cache(maxsize=512)
def rules_from(text: str, currency: str) -> Rules:
    """Read rules as they are kept."""
    return parse_rules(parse_strict_json(text.encode()), currency=currency)


def parse_proposal_ruling(value: Any) -> ProposalRuling:
    """Read which proposals a person decides about.

    Raises:
        InvalidInput: With the path of each bad field.
    """
    read = Fields(value)
    given = read.take("proposals")
    numbers: list[int] = []
    if not isinstance(given, list) or not 1 <= len(given) <= PROPOSALS_MOST:
        read.problem("proposals", f"not an array of 1 to {PROPOSALS_MOST} numbers")
    elif any(isinstance(n, bool) or not isinstance(n, int) or n < 1 for n in given):
        read.problem("proposals", "holds something else than numbers of proposals")
    else:
        numbers = sorted(set(given))
    note = read.text("note", longest=REASON_LONGEST)
    read.finish()
    return ProposalRuling(proposals=tuple(numbers), note=note if isinstance(note, str) else None)


def parse_costs(value: Any, *, currency: str) -> list[Cost]:
    """Read what products cost: [{"sku": "4711", "cost": "0.80"}]; null forgets it.

    Raises:
        InvalidInput: With the path of each bad field.
    """

    def parse(item: Any, path: str) -> Cost:
        read = Fields(item, path=path)
        sku = read.parsed("sku", lambda text, at: check_sku(text, path=at), required=True)
        if not read.has("cost"):
            read.problem("cost", "missing", fix="Send a decimal string, or null to forget it.")
        cost = read.parsed("cost", lambda text, at: parse_price(text, currency, path=at))
        read.finish()
        minor = cost if isinstance(cost, int) else None
        return Cost(sku=Sku(str(sku)), cost_minor=minor, path=path)

    costs = parse_each(value, parse, most=COSTS_MOST)
    _refuse_twice([(cost.sku, f"{cost.path}/sku") for cost in costs])
    return costs


def _read_each(read: Fields, given: list[Any], currency: str) -> list[Proposal]:
    found: list[Proposal] = []
    try:
        for index, item in enumerate(given):
            found.append(_read_proposal(item, f"/proposals/{index}", currency))
        _refuse_twice([(one.sku, f"{one.path}/sku") for one in found])
    except InvalidInput as exc:
        read.problems.extend(exc.problems)
    return found


def _read_proposal(value: Any, path: str, currency: str) -> Proposal:
    read = Fields(value, path=path)
    sku = read.parsed("sku", lambda text, at: check_sku(text, path=at), required=True)
    price = read.parsed(
        "price", lambda text, at: parse_price(text, currency, path=at), required=True
    )
    if read.has("currency") and read.take("currency") != currency:
        read.problem("currency", f"not the store's currency, {currency}")
    reason = read.text("reason", longest=REASON_LONGEST, required=True)
    read.finish()
    minor = price if isinstance(price, int) else 1  # else `finish` has refused it
    return Proposal(sku=Sku(str(sku)), price_minor=minor, reason=str(reason), path=path)


def _refuse_twice(said: list[tuple[Sku, str]]) -> None:
    seen: set[Sku] = set()
    for sku, path in said:
        if sku in seen:
            fix = "Send each product once: the last word is the one that counts."
            raise InvalidInput([FieldProblem(path=path, detail="the same product twice", fix=fix)])
        seen.add(sku)


def _read_engines(read: Fields) -> tuple[SourceId, ...]:
    given = read.take("engines")
    if not isinstance(given, list) or len(given) > ENGINES_MOST:
        read.problem(
            "engines",
            f"not an array of at most {ENGINES_MOST} names",
            fix='Name who may propose: ["footfall"]; [] is nobody.',
        )
        return ()
    found: dict[SourceId, None] = {}
    for index, name in enumerate(given):
        path = pointer(pointer(read.path, "engines"), index)
        if not isinstance(name, str):
            read.problem("engines", "holds something else than names")
            continue
        try:
            found[SourceId(check_slug(name, path=path, what="source"))] = None
        except InvalidInput as exc:
            read.problems.extend(exc.problems)
    return tuple(found)


def _percent(read: Fields, name: str, usual: int | None, *, high: int, low: int = 0) -> int | None:
    if not read.has(name):
        return usual
    return read.integer(name, low=low, high=high)


def _read_opening(read: Fields) -> Mapping[int, tuple[Hours, ...]]:
    given = read.take("opening")
    if given is KEEP or given is None:
        return {}
    if not isinstance(given, dict):
        read.problem("opening", "not an object of days", fix=f"Its keys are {', '.join(WEEKDAYS)}.")
        return {}
    found: dict[int, tuple[Hours, ...]] = {}
    for name, some in given.items():
        if name not in WEEKDAYS:
            fix = f"Its keys are {', '.join(WEEKDAYS)}."
            read.problem("opening", "names something else than a weekday", fix=fix)
            return {}
        hours = _read_hours(read, "opening", some)
        if hours:
            found[WEEKDAYS.index(name)] = hours
    return found


def _read_hours(read: Fields, name: str, given: Any) -> tuple[Hours, ...]:
    if given is KEEP or given is None:
        return ()
    fix = 'Send {"begins": "22:00", "ends": "06:00"}; the end is not after the hours.'
    if not isinstance(given, list) or len(given) > HOURS_MOST:
        read.problem(name, f"not an array of at most {HOURS_MOST} hours", fix=fix)
        return ()
    found: list[Hours] = []
    for one in given:
        is_pair = isinstance(one, dict) and one.keys() == {"begins", "ends"}
        times = [_time(one[key]) for key in ("begins", "ends")] if is_pair else [None]
        begins, ends = times[0], times[-1]
        if begins is None or ends is None:
            read.problem(name, "not hours of a day", fix=fix)
            return ()
        found.append(Hours(begins, ends))
    return tuple(found)


def _time(value: Any) -> time | None:
    if not isinstance(value, str) or _CLOCK.fullmatch(value) is None:
        return None
    return time.fromisoformat(value)


def _hours_view(some: tuple[Hours, ...]) -> list[dict[str, str]]:
    return [{"begins": f"{h.begins:%H:%M}", "ends": f"{h.ends:%H:%M}"} for h in some]


def _parse_approval(text: str, path: str) -> Approval:
    try:
        return Approval(text)
    except ValueError:
        raise InvalidInput.at(
            path, "no kind of approval", fix=f"Send one of {', '.join(Approval)}."
        ) from None
