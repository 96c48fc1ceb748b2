"""The tables, and nothing else; those of deliveries come from `delivery_tables`.

Revisions (``rev``) are one sequence for the whole installation: PostgreSQL's ``esl_rev``, the
one row of ``revision_counter`` on SQLite. They order everything a label is told and never come
from a clock. Money is in minor units. Digests are 64 hex digits; "" is a label that shows
nothing of ours.
"""

from sqlalchemy import (
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    ForeignKey,
    Integer,
    LargeBinary,
    SmallInteger,
    String,
    Table,
    Text,
    text,
)

from esl.store import shelf_tables
from esl.store.access_tables import (
    client_secrets,
    machine_clients,
    machine_tokens,
    person_sessions,
    sign_in_links,
)
from esl.store.access_time_tables import access_times
from esl.store.broker_tables import broker_logins, gateway_tokens
from esl.store.chain_tables import (
    audit_blocks,
    audit_checkpoints,
    audit_cuts,
    audit_gaps,
    audit_parts,
    forgotten_history,
)
from esl.store.columns import UtcDateTime
from esl.store.command_tables import commands, flips
from esl.store.delivery_tables import (
    battery_samples,
    display_log,
    failure_log,
    frames,
    issued,
    label_heard,
    problems,
    published_payloads,
    remove_tasks,
    staged,
    touches,
    workers,
)
from esl.store.happening_tables import (
    event_recorder,
    happenings,
    notification_settings,
    notifications,
    notified_causes,
)
from esl.store.hook_tables import connector_wants, connectors, hook_events
from esl.store.inspection_tables import inspection_items, inspections
from esl.store.intake_tables import (
    audit_entries,
    batches,
    big_changes,
    import_jobs,
    import_rows,
    import_stores,
    mapping_versions,
    missing_products,
    past_prices,
    pos_promotions,
    product_gtins,
    quarantine,
    scheduled_prices,
    seen_files,
    source_secrets,
    source_stores,
    sources,
)
from esl.store.label_tables import REFUSED, STUCK, labels, pairings
from esl.store.mqtt_tables import mqtt_refused, mqtt_sessions
from esl.store.paper_tables import paper_tickets
from esl.store.person_tables import (
    people,
    person_identities,
    person_roles,
    sign_in_throttles,
)
from esl.store.price_tables import price_events, prices, products, source_positions
from esl.store.promotion_tables import (
    offers,
    promotion_stores,
    promotion_versions,
    promotions,
    waiting_labels,
)
from esl.store.proposal_tables import product_costs, proposal_rules, proposals
from esl.store.schema import REVISION_SEQUENCE, metadata
from esl.store.subscription_tables import event_deliveries, stock_told, subscriptions
from esl.store.till_tables import absent_labels, former_pairings, till_prices, till_settings
from esl.store.zone_tables import (
    group_stores,
    price_zones,
    store_groups,
    zone_changes,
    zone_positions,
    zone_prices,
    zone_stores,
    zone_tasks,
)

__all__ = [
    "REFUSED",
    "REVISION_SEQUENCE",
    "STUCK",
    "absent_labels",
    "access_times",
    "answered_requests",
    "audit_blocks",
    "audit_checkpoints",
    "audit_cuts",
    "audit_entries",
    "audit_gaps",
    "audit_parts",
    "batches",
    "battery_samples",
    "big_changes",
    "broker_logins",
    "client_secrets",
    "commands",
    "connector_wants",
    "connectors",
    "display_log",
    "event_deliveries",
    "event_recorder",
    "failure_log",
    "flips",
    "forgotten_history",
    "former_pairings",
    "frames",
    "gateway_tokens",
    "gateways",
    "group_stores",
    "happenings",
    "hook_events",
    "import_jobs",
    "import_rows",
    "import_stores",
    "inspection_items",
    "inspections",
    "installation",
    "issued",
    "label_heard",
    "labels",
    "machine_clients",
    "machine_tokens",
    "mapping_versions",
    "metadata",
    "missing_products",
    "mqtt_refused",
    "mqtt_sessions",
    "notification_settings",
    "notifications",
    "notified_causes",
    "offers",
    "pairings",
    "paper_tickets",
    "past_prices",
    "people",
    "person_identities",
    "person_roles",
    "person_sessions",
    "pictures",
    "pos_promotions",
    "price_events",
    "price_zones",
    "prices",
    "problems",
    "product_costs",
    "product_gtins",
    "products",
    "promotion_stores",
    "promotion_versions",
    "promotions",
    "proposal_rules",
    "proposals",
    "published_payloads",
    "quarantine",
    "remove_tasks",
    "revision_counter",
    "scheduled_prices",
    "seen_files",
    "shelf_tables",
    "sign_in_links",
    "sign_in_throttles",
    "source_positions",
    "source_secrets",
    "source_stores",
    "sources",
    "staged",
    "stock_told",
    "store_groups",
    "stores",
    "subscriptions",
    "template_rules",
    "templates",
    "till_prices",
    "till_settings",
    "touches",
    "waiting_labels",
    "workers",
    "zone_changes",
    "zone_positions",
    "zone_prices",
    "zone_stores",
    "zone_tasks",
]

