"""Who may charge what, and which price labels may show: till and shelf in an order that is safe.

::

                       truth (what holds)
            ┌─────────────┴──────────────┐
    shelf: what labels are told      grant: what the till may charge
      follows once all that the        follows as far as all that any
      till may charge is no dearer     label may still show is no cheaper

Of a product two sets are kept, each as its bound: what the till may be charging (its last
acknowledged price, and every grant since: `Standing.most`), and what labels may be showing (what
they are told now, and all before it until every one of them has confirmed: `Standing.least`).
Every step keeps ``most <= least``: whatever the till charges, no shelf asks for less. A dearer
price so goes to the labels first, a cheaper one to the till first, and what is dearer in one
respect and cheaper in another goes by what both allow.

Acknowledgements and labels may be late, lost or never come: the bounds then stay as they are.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace


@dataclass(frozen=True, slots=True, kw_only=True)
class Charge:
    """What a customer pays for a product, in minor units.

    ``member_minor`` is for members alone; ``multibuys`` is what so many pieces cost together.
    ``a <= b`` says that nobody pays more by ``a`` than by ``b``.
    """

    price_minor: int
    member_minor: int | None = None
    multibuys: Mapping[int, int] = field(default_factory=dict)

    def __le__(self, other: "Charge") -> bool:
        """Say whether nobody pays more by this than by the other."""
        return (
            self.price_minor <= other.price_minor
            and self._to_member() <= other._to_member()
            and all(
                quantity in self.multibuys and self.multibuys[quantity] <= total
                for quantity, total in other.multibuys.items()
            )
        )

    def _to_member(self) -> int:
        member = self.member_minor
        return self.price_minor if member is None else min(member, self.price_minor)


def cheapest(a: Charge, b: Charge) -> Charge:
    """Return what is no dearer than either, in every respect."""
    members = [one.member_minor for one in (a, b) if one.member_minor is not None]
    price = min(a.price_minor, b.price_minor)
    member = min(members, default=price)
    return Charge(
        price_minor=price,
        member_minor=member if member < price else None,
        multibuys={
            quantity: min(x[quantity] for x in (a.multibuys, b.multibuys) if quantity in x)
            for quantity in sorted({*a.multibuys, *b.multibuys})
        },
    )


def dearest(a: Charge, b: Charge) -> Charge:
    """Return what is no cheaper than either, in every respect."""
    price = max(a.price_minor, b.price_minor)
    member = max(a._to_member(), b._to_member())
    return Charge(
        price_minor=price,
        member_minor=member if member < price else None,
        multibuys={
            quantity: max(a.multibuys[quantity], b.multibuys[quantity])
            for quantity in sorted(set(a.multibuys) & set(b.multibuys))
        },
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """How till and labels of a product stand. Revisions are of the installation's one sequence.

    ``shelf`` is what labels are told since ``shelf_rev``; ``least`` is below all that any of them
    may show. ``grant`` is what the till may charge, by its number ``grant_rev``; ``most`` is
    above all that it may charge in fact, the grant included. ``acked_rev`` is the last grant that
    it said it charges.
    """

    shelf: Charge
    shelf_rev: int
    least: Charge
    grant: Charge
    grant_rev: int
    most: Charge
    acked_rev: int = 0

    @property
    def is_confirmed(self) -> bool:
        """Say whether every label shows what it is told."""
        return self.least == self.shelf

    @property
    def is_acknowledged(self) -> bool:
        """Say whether the till has acknowledged what it may charge."""
        return self.acked_rev == self.grant_rev

    def waits_for_labels(self, truth: Charge) -> bool:
        """Say whether the till may not charge the truth yet, as labels show less."""
        return self.grant != truth and self.shelf == truth

    def waits_for_till(self, truth: Charge) -> bool:
        """Say whether labels may not show the truth yet, as the till may charge more."""
        return self.shelf != truth


def first_standing(truth: Charge, rev: int) -> Standing:
    """Begin with a product: till and labels are taken to agree on what holds."""
    return Standing(shelf=truth, shelf_rev=rev, least=truth, grant=truth, grant_rev=rev, most=truth)


def settle(standing: Standing, truth: Charge, rev: int) -> Standing:
    """Go as far towards the truth as is safe; ``rev`` is what moves now, above all before.

    Its labels are to be told where ``shelf_rev`` has become ``rev``, the till where ``grant_rev``
    has.
    """
    now = standing
    if now.shelf != truth and now.most <= truth:
        least = cheapest(now.least, truth)
        # What all labels show already is shown by those that follow.
        now = replace(now, shelf=truth, shelf_rev=rev, least=least)
    grant = truth if truth <= now.least else cheapest(truth, now.least)
    if grant != now.grant:
        now = replace(now, grant=grant, grant_rev=rev, most=dearest(now.most, grant))
    return now


def acknowledge(standing: Standing, rev: int) -> Standing:
    """Take the till's word that it charges grant ``rev`` from now on, and nothing older.

    The word for an older grant says nothing: the till may have taken the newer one since.
    """
    if rev != standing.grant_rev:
        return standing
    return replace(standing, most=standing.grant, acked_rev=rev)


def confirm(standing: Standing, shelf_rev: int) -> Standing:
    """Take note that every label shows ``shelf_rev`` or what came after it."""
    if shelf_rev != standing.shelf_rev:
        return standing
    return replace(standing, least=standing.shelf)


def follow_at_once(standing: Standing, truth: Charge, rev: int) -> Standing:
    """Let labels and the till have the truth at the same time: the order of most shops."""
    now = standing
    if now.shelf != truth:
        now = replace(now, shelf=truth, shelf_rev=rev, least=cheapest(now.least, truth))
    if now.grant != truth:
        now = replace(now, grant=truth, grant_rev=rev, most=dearest(now.most, truth))
    return now
