"""Which tables a backup holds: everything but what is said anew, or must not come back.

A test holds every table of the schema against these two lists: one that nobody decided about would
be missing on the day on which it is needed.
"""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from sqlalchemy import Connection, MetaData, Table

LEFT_OUT: Final[Mapping[str, str]] = MappingProxyType(
    {
        "alembic_version": "the manifest says it",
        "big_change": "the last ten minutes of each source",
        "current_place": "where somebody stood",
        "gateway_token": "one that was used since would work once more",
        "label_heard": "gateways say it anew",
        "mqtt_session": "what waits at the broker comes again, and is known by its sequence",
        "person_session": "one that was ended since would be open again",
        "sign_in_link": "one that was used since would work once more",
        "sign_in_throttle": "the last failures to sign in",
        "worker": "processes that live now",
    }
)
"""Tables that no backup holds: why."""

KEPT: Final = frozenset(
    """
    absent_label access_time answered_request audit_block audit_checkpoint audit_cut audit_entry
    audit_gap audit_part batch battery_sample broker_login client_secret command connector
    connector_want display_log event_delivery event_recorder failure_log flip forgotten_history
    former_pairing frame gateway group_store happening hook_event import_job import_row
    import_store inspection inspection_item installation issued label link_setting link_visit
    machine_client machine_token mapping_version missing_product mqtt_refused neutral_order
    notification notification_setting notified_cause offer pairing pairing_event
    paper_ticket past_price person person_identity person_role picture place_code pos_promotion
    price price_event
    price_zone problem product product_cost product_gtin promotion promotion_store
    promotion_version proposal proposal_rules published_payload quarantine remove_task
    revision_counter scheduled_price seen_file short_link source source_position source_secret
    source_store staged stock_told store store_group store_walk subscription template
    template_rule till_price till_setting touch waiting_label zone_change zone_position
    zone_price zone_store zone_task
    """.split()
)
"""Tables that every backup holds, idempotent answers and pictures sent among them."""


def tables_to_keep(tx: Connection) -> list[Table]:
    """Find the tables that a backup of this database holds, those that others refer to first.

    They are read from the database itself, which may be of an older schema than our own. One that
    neither list names is kept: too much harms less than too little.
    """
    found = MetaData()
    found.reflect(tx)
    return [table for table in found.sorted_tables if table.name not in LEFT_OUT]


def left_out_tables(tx: Connection) -> list[Table]:
    """Find the tables whose rows must not come back, those that refer to others first."""
    found = MetaData()
    found.reflect(tx)
    return [
        table
        for table in reversed(found.sorted_tables)
        if table.name in LEFT_OUT and table.name != "alembic_version"
    ]