installation = Table(
    "installation",
    metadata,
    Column("only_row", SmallInteger, CheckConstraint("only_row = 1", name="one"), primary_key=True),
    Column("created_at", UtcDateTime, nullable=False),
    Column("acted_until", UtcDateTime, nullable=False),  # high water of the effective clock
    Column("aged_until", UtcDateTime),  # up to where history has aged: `esl.services.ageing`
    Column("signing_key", String(16)),  # id of the key that a controller was started with last
    Column("backed_up_at", UtcDateTime),  # when it last backed itself up
    Column("backup_problem", String(300)),  # why it did not, in words; None: it did
    Column("certificate_problem", String(300)),  # of the HTTP server, in words; None: all is well
)

revision_counter = Table(
    "revision_counter",
    metadata,
    Column("only_row", SmallInteger, CheckConstraint("only_row = 1", name="one"), primary_key=True),
    Column("last_rev", BigInteger, nullable=False),
)

stores = Table(
    "store",
    metadata,
    Column("store_id", String(64), primary_key=True),
    Column("name", String(120), nullable=False),
    Column("currency", String(3), nullable=False),
    Column("locale", String(20), nullable=False),
    Column("timezone", String(64), nullable=False),
    Column("link_base", String(120)),  # host of the QR addresses; None is id.gs1.org
    # Of a hundred pictures, how many have their codes read back by a second decoder.
    Column("read_back_percent", SmallInteger, nullable=False, server_default="1"),
    Column("shop_link", String(200)),  # pattern of the QR addresses; None is the Digital Link
    # What becomes of a label that may show its price no longer, and of one that nobody knows.
    Column("neutral_policy", String(8), nullable=False, server_default="face"),  # or "task"
    Column("unknown_labels", String(8), nullable=False, server_default="ignore"),  # or "adopt"
    Column("adopt_until", UtcDateTime),  # unknown labels are taken in till then
    Column("policy_time_s", Integer, nullable=False, server_default="900"),  # till a verdict
    Column("guards", Text),  # JSON; None: the usual limits
    Column("frozen_at", UtcDateTime),  # nothing is sent to its labels since then
    Column("law", String(32)),  # name of a law profile; None is that of the locale's country
    Column("law_goods", Text),  # JSON: code of the law → the store's words for the category
    # After this SKU, tills' former prices are still judged by the law before; None: all are done.
    Column("judged_after", String(64)),
)

gateways = Table(
    "gateway",
    metadata,
    Column("gateway_id", String(64), primary_key=True),
    Column("store_id", ForeignKey("store.store_id"), nullable=False, index=True),
    Column("session", String(64), nullable=False, server_default=""),
    Column("online", Boolean, nullable=False, server_default=text("false")),
    Column("heard_at", UtcDateTime),
    # As wide as the wire lets a gateway say them (`gateway.wire.fields`): a longer word would
    # fail on PostgreSQL, and with it every report of the batch it came in.
    Column("level", String(64)),
    Column("firmware", String(64)),
    Column("capacity", BigInteger),
    Column("counter", BigInteger, nullable=False, server_default="0"),  # of signed payloads
    Column("leased_by", String(64)),  # the worker that speaks with it
    Column("leased_until", UtcDateTime),
    Column("lease_epoch", BigInteger, nullable=False, server_default="0"),  # rises with each holder
    Column("payload_bytes", BigInteger),  # the largest it takes; None: as the wire's default
    Column("features", Text),  # what else it said it can: JSON, a number to each name
    Column("clock_trusted", Boolean, nullable=False, server_default=text("true")),
    Column("enrolled_keys", String(40)),  # ids of the keys in its last enrolment file
    Column("enrolled_at", UtcDateTime),  # when it got its first; None: before this was noted
)

templates = Table(
    "template",
    metadata,
    Column("store_id", ForeignKey("store.store_id"), primary_key=True),
    Column("name", String(63), primary_key=True),
    Column("version", Integer, primary_key=True),  # the highest is the one in use
    Column("title", String(80), nullable=False),
    Column("text", Text),  # None: deleted; its number is never used again
    Column("digest", String(64), nullable=False),  # of its meaning, pictures included
    Column("pictures", Text, nullable=False),  # names, separated by blanks
    Column("saved_by", String(80), nullable=False),
    Column("saved_at", UtcDateTime, nullable=False),
)

template_rules = Table(
    "template_rule",
    metadata,
    Column("store_id", ForeignKey("store.store_id"), primary_key=True),
    Column("position", SmallInteger, primary_key=True),
    Column("template", String(63), nullable=False),
    Column("category", String(120)),
    Column("brand", String(80)),
    Column("panel", String(40)),
    Column("kind", String(16)),
    Column("stock", String(8)),
    Column("stock_most", Integer),
    Column("weighed", Boolean),
    Column("products", SmallInteger),
    Column("note", String(200)),
)

pictures = Table(
    "picture",
    metadata,
    Column("store_id", ForeignKey("store.store_id"), primary_key=True),
    Column("name", String(63), primary_key=True),
    Column("digest", String(64), nullable=False),
    Column("png", LargeBinary, nullable=False),
    Column("width_px", Integer, nullable=False),
    Column("height_px", Integer, nullable=False),
    Column("saved_by", String(80), nullable=False),
    Column("saved_at", UtcDateTime, nullable=False),
)

answered_requests = Table(
    "answered_request",
    metadata,
    Column("principal", String(80), primary_key=True),
    Column("idempotency_key", String(200), primary_key=True),
    Column("request_sha256", String(64), nullable=False),
    Column("status", SmallInteger, nullable=False),
    Column("answer", Text, nullable=False),
    Column("answered_at", UtcDateTime, nullable=False, index=True),
)
