"""Short links of a store: how they look, where each leads, and the same as a web server reads it.

::

    code ─▶ the product's own target ─▶ its link of the till ─▶ the store's rule ─▶ nowhere
            each only if its host is on the store's list of that moment
"""

import csv
import io
from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import datetime
from enum import StrEnum

from sqlalchemy import Connection

from esl.domain.errors import Conflict, InvalidInput, NotFound
from esl.domain.ids import LabelId, Sku, StoreId
from esl.domain.label import Lane
from esl.domain.shop_link import check_shop_pattern, shop_link
from esl.domain.short_link import PATH, LinkSetting, check_target, leads_to_a_host_of
from esl.store import audit, labels, places, short_links
from esl.store.revisions import take_revision
from esl.store.short_links import ShortLink

_EXAMPLE = "0" * 14


def put_setting(
    tx: Connection, store_id: StoreId, setting: LinkSetting, now: datetime, *, actor: str
) -> tuple[LabelId, ...]:
    """Say how a store's short links look and where they may lead; return labels that change.

    None changes but where faces begin or end to say short links, or say them on another host.

    Raises:
        InvalidInput: The rule leads elsewhere than to the hosts of the list.
    """
    places.lock_store(tx, store_id, to_change=True)
    check_rule(setting, store_id)
    before = short_links.setting_of(tx, store_id)
    short_links.put_setting(tx, store_id, setting)
    short_links.give_codes(tx, store_id)
    audit.note(
        tx,
        now,
        actor=actor,
        action="short_links",
        subject=f"store/{store_id}",
        store_id=store_id,
        detail={
            "base": setting.base,
            "hosts": list(setting.hosts),
            "rule": setting.rule,
            "in_faces": setting.in_faces,
        },
    )
    if _prefix(before) == _prefix(setting):
        return ()
    touched = short_links.labels_of_links(tx, store_id)
    if touched:
        labels.lock_labels(tx, store_id, touched)
        labels.want(tx, touched, take_revision(tx), now, lane=Lane.NORMAL)
    return tuple(touched)


def check_rule(setting: LinkSetting, store_id: StoreId) -> None:
    """Make sure that a store's rule leads to a host of its list.

    Raises:
        InvalidInput: It does not, or is no pattern, or asks for a label.
    """
    check_shop_pattern(setting.rule, store=store_id, path="/rule")
    if "{label}" in setting.rule:
        raise InvalidInput.at(
            "/rule", "asks for {label}", fix="A short link is a product's: use {store}, {sku}."
        )
    filled = shop_link(setting.rule, store=store_id, label="", sku="1", gtin=_EXAMPLE)
    if filled is None or not leads_to_a_host_of(filled, setting.hosts):
        raise InvalidInput.at(
            "/rule",
            "does not lead to a host of the list by https",
            fix="Begin it with https:// and one of hosts.",
        )


def set_target(
    tx: Connection,
    store_id: StoreId,
    sku: Sku,
    target: str | None,
    now: datetime,
    *,
    actor: str,
) -> ShortLink:
    """Let a product's short link lead elsewhere; no label changes by it.

    Raises:
        NotFound: The store has no such product.
        Conflict: The store has no short links.
        InvalidInput: The target is not on the store's list of hosts.
    """
    places.lock_store(tx, store_id)
    setting = short_links.setting_of(tx, store_id)
    if setting is None:
        raise Conflict("the store has no short links; set them up with PUT …/short-links")
    before = short_links.link_of(tx, store_id, sku)
    if before is None:
        if short_links.is_product(tx, store_id, sku):
            short_links.give_codes(tx, store_id, [sku])
        before = link_of(tx, store_id, sku)
    if target is not None:
        check_target(target, "/target", hosts=setting.hosts)
    if before.target != target:
        short_links.set_target(tx, store_id, sku, target)
        audit.note(
            tx,
            now,
            actor=actor,
            action="short_link_target",
            subject=f"short-link/{before.code}",
            store_id=store_id,
            detail={"sku": sku, "before": before.target, "after": target},
        )
    return replace(before, target=target)


def link_of(tx: Connection, store_id: StoreId, sku: Sku) -> ShortLink:
    """Return a product's short link.

    Raises:
        NotFound: It has none: no label has spoken for it, or there is no such product.
    """
    found = short_links.link_of(tx, store_id, sku)
    if found is None:
        raise NotFound(f"the product {sku!r} has no short link")
    return found


def leads_to(link: ShortLink, setting: LinkSetting) -> str | None:
    """Say where a short link leads by a store's setting; None: nowhere."""
    by_rule = shop_link(setting.rule, store=link.store_id, label="", sku=link.sku, gtin=link.gtin)
    for address in (link.target, link.own_link, by_rule):
        if address is not None and leads_to_a_host_of(address, setting.hosts):
            return address
    return None


class Export(StrEnum):
    """Whose form a store's redirects are written in."""

    NGINX = "nginx"
    APACHE = "apache"
    NETLIFY = "netlify"
    CSV = "csv"


def write_redirects(
    links: Sequence[ShortLink], setting: LinkSetting, form: Export
) -> Iterator[str]:
    """Write where codes lead, a line each; those that lead nowhere are left out."""
    if form is Export.CSV:
        yield "address,target,sku\n"
    if form is Export.NGINX:
        yield "map $uri $esl_target {\n"
    for link in links:
        target = leads_to(link, setting)
        if target is None:
            continue
        match form:
            case Export.NGINX:
                yield f'    {PATH}{link.code} "{target.replace("$", "%24")}";\n'
            case Export.APACHE:
                yield f"{link.code} {target}\n"
            case Export.NETLIFY:
                yield f"{PATH}{link.code} {target.replace('/:', '/%3A')} 302\n"
            case Export.CSV:
                yield _csv_line(f"{setting.base}{PATH}{link.code}", target, link.sku)
    if form is Export.NGINX:
        yield "}\n"


def _csv_line(*cells: str) -> str:
    out = io.StringIO()
    # A spreadsheet takes what begins so for a formula; a SKU may.
    safe = [f"'{cell}" if cell.startswith(("=", "+", "-", "@")) else cell for cell in cells]
    csv.writer(out, lineterminator="\n").writerow(safe)
    return out.getvalue()


def _prefix(setting: LinkSetting | None) -> str | None:
    return setting.base if setting is not None and setting.in_faces else None
