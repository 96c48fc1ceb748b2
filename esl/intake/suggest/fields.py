"""Which column is which target: headers say it, values have to agree.

A header alone is not believed for money. A price is sure only if its column is the only one of
that meaning, its cells are prices, and its relation to the others holds: promotions below the
regular price, unit prices that follow from price and content. Whatever speaks against it makes it
unsure, never another guess.
"""

from collections.abc import Sequence
from dataclasses import replace
from decimal import Decimal

from esl.domain.product import NetContent
from esl.intake.mapping.model import TARGETS, Kind
from esl.intake.quantity import parse_quantity
from esl.intake.quantity_name import extract_quantity
from esl.intake.suggest.evidence import (
    share_filled,
    share_of_contents,
    share_of_gtins,
    share_of_units,
    share_unique,
)
from esl.intake.suggest.numbers import affixes_of, as_decimal, count_shapes
from esl.intake.suggest.questions import IS_IT_THE_PRICE, hinted_promotions
from esl.intake.suggest.relations import Verdict, weigh_prices, weigh_unit_price
from esl.intake.suggest.sold_by import weigh_unit
from esl.intake.suggest.suggestion import Column, FieldSuggestion, Sample
from esl.intake.suggest.words import (
    NOT_FOR_LABELS,
    SOME_PRICE,
    competes,
    meaning_of_header,
)

_MONEY = (
    "price",
    "promotion_price",
    "was",
    "unit_price",
    "lowest_price_30d",
    "anchor_price",
    "deposit",
)
_PLAIN = ("name", "brand", "category", "unit", "stock", "origin", "tax", "store")
_MOSTLY = 0.9
_HALF = 0.5
_HARDLY = 0.3
_ZEROS_MOST = 5


