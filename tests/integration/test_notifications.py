"""People are told: one message for one cause, by mail and chat, through nights and restarts."""

import json
import threading
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from email import message_from_bytes, policy
from email.message import EmailMessage
from pathlib import Path
from typing import Any

import pytest
from aiosmtpd.controller import Controller as MailController
from aiosmtpd.smtp import Envelope
from sqlalchemy import Connection, insert, update

from api.books import Books
from api.listeners import notifier as notifier_module
from api.listeners.notifier import Notifier, seal_secrets
from api.stage_clock import StageClock
from esl.domain.clock import EffectiveClock
from esl.domain.problem import ProblemKind
from esl.intake.notification_json import parse_settings, settings_view
from esl.services.problems import find_problems
from esl.store import notifications as rows
from esl.store.database import Database
from esl.store.tables import problems
from tests.builders import (
    GATEWAY,
    NOON,
    STORE,
    SimulatedClock,
    build_shelf,
    label_id,
    running_writer,
)
from tests.receiver import Receiver, running_receiver
from tests.services import free_port

LABELS = 20
PASSWORD = "s3cret"


@dataclass
class Mailbox:
    """A mail server on loopback: what it took, and what it answers."""

    port: int
    answer: str = "250 taken"
    got: list[tuple[str, EmailMessage]] = field(default_factory=list)

    async def handle_DATA(self, _server: Any, _session: Any, envelope: Envelope) -> str:  # noqa: N802
        if self.answer.startswith("250"):
            assert isinstance(envelope.content, bytes)
            mail = message_from_bytes(envelope.content, policy=policy.default)
            assert isinstance(mail, EmailMessage)
            self.got.append((envelope.rcpt_tos[0], mail))
        return self.answer

    def texts(self) -> list[str]:
        found = [f"{mail['Subject']}\n{mail.get_content()}" for _, mail in self.got]
        return [text.replace("\r\n", "\n") for text in found]


@pytest.fixture
def mailbox() -> Iterator[Mailbox]:
    box = Mailbox(free_port())
    server = MailController(box, hostname="127.0.0.1", port=box.port)
    server.start()
    yield box
    server.stop()


@pytest.fixture
def chat() -> Iterator[Receiver]:
    with running_receiver("/hook?key=1") as opened:
        yield opened


class Telling:
    """A store whose people are told by a notifier that is stepped by hand."""

    def __init__(self, books: Books, machine: SimulatedClock, folder: Path) -> None:
        self.books = books
        self.machine = machine
        self.folder = folder
        self.start()

    def start(self) -> None:
        """Begin anew, as a controller that was killed does."""
        self.notifier = Notifier(self.books, self.folder)

    def settle(self, recipients: Sequence[dict[str, Any]], **more: Any) -> None:
        value = {"recipients": list(recipients), "allow_private": True} | more
        settings, secrets = parse_settings(value)
        sealed = seal_secrets(self.folder, STORE, secrets)
        now = self.books.clock.now()

        def put(tx: Connection) -> None:
            rows.put_settings(tx, STORE, settings_view(settings), sealed, now, by="t")
            rows.keep_recipients(tx, STORE, [one.name for one in settings.recipients])

        self.books.writer.write(put)

    def wrong(self, kind: ProblemKind, *subjects: str) -> None:
        row = {"store_id": STORE, "kind": kind.value, "since": self.books.clock.now()}
        row |= {"reason": "It was so.", "what_to_do": "Mend it."}
        some = [row | {"subject": subject} for subject in subjects]
        self.books.writer.write(lambda tx: tx.execute(insert(problems), some))

    def well(self, kind: ProblemKind) -> None:
        ended = update(problems).where(problems.c.kind == kind.value)
        ended = ended.values(until=self.books.clock.now())
        self.books.writer.write(lambda tx: tx.execute(ended))

    def later(self, **by: float) -> int:
        """Let time pass, and look."""
        self.machine.pass_s(timedelta(**by).total_seconds())
        return self.notifier.step()

    def step(self) -> int:
        return self.notifier.step()


