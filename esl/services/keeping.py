"""What becomes of each table in the long run: it cannot grow, or is pruned, or is kept for good.

Every table stands here, and a test says so: one that nobody thought of would fill a shop's disk
in three years' time.
"""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

BOUNDED: Final[Mapping[str, str]] = MappingProxyType(
    {
        "alembic_version": "one row",
        "installation": "one row",
        "revision_counter": "one row",
        # Things of the shop: a row each, for as long as it is there.
        "store": "by shops",
        "gateway": "by gateways",
        "gateway_token": "by gateways, one each",
        "broker_login": "by gateways, and the sources that speak MQTT",
        "label": "by labels",
        "label_heard": "by labels and the gateways that hear them",
        "neutral_order": "by shops, while one shows no prices",
        "pairing": "by labels and the products one may show",
        "staged": "by labels and their slots",
        "place_code": "by shelves",
        "current_place": "by shops and the people who pair labels there",
        "store_walk": "by shops",
        "short_link": "by products that ever had a label: an address in a QR code stays",
        "link_setting": "by shops",
        "product": "by products",
        "product_gtin": "by products, some codes each",
        "price": "by products",
        "missing_product": "by products",
        "source_position": "by products and sources",
        "pos_promotion": "by products and promotions; over with its end, or when it is not listed",
        "big_change": "ten minutes of each source",
        "offer": "by products that a promotion runs for",
        "waiting_label": "by labels, while a promotion is rolled out",
        "till_price": "by products of stores whose tills are told",
        "former_pairing": "by labels; gone once it shows another thing, or hangs no more",
        "absent_label": "by labels, until each speaks for a product again",
        "stock_told": "by subscriptions and products, while one is low or out",
        "forgotten_history": "two rows, one for prices and one for the audit",
        "worker": "by workers; a dead one goes when another looks",
        # What people and programs set up by hand.
        "till_setting": "by shops",
        "subscription": "by hand",
        "event_recorder": "one row",
        "notification_setting": "by shops",
        "notified_cause": "by recipients and causes, 100 each at most; gone once it is over",
        "proposal_rules": "by shops",
        "store_group": "by hand",
        "group_store": "by groups and their shops",
        "price_zone": "by hand",
        "zone_store": "by shops",
        "zone_price": "by zones and the products of which one says a price",
        "zone_position": "by zones, products and sources",
        "product_cost": "by products",
        "source": "by sources",
        "source_secret": "two of a kind of each source",
        "source_store": "by sources and stores",
        "connector": "by sources",
        "connector_want": "by objects of the shop; gone once it was fetched",
        "mqtt_session": "by controllers",
        "mapping_version": "by hand, a version a change",
        "promotion": "by hand",
        "promotion_version": "by hand, a version a change",
        "promotion_store": "by promotions and stores",
        "template": "by hand, a version a change",
        "template_rule": "by hand",
        "picture": "by hand",
        "machine_token": "by hand",
        "machine_client": "by hand",
        "client_secret": "two of each client, and those revoked since the last was made",
        "access_time": "by tokens and secrets ever made",
        "person": "by hand",
        "person_role": "by people and stores",
        "person_identity": "by people who ever signed in by a provider: who was erased stays out",
    }
)
"""Tables that something else bounds: by what."""

PRUNED: Final[Mapping[str, str]] = MappingProxyType(
    {
        "answered_request": "`gateway.clock`, after a day",
        "person_session": "with the next sign-in, once they are over",
        "sign_in_throttle": "with the next sign-in, a day after the last failure",
        "sign_in_link": "30 days after they are over",
        "command": "30 days after they are over",
        "flip": "30 days after they are over",
        "touch": "30 days",
        "pairing_event": "400 days",
        "link_visit": "400 days",
        "hook_event": "14 days after they came, unless open",
        "event_delivery": "14 days unless open; 300 of each subscription at most",
        "happening": "30 days",
        "notification": "30 days unless open; an open one ends after three days",
        "mqtt_refused": "30 days, and 2,000 of them at most",
        "import_job": "`api.imports.worker`, 30 days after it ended",
        "import_row": "with its job",
        "import_store": "with its job",
        "seen_file": "400 days after it was seen, once it is gone",
        "scheduled_price": "90 days after it was said, once it is over",
        "problem": "90 days after it ended",
        "paper_ticket": "90 days after it is gone; one that hangs for each label at most",
        "inspection": "400 days",
        "inspection_item": "with its inspection",
        "remove_task": "90 days after it was done",
        "frame": "90 days after it was last sent, unless something refers to it",
        "proposal": "90 days after it came, unless it became a price: its reason is owed as well",
        "quarantine": "400 days after it came, once it is decided about",
        "zone_change": "400 days, once all of its stores were told",
        "zone_task": "with its change",
        "price_event": "by `prices_kept_days`, but never what held then",
        "audit_entry": "by `audit_kept_days`",
        "audit_block": "400 days, once all that it sealed is gone: a signed cut stands for it",
        "audit_part": "with its block; the hashes of what is pruned go before",
        "audit_checkpoint": "with the blocks around it, but for those at their ends",
        "audit_cut": "two that touch become one; so there are at most as many as blocks are left",
        "audit_gap": "an hour after it was seen, with the next block",
        "batch": "400 days",
        "issued": "400 days, below what a label showed then",
        "published_payload": "400 days",
        "display_log": "400 days, but never what a label showed then, or shows",
        "failure_log": "400 days; after 30, those of a label that has failed 100 times since",
        "battery_sample": "400 days, but never a label's newest",
    }
)
"""Tables that grow: when their rows go. By `esl.services.retention`, where nothing else is said."""

FOR_GOOD: Final[Mapping[str, str]] = MappingProxyType(
    {"past_price": "what prices were before our time: it grows when a person imports it"}
)
"""Tables that grow with what happens, and are kept: why."""