class Assignment:
    """The columns of a sample, given to targets one after the other."""

    def __init__(self, sample: Sample, *, decimal: str | None, thousands: str | None) -> None:
        self._sample = sample
        self._decimal = decimal
        self._thousands = thousands
        self._numbers: dict[int, list[Decimal | None]] = {}
        self._taken: set[int] = set()
        self._given: dict[str, Column] = {}
        self.fields: list[FieldSuggestion] = []
        self._meant: dict[str, list[tuple[Column, bool]]] = {}
        for column in sample.columns:
            meaning = meaning_of_header(column.header)
            if meaning is not None:
                self._meant.setdefault(meaning.target, []).append((column, meaning.narrow))

    def assign(self) -> tuple[FieldSuggestion, ...]:
        """Give columns to targets, and say what speaks for and against each."""
        self._assign_gtin()
        self._assign_money()
        self._assign_content()
        for target in _PLAIN:
            self._assign_plain(target)
        self._assign_sku()
        self._assign_hinted_promotion()
        self._weigh()
        self._weigh_unit()
        order = list(TARGETS)
        self.fields.sort(key=lambda each: order.index(each.target))
        return tuple(self.fields)

    def unused(self) -> tuple[Column, ...]:
        """List the columns that no target has."""
        return tuple(each for each in self._sample.columns if id(each) not in self._taken)

    def numbers_of(self, column: Column) -> list[Decimal | None]:
        """Read a column's cells with the chosen signs."""
        if id(column) not in self._numbers:
            self._numbers[id(column)] = [
                as_decimal(value, self._decimal, self._thousands) for value in column.values
            ]
        return self._numbers[id(column)]

    def _give(
        self,
        target: str,
        column: Column | None,
        why: str,
        *,
        sure: bool,
        needed: bool = False,
        strip: str | None = None,
        none_words: tuple[str, ...] = (),
        others: Sequence[Column] = (),
    ) -> None:
        if column is not None:
            if target != "gtin" or sure:
                self._taken.add(id(column))
            self._given[target] = column
        self.fields.append(
            FieldSuggestion(
                target=target,
                column=column,
                why=why,
                sure=sure,
                needed=needed,
                strip=strip,
                none_words=none_words,
                others=tuple(others),
            )
        )

    def _assign_gtin(self) -> None:
        named = [column for column, _ in self._meant.get("gtin", [])]
        shares = {id(c): share_of_gtins(c.values) for c in self._sample.columns}
        right = [c for c in self._sample.columns if shares[id(c)] > _MOSTLY]
        chosen = [c for c in named if shares[id(c)] > _HALF] or right
        if len(chosen) > 1:
            chosen = [c for c in chosen if c in named] or chosen
        if len(chosen) == 1:
            column = chosen[0]
            why = f"{shares[id(column)]:.0%} have a right check digit"
            quotes = "".join(
                sorted(
                    {c for value in column.values for c in value[:1] + value[-1:] if c in "'\"="}
                )
            )
            meaning = meaning_of_header(column.header)
            fits = meaning is None or meaning.target in ("gtin", "sku")
            why += "" if fits else ", but its header says something else"
            self._give("gtin", column, why, sure=fits, strip=quotes or None)
        elif named or chosen:
            candidates = named or chosen
            why = "few of its cells have a right check digit" if named else "several have GTINs"
            self._give("gtin", candidates[0], why, sure=False, others=candidates[1:])

    def _assign_money(self) -> None:
        for target in _MONEY:
            meant = self._meant.get(target, [])
            narrow = [column for column, is_narrow in meant if is_narrow]
            columns = narrow or [column for column, _ in meant]
            columns = [c for c in columns if id(c) not in self._taken]
            if target == "price":
                self._assign_price(columns)
            elif len(columns) == 1:
                self._give_money(target, columns[0])
            elif columns:
                why = "several columns could be it"
                needed = target == "promotion_price"
                self._give(target, None, why, sure=False, needed=needed, others=columns)

    def _assign_price(self, columns: list[Column]) -> None:
        rivals = [c for c, _ in self._meant.get(SOME_PRICE, []) if competes(c.header)]
        if len(columns) == 1 and rivals and not self._is_narrow(columns[0]):
            columns = [*columns, *rivals]
        if len(columns) == 1:
            self._give_money("price", columns[0])
            return
        if columns:
            why = "several columns could be the price that a shopper pays"
            self._give("price", None, why, sure=False, needed=True, others=columns)
            return
        some = [column for column, _ in self._meant.get(SOME_PRICE, [])]
        hidden = [column for column, _ in self._meant.get(NOT_FOR_LABELS, [])]
        others = some or [c for c in self._price_like() if c not in hidden]
        why = "no header says that it is the price a shopper pays, tax included"
        self._give("price", None, why, sure=False, needed=True, others=others[:6])

    def _give_money(self, target: str, column: Column) -> None:
        numbers = self.numbers_of(column)
        filled = sum(bool(value) for value in column.values)
        right = sum(number is not None for number in numbers)
        needed = target in ("price", "promotion_price")
        why, sure = f"by its header; {right} of {filled} cells are numbers", True
        if not filled:
            why, sure = "by its header; every cell is empty", target != "price"
        elif right < filled * _MOSTLY:
            why, sure = f"only {right} of {filled} cells are numbers", False
        elif share_of_gtins(column.values) > _MOSTLY:
            why, sure = "its cells are bar codes", False
        is_vague = target == "lowest_price_30d" and not self._is_narrow(column)
        if is_vague and "anchor_price" not in self._meant:  # the list of a law says both
            why, sure = "it does not say of which days it is the lowest", False
        strip = affixes_of(v for v in column.values if v) or None
        zeros = dict.fromkeys(
            value.strip(strip or " ")
            for value, number in zip(column.values, numbers, strict=True)
            if number is not None and number == 0
        )
        none_words = tuple(zeros)[:_ZEROS_MOST] if target not in ("price", "deposit") else ()
        if none_words:
            why += "; zeros are taken for none"
        self._give(
            target,
            column,
            why,
            sure=sure,
            needed=needed and not sure,
            strip=strip,
            none_words=none_words,
        )

    def _price_like(self) -> list[Column]:
        """List columns nobody has named whose cells look like prices."""
        found = []
        for column in self._sample.columns:
            counts = count_shapes(column.values[:500])
            filled = counts.numbers + counts.other
            parted = counts.comma + counts.point + counts.either
            if filled and parted > filled * _HARDLY and id(column) not in self._taken:
                found.append(column)
        return found

    def _assign_content(self) -> None:
        decimal = self._decimal or "."
        meant = [c for c, _ in self._meant.get("net_content", []) if id(c) not in self._taken]
        shares = {id(c): share_of_contents(c.values, decimal) for c in meant}
        good = [c for c in meant if shares[id(c)] > _HARDLY]
        if len(good) == 1:
            why = f"by its header; {shares[id(good[0])]:.0%} are a number with a unit"
            self._give("net_content", good[0], why, sure=True)
        elif meant:
            best = max(meant, key=lambda c: shares[id(c)])
            why = f"only {shares[id(best)]:.0%} of its cells are a number with a unit"
            why = "several columns could be it" if good else why
            others = [column for column in meant if column is not best]
            self._give("net_content", best, why, sure=False, others=others)

    def _assign_plain(self, target: str) -> None:
        columns = [c for c, _ in self._meant.get(target, []) if id(c) not in self._taken]
        if target == "unit":
            columns = [c for c in columns if share_of_units(c.values) > _HARDLY] or columns
        if not columns:
            return
        column = columns[0]
        if target == "name":
            column = max(columns, key=lambda c: (share_unique(c.values), sum(map(len, c.values))))
        others = [c for c in columns if c is not column]
        kind = TARGETS[target].kind
        right, why = True, "by its header"
        if kind in (Kind.WHOLE, Kind.PERCENT):
            numbers = self.numbers_of(column)
            filled = sum(bool(value) for value in column.values)
            right = sum(n is not None for n in numbers) >= filled * _MOSTLY
            why = "by its header; its cells are numbers" if right else "its cells are no numbers"
        sure = right and not others and share_filled(column.values) > 0
        if others:
            why = "several columns could be it"
        if target in ("stock", "tax", "origin"):
            sure, why = False, f"{why}; wanted on labels?"
        if target == "store":
            stores = len({value for value in column.values if value})
            sure, why = False, f"one list for {stores} store(s)? Then rows go where it says"
        self._give(target, column, why, sure=sure, others=others)

    def _assign_sku(self) -> None:
        meant = [(c, own) for c, own in self._meant.get("sku", []) if id(c) not in self._taken]
        columns = [c for c, own in meant if own] or [c for c, _ in meant]
        if not columns:
            gtin = next((f for f in self.fields if f.target == "gtin" and f.column), None)
            if gtin is not None:
                why = "no column has the till's own number; bar codes could serve as it"
                self._give(
                    "sku", None, why, sure=False, needed=True, others=[gtin.column or columns[0]]
                )
            else:
                self._give("sku", None, "no header says so", sure=False, needed=True)
            return
        rated = sorted(columns, key=lambda c: -share_unique(c.values))
        column = rated[0]
        unique, filled = share_unique(column.values), share_filled(column.values)
        sure = (
            unique > _HALF
            and filled > _MOSTLY
            and (len(rated) == 1 or unique - share_unique(rated[1].values) > _HARDLY)
        )
        why = f"by its header; {unique:.0%} of its cells are different, {filled:.0%} are filled"
        if not sure and len(rated) > 1:
            why = "several columns could be it"
        self._give(
            "sku",
            column if sure or len(rated) == 1 else None,
            why,
            sure=sure,
            needed=not sure,
            others=rated[1:] if sure else rated,
        )

    def _assign_hinted_promotion(self) -> None:
        """Ask of columns that only hint at a promotion's price ("Akcija"): they are never sure."""
        if any(each.target == "promotion_price" for each in self.fields):
            return
        price = self._given.get("price")
        prices = self.numbers_of(price) if price is not None else None
        hinted = hinted_promotions(self.unused(), self.numbers_of, prices)
        if not hinted:
            return
        if len(hinted) == 1:
            self._give_money("promotion_price", hinted[0])
            self._note(Verdict(target="promotion_price", why=IS_IT_THE_PRICE, needed=True))
        else:
            self._give(
                "promotion_price", None, IS_IT_THE_PRICE, sure=False, needed=True, others=hinted
            )

    def _weigh_unit(self) -> None:
        """Take a column of units for that of the content only where the rows prove it."""
        unit = self._given.get("unit")
        if unit is None:
            return
        given = [self._given.get(target) for target in ("price", "unit_price")]
        prices, unit_prices = (self.numbers_of(each) if each else None for each in given)
        sure, why = weigh_unit(
            unit,
            self._given.get("net_content"),
            decimal=self._decimal or ".",
            prices=prices,
            unit_prices=unit_prices,
        )
        at = next(at for at, each in enumerate(self.fields) if each.target == "unit")
        self.fields[at] = replace(self.fields[at], why=why, sure=self.fields[at].sure and sure)
        if self.fields[at].sure:
            self._note(
                Verdict(target="net_content", why="with the unit beside it, " + why), sure=True
            )

    def _weigh(self) -> None:
        """Compare the prices of rows with each other; what contradicts is unsure."""
        numbers = {
            target: self.numbers_of(column)
            for target, column in self._given.items()
            if target in _MONEY
        }
        for verdict in weigh_prices(numbers):
            self._note(verdict)
        unit_price, price = self._given.get("unit_price"), self._given.get("price")
        if unit_price is not None:
            for verdict in weigh_unit_price(
                numbers,
                self._contents(),
                header=unit_price.header,
                price_is_narrow=price is not None and self._is_narrow(price),
            ):
                self._note(verdict)

    def _contents(self) -> list[NetContent | None]:
        """Read the contents of the rows, from their column or else from the name."""
        column, name = self._given.get("net_content"), self._given.get("name")
        contents: list[NetContent | None] = []
        for at in range(self._sample.rows):
            read: object = None
            if column is not None and column.values[at]:
                read = parse_quantity(column.values[at], decimal=self._decimal or ".")
            if not isinstance(read, NetContent) and name is not None:
                read = extract_quantity(name.values[at])
            contents.append(read if isinstance(read, NetContent) else None)
        return contents

    def _is_narrow(self, column: Column) -> bool:
        meaning = meaning_of_header(column.header)
        return meaning is not None and meaning.narrow

    def _note(self, verdict: Verdict, *, sure: bool = False) -> None:
        for at, each in enumerate(self.fields):
            if each.target == verdict.target:
                self.fields[at] = replace(
                    each,
                    why=verdict.why,
                    sure=sure or (each.sure and verdict.sure),
                    needed=each.needed or verdict.needed,
                )