@pytest.fixture
def telling(either_database: Database, tmp_path: Path) -> Iterator[Telling]:
    with either_database.writing.begin() as tx:
        build_shelf(tx, labels_count=LABELS)
    (tmp_path / "keys").mkdir()
    machine = SimulatedClock()
    with running_writer(either_database, machine) as writer:
        clock = EffectiveClock(machine)
        books = Books(database=either_database, writer=writer, clock=clock, stages=StageClock())
        yield Telling(books, machine, tmp_path)


def mail(box: Mailbox, **more: Any) -> dict[str, Any]:
    server = {"host": "127.0.0.1", "port": box.port, "security": "none", "from": "esl@shop.example"}
    return server | more


ANA = {"name": "ana", "channel": "mail", "to": "ana@shop.example"}


def test_five_hundred_failures_are_one_message_and_worse_is_another(
    telling: Telling, mailbox: Mailbox
) -> None:
    telling.settle([ANA], mail=mail(mailbox))
    assert telling.step() == 0
    telling.wrong(ProblemKind.NOT_SHOWN, *(f"x-{n}" for n in range(500)))
    assert telling.step() == 1
    [text] = mailbox.texts()
    assert "not shown: 500" in text
    assert "Mend it." in text
    assert mailbox.got[0][0] == "ana@shop.example"
    telling.wrong(ProblemKind.NOT_SHOWN, *(f"y-{n}" for n in range(400)))
    assert telling.later(minutes=20) == 0, "900 is not twice as bad"
    telling.wrong(ProblemKind.NOT_SHOWN, *(f"z-{n}" for n in range(200)))
    assert telling.later(seconds=5) == 1
    assert "Worse\n- not shown: 1100" in mailbox.texts()[1]
    telling.well(ProblemKind.NOT_SHOWN)
    assert telling.step() == 0, "it may come back at once"
    assert telling.later(minutes=3) == 1
    assert "not shown is over" in mailbox.texts()[2]
    assert telling.later(hours=1) == 0


def test_a_lost_gateway_with_all_its_labels_is_one_message(
    telling: Telling, mailbox: Mailbox
) -> None:
    telling.settle([ANA], mail=mail(mailbox))
    telling.wrong(ProblemKind.GATEWAY_AWAY, GATEWAY)
    telling.wrong(ProblemKind.LATE, *(label_id(n) for n in range(LABELS)))
    assert telling.step() == 1
    [text] = mailbox.texts()
    assert f"gateway away: {GATEWAY}" in text
    assert f"{LABELS} problems of its labels wait for it" in text
    assert "late" not in text
    assert telling.later(hours=1) == 0
    telling.well(ProblemKind.GATEWAY_AWAY)
    telling.well(ProblemKind.LATE)
    telling.step()
    telling.wrong(ProblemKind.GATEWAY_AWAY, GATEWAY)
    assert telling.later(minutes=1) == 0, "it came and went: that is no news"
    telling.well(ProblemKind.GATEWAY_AWAY)
    telling.step()
    assert telling.later(minutes=3) == 1
    assert "is over" in mailbox.texts()[1]


