"""What else is written down on a shop's day: calls, jobs, sign-ins, messages, people at work.

Each is written as the product writes it, by the functions of `esl.store` and `esl.services` that
its doors call. `OFTEN` says how often; prices, labels and the audit chain are the shop's own.
"""

from collections.abc import Mapping
from datetime import datetime, timedelta
from hashlib import sha256
from types import MappingProxyType
from typing import Final

from sqlalchemy import Connection

from esl.domain.ids import LabelId, Sku, SourceId
from esl.domain.import_job import ImportCounts, ImportJob, ImportMode, ImportState, ReportLine
from esl.domain.mqtt_in import InMessage, Refusal
from esl.domain.person import PersonId
from esl.domain.seen_file import FileState, Outcome, ResultState, SeenFile
from esl.domain.staged import CommandState
from esl.domain.subscription import EventType, SubscriptionPut
from esl.domain.touch import Touch, TouchKind
from esl.services import signing_in, subscriptions
from esl.store import (
    answers,
    audit,
    commands,
    event_deliveries,
    failures,
    hook_inbox,
    import_jobs,
    mqtt_in,
    notifications,
    seen_files,
    short_links,
    touches,
)
from tests.builders import GATEWAY, STORE, label_id

OFTEN: Final[Mapping[str, int]] = MappingProxyType(
    {
        "calls with an idempotency key": 60,
        "calls of web shops": 20,
        "messages to subscriptions": 20,
        "messages to people": 4,
        "refused messages": 3,
        "sign-ins": 10,
        "wrong passwords": 2,
        "labels touched": 15,
        "labels looked for by light": 10,
        "codes followed": 50,
        "files imported": 2,
        "rows of them that are noted": 40,
        "failed updates": 3,
        "decisions of people": 20,
    }
)
"""Of each so many a day."""

_SUBSCRIPTION: Final = "stock-office"
_SOURCE: Final = SourceId("office")


def begin_books(tx: Connection, now: datetime) -> None:
    """Set up once what a day's writing refers to."""
    put = SubscriptionPut(
        subscription_id=_SUBSCRIPTION,
        store_id=STORE,
        url="https://office.example/events",
        events=frozenset({EventType.LABEL_PROBLEM}),
    )
    subscriptions.put_subscription(tx, put, now, actor="tests", sealed=b"sealed")
    short_links.give_codes(tx, STORE)


def write_day(tx: Connection, day: int, now: datetime, *, labels: int) -> None:
    """Write down what happened on a day, apart from prices."""
    _calls(tx, day, now)
    _messages(tx, day, now)
    _sign_ins(tx, day, now)
    _at_the_shelf(tx, day, now, labels=labels)
    _files(tx, day, now)
    for n in range(OFTEN["decisions of people"]):
        person = f"person:p-{n % 8}"
        audit.note(tx, now, actor=person, action="guards", subject=f"guards/{n}", reason="a sale")


def _times(what: str) -> range:
    return range(OFTEN[what])


def _calls(tx: Connection, day: int, now: datetime) -> None:
    for n in _times("calls with an idempotency key"):
        one = answers.StoredAnswer(
            request_sha256=_digest(f"request {day} {n}"), status=200, answer=b'{"accepted":1}'
        )
        answers.store_answer(tx, "token:till", f"key-{day}-{n}", one, now)
    for n in _times("calls of web shops"):
        call = hook_inbox.NewHookEvent(
            source="shop",
            event_id=f"{day}-{n}",
            system="shopify",
            topic="products/update",
            body=_digest(f"{day} {n}").encode() * 20,
        )
        hook_inbox.add_event(tx, call, now)
    for event in hook_inbox.claim_events(tx, now, again=now + timedelta(minutes=5), limit=1000):
        hook_inbox.end_event(tx, event, hook_inbox.HookState.DONE, now)


def _messages(tx: Connection, day: int, now: datetime) -> None:
    for n in _times("messages to subscriptions"):
        body = f'{{"type":"label.problem","day":{day},"n":{n}}}'.encode() * 8
        number = event_deliveries.put_delivery(
            tx, _SUBSCRIPTION, message_id=f"msg-{day}-{n}", body=body, events=8, now=now
        )
        event_deliveries.note_attempt(tx, number, now, status=204, error=None)
    for n in _times("messages to people"):
        number = notifications.put_message(
            tx,
            STORE,
            "ana",
            now,
            message_id=f"<{day}-{n}@esl>",
            subject="8 labels do not show their price",
            body="label-0001: no answer for three days\n" * 8,
        )
        notifications.note_sent(tx, number, now)
    for n in _times("refused messages"):
        message = InMessage(topic="esl/v1/in/till/prices", payload=f"{{no json {day} {n}".encode())
        mqtt_in.refuse(tx, message, Refusal.UNREADABLE, "it is no JSON", now)


