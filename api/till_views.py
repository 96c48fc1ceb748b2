"""What tills may charge, as JSON: for answers, and for the messages that tills are told by."""

from collections.abc import Mapping, Sequence
from typing import Any, Final

from api.schemas import money
from esl.domain.ids import LabelId, Sku, StoreId
from esl.domain.till import Charge
from esl.store.tills import TillPrice, Waits

SECRET_KIND: Final = "till"  # noqa: S105 - what kind of secret, and no secret
LABELS_NAMED: Final = 20

_WAITS: Final = {Waits.NOBODY: None, Waits.LABELS: "labels", Waits.TILL: "till"}


def secret_of(store_id: StoreId) -> str:
    """Name whose secret it is that messages to a store's tills are signed with."""
    return f"store/{store_id}"


def page_view(
    page: Sequence[TillPrice], missing: Mapping[Sku, Sequence[LabelId]], currency: str
) -> dict[str, Any]:
    """Prices as tills read them."""
    return {
        "currency": currency,
        "prices": [_price_view(one, missing.get(one.sku, ()), currency) for one in page],
    }


def _price_view(one: TillPrice, missing: Sequence[LabelId], currency: str) -> dict[str, Any]:
    standing, plan = one.standing, one.plan
    view: dict[str, Any] = {"sku": one.sku, "rev": standing.grant_rev}
    view |= _charge_view(standing.grant, currency)
    view["acknowledged"] = standing.is_acknowledged
    view["waits_for"] = _WAITS[one.waits]
    if one.waits is not Waits.NOBODY:
        view["since"] = one.since
        view["will_be"] = _charge_view(one.truth, currency)
        view["on_labels"] = _charge_view(standing.shelf, currency)
    if one.waits is Waits.LABELS:
        view["reason"] = f"{len(missing)} labels may still show a lower price"
        view["missing"] = len(missing)
        view["labels"] = list(missing[:LABELS_NAMED])
    elif one.waits is Waits.TILL:
        view["reason"] = "labels show it once the till has acknowledged it"
    if plan is not None:
        view["planned"] = {
            "rev": plan.rev,
            "from": plan.at,
            "acknowledged": plan.is_acked,
        } | _charge_view(plan.charge, currency)
    return view


def _charge_view(charge: Charge, currency: str) -> dict[str, Any]:
    return {
        "price": money(charge.price_minor, currency),
        "member_price": money(charge.member_minor, currency),
        "multibuys": [
            {"quantity": quantity, "total": money(total, currency)}
            for quantity, total in sorted(charge.multibuys.items())
        ],
    }