def test_nothing_is_lost_or_doubled_by_a_restart_or_by_two_processes(
    telling: Telling, mailbox: Mailbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    telling.settle([ANA], mail=mail(mailbox))
    telling.wrong(ProblemKind.GATEWAY_AWAY, GATEWAY)
    others = [telling.notifier, Notifier(telling.books, telling.folder)]
    looking = [threading.Thread(target=one.find_news) for one in others]
    for thread in looking:
        thread.start()
    for thread in looking:
        thread.join()
    with telling.books.database.read() as tx:
        assert len(rows.list_messages(tx, STORE, limit=9)) == 1

    def die(*_: Any) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr(notifier_module, "send_mail", die)
        with pytest.raises(KeyboardInterrupt):
            telling.step()
    telling.start()
    assert telling.step() == 0, "whoever claimed it may be sending it"
    telling.machine.pass_s(notifier_module.CLAIMED_FOR.total_seconds() + 1)
    assert telling.step() == 1
    assert len(mailbox.got) == 1


def test_quiet_hours_hold_messages_back_and_forget_what_is_over_by_morning(
    telling: Telling, mailbox: Mailbox, chat: Receiver
) -> None:
    night = {"name": "night", "channel": "chat", "url": chat.url, "quiet": False}
    # It is noon in UTC, 13:00 in Zagreb.
    quiet = {"from": "12:30", "to": "06:00"}
    telling.settle([ANA, night], mail=mail(mailbox), quiet_hours=quiet)
    telling.wrong(ProblemKind.GATEWAY_AWAY, GATEWAY)
    telling.wrong(ProblemKind.BATTERY_LOW, label_id(1))
    assert telling.step() == 1
    assert mailbox.got == []
    telling.well(ProblemKind.GATEWAY_AWAY)
    telling.later(hours=10)
    assert mailbox.got == []
    telling.later(hours=7, minutes=10)
    [text] = mailbox.texts()
    assert "battery low" in text
    assert "gateway" not in text


def test_a_digest_comes_once_a_day_at_its_hour(telling: Telling, mailbox: Mailbox) -> None:
    telling.settle(
        [ANA | {"digest": True, "problems": ["late"]}], mail=mail(mailbox), digest_at="14:00"
    )
    assert telling.later(minutes=59) == 0
    assert telling.later(minutes=2) == 1
    assert "all is well" in mailbox.texts()[0]
    assert telling.later(hours=20) == 0
    telling.wrong(ProblemKind.LATE, "x-1", "x-2")
    telling.step()
    assert telling.later(hours=5) == 1
    assert "2 open problems" in mailbox.texts()[-1]


def test_each_hears_of_what_it_asked_for(telling: Telling, mailbox: Mailbox) -> None:
    ben = {"name": "ben", "channel": "mail", "to": "ben@shop.example", "problems": ["late"]}
    telling.settle([ANA | {"problems": ["gateway_away"]}, ben], mail=mail(mailbox))
    telling.wrong(ProblemKind.LATE, "x-1")
    assert telling.step() == 1
    assert [to for to, _ in mailbox.got] == ["ben@shop.example"]


@pytest.mark.asvs("16.5.2")
def test_a_server_that_fails_is_tried_again_with_the_same_id_and_is_a_problem(
    telling: Telling, mailbox: Mailbox
) -> None:
    telling.settle([ANA], mail=mail(mailbox))
    mailbox.answer = "451 not now"
    telling.wrong(ProblemKind.GATEWAY_AWAY, GATEWAY)
    for _ in range(4):
        assert telling.step() == 0
        telling.machine.pass_s(200)
    with telling.books.database.read() as tx:
        [message] = rows.list_messages(tx, STORE, limit=9)
        assert message.error is not None
        assert "451" in message.error
        found = find_problems(
            tx, STORE, telling.books.clock.now(), online=set(), silent_after=timedelta(days=9)
        )
    [finding] = [one for one in found if one.kind is ProblemKind.NOTIFY_FAILS]
    assert "451" in finding.reason
    telling.wrong(ProblemKind.NOTIFY_FAILS, finding.subject)
    telling.notifier.find_news()
    with telling.books.database.read() as tx:
        assert len(rows.list_messages(tx, STORE, limit=9)) == 1, "it is not told that it is deaf"
    mailbox.answer = "250 taken"
    assert telling.later(hours=1) == 1
    assert mailbox.got[0][1]["Message-ID"] == f"<{message.message_id}@shop.example>"


def test_a_message_is_given_up_after_three_days(telling: Telling) -> None:
    closed = Mailbox(free_port())
    telling.settle([ANA], mail=mail(closed))
    telling.wrong(ProblemKind.GATEWAY_AWAY, GATEWAY)
    telling.step()
    for _ in range(25):
        telling.later(hours=3)
    with telling.books.database.read() as tx:
        [message] = rows.list_messages(tx, STORE, limit=9)
    assert message.state.value == "failed"
    assert message.attempts > 10
    old = NOON + timedelta(days=40)
    assert telling.books.writer.write(lambda tx: rows.forget_messages(tx, old, most=9)) == 1


def test_chats_get_what_they_can_read(telling: Telling, chat: Receiver) -> None:
    texts: dict[str, Any] = {
        "chat": lambda body: body["text"],
        "mattermost": lambda body: body["text"],
        "slack": lambda body: body["text"],
        "teams": lambda body: body["attachments"][0]["content"]["body"][1]["text"],
    }
    url = chat.url.partition("?")[0]
    telling.settle([{"name": name, "channel": name, "url": f"{url}?to={name}"} for name in texts])
    telling.wrong(ProblemKind.GATEWAY_AWAY, GATEWAY)
    assert telling.step() == len(texts)
    assert {got.path for got in chat.got} == {f"/hook?to={name}" for name in texts}
    for got in chat.got:
        assert GATEWAY in texts[got.path.partition("=")[2]](json.loads(got.body))
        assert got.headers["webhook-id"].startswith("msg_")


def test_a_private_address_is_only_spoken_to_where_that_was_allowed(
    telling: Telling, mailbox: Mailbox, chat: Receiver
) -> None:
    url = chat.url.replace("http://", "https://")
    ops = {"name": "ops", "channel": "slack", "url": url}
    telling.settle([ANA, ops], mail=mail(mailbox), allow_private=False)
    telling.wrong(ProblemKind.GATEWAY_AWAY, GATEWAY)
    assert telling.step() == 0
    assert mailbox.got == chat.got == []
    with telling.books.database.read() as tx:
        errors = [one.error for one in rows.list_messages(tx, STORE, limit=9)]
    assert all(error is not None and "private address" in error for error in errors)


def test_a_mail_server_without_tls_gets_no_password_and_no_mail(
    telling: Telling, mailbox: Mailbox
) -> None:
    server = mail(mailbox, security="starttls", login="esl", password=PASSWORD)
    telling.settle([ANA], mail=server)
    telling.wrong(ProblemKind.GATEWAY_AWAY, GATEWAY)
    assert telling.step() == 0
    with telling.books.database.read() as tx:
        [message] = rows.list_messages(tx, STORE, limit=9)
    assert message.error is not None
    assert "STARTTLS" in message.error
    assert mailbox.got == []


def test_a_recipient_that_is_no_more_gets_nothing_more(telling: Telling, mailbox: Mailbox) -> None:
    telling.settle([ANA], mail=mail(mailbox))
    telling.wrong(ProblemKind.GATEWAY_AWAY, GATEWAY)
    telling.notifier.find_news()
    telling.settle([])
    assert telling.step() == 0
    with telling.books.database.read() as tx:
        assert [one.state.value for one in rows.list_messages(tx, STORE, limit=9)] == ["dropped"]
        assert not rows.messages_in_vain(tx, STORE, attempts=1)


def test_the_secrets_are_sealed(telling: Telling, chat: Receiver, mailbox: Mailbox) -> None:
    server = mail(mailbox, security="tls", login="esl", password=PASSWORD)
    telling.settle([{"name": "ops", "channel": "slack", "url": chat.url}], mail=server)
    with telling.books.database.read() as tx:
        kept = rows.settings_of(tx, STORE)
    assert kept is not None
    for secret in (PASSWORD, chat.url):
        assert secret not in json.dumps(kept.content)
        assert secret.encode() not in kept.sealed
    _, secrets = notifier_module.open_settings(telling.folder, kept)
    assert (secrets.password, secrets.urls["ops"]) == (PASSWORD, chat.url)