def _sign_ins(tx: Connection, day: int, now: datetime) -> None:
    for n in _times("sign-ins"):
        attempt = signing_in.charge(tx, name=f"p-{n}", address=f"10.0.0.{n + 1}", now=now)
        signing_in.settle(tx, attempt, now)
        signing_in.begin_session(
            tx, PersonId(f"p-{n}"), session_secret=f"{day} {n}", about="a phone", now=now
        )
    for n in _times("wrong passwords"):
        signing_in.charge(tx, name=f"wrong-{day}-{n}", address=f"10.1.{n}.{day % 250}", now=now)


def _at_the_shelf(tx: Connection, day: int, now: datetime, *, labels: int) -> None:
    def a_label(n: int) -> LabelId:
        return label_id((day * 131 + n * 17) % labels)

    touched = [
        Touch(
            label_id=one,
            store_id=STORE,
            gateway_id=GATEWAY,
            kind=TouchKind.PRESSED,
            button=0,
            at=now,
        )
        for one in sorted({a_label(n) for n in _times("labels touched")})
    ]
    touches.add_touches(tx, touched, now)
    asked = [
        commands.NewCommand(
            store_id=STORE, gateway_id=GATEWAY, kind="find", body=b"\x81" * 60, expires_at=now
        )
        for _ in _times("labels looked for by light")
    ]
    keys = commands.add_commands(tx, asked, now)
    commands.end_commands(tx, [(key, CommandState.ACCEPTED, "") for key in keys])
    short_links.count_visits(
        tx,
        {
            (link.code, now.date()): 1
            for link in short_links.links_of_store(
                tx, STORE, after=f"sku-{day % labels}", limit=OFTEN["codes followed"]
            )
        },
    )
    failed = [(a_label(-n - 1), day + 1, "timeout", "no answer") for n in _times("failed updates")]
    failures.log_failures(tx, failed, now)


def _files(tx: Connection, day: int, now: datetime) -> None:
    for n in _times("files imported"):
        job_id = _digest(f"job {day} {n}")[:32]
        job = ImportJob(
            job_id=job_id,
            source=_SOURCE,
            store_id=STORE,
            state=ImportState.QUEUED,
            mode=ImportMode.DELTA,
            dry_run=False,
            title="prices.csv",
            path="prices.csv",
            sha256=_digest(job_id),
            size_bytes=80_000,
            mapping="prices",
            mapping_version=1,
            batch_id=None,
            cursor=0,
            rows=0,
            counts=ImportCounts(),
            detail=None,
            actor="token:office",
            created_at=now,
            began_at=None,
            ended_at=None,
        )
        import_jobs.add_job(tx, job)
        import_jobs.begin_job(tx, job, now, batch_id=None)
        lines = [
            ReportLine(
                row=k,
                store_id=STORE,
                sku=Sku(f"sku-{k}"),
                decision="rejected",
                field="price",
                reason="too many decimals for EUR",
                rev=None,
                fix="Write 1.29.",
            )
            for k in _times("rows of them that are noted")
        ]
        import_jobs.add_lines(tx, job_id, lines, first=1)
        import_jobs.add_store_counts(tx, job_id, {STORE: ImportCounts()})
        import_jobs.end_job(tx, job_id, ImportState.DONE, now)
        file = SeenFile(
            number=0,
            source=_SOURCE,
            instance=_digest(f"instance {day} {n}")[:32],
            sha256=_digest(job_id),
            name=f"prices-{day}-{n}.csv",
            size_bytes=80_000,
            modified_ns=day,
            state=FileState.TAKEN,
            outcome=Outcome.DONE,
            job_id=job_id,
            result=ResultState.NONE,
            seen_at=now,
        )
        kept = seen_files.add_file(tx, file)
        if kept is not None:
            seen_files.update_file(tx, kept.number, state=FileState.GONE.value)


def _digest(text: str) -> str:
    return sha256(text.encode()).hexdigest()
