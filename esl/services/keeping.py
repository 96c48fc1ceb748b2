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
        "label": "by labels",
        "label_heard": "by labels and the gateways that hear them",
        "pairing": "by labels and the products one may show",
        "staged": "by labels and their slots",
        "product": "by products",
        "product_gtin": "by products, some codes each",
        "price": "by products",
        "missing_product": "by products",
        "source_position": "by products and sources",
        "pos_promotion": "by products and promotions; over with its end, or when it is not listed",
        "big_change": "ten minutes of each source",
        "worker": "by workers; a dead one goes when another looks",
        # What people and programs set up by hand.
        "source": "by sources",
        "source_secret": "two of a kind of each source",
        "source_store": "by sources and stores",
        "connector": "by sources",
        "connector_want": "by objects of the shop; gone once it was fetched",
        "mqtt_session": "by controllers",
        "mapping_version": "by hand, a version a change",
        "template": "by hand, a version a change",
        "template_rule": "by hand",
        "picture": "by hand",
        "machine_token": "by hand",
    }
)
"""Tables that something else bounds: by what."""

PRUNED: Final[Mapping[str, str]] = MappingProxyType(
    {
        "answered_request": "`gateway.clock`, after a day",
        "person_session": "with the next sign-in, once they are over",
        "sign_in_link": "30 days after they are over",
        "command": "30 days after they are over",
        "flip": "30 days after they are over",
        "touch": "30 days",
        "hook_event": "14 days after they came, unless open",
        "mqtt_refused": "30 days, and 2,000 of them at most",
        "import_job": "`api.imports.worker`, 30 days after it ended",
        "import_row": "with its job",
        "import_store": "with its job",
        "seen_file": "400 days after it was seen, once it is gone",
        "scheduled_price": "90 days after it was said, once it is over",
        "problem": "90 days after it ended",
        "remove_task": "90 days after it was done",
        "frame": "90 days after it was last sent, unless something refers to it",
        "quarantine": "400 days after it came, once it is decided about",
        "batch": "400 days",
        "issued": "400 days, below what a label shows",
        "display_log": "400 days, but never a label's newest line",
        "failure_log": "400 days",
        "battery_sample": "400 days, but never a label's newest",
    }
)
"""Tables that grow: when their rows go. By `esl.services.retention`, where nothing else is said."""

FOR_GOOD: Final[Mapping[str, str]] = MappingProxyType(
    {
        "price_event": "what every price was, when and by whose word, is owed to the law",
        "past_price": "the same, from before our time",
        "audit_entry": "who did what; a chain with a hole proves nothing",
    }
)
"""Tables that grow with what happens, and are kept: why."""
