"""A mail server that never comes to an end holds up nobody but itself, and that not for long."""

import contextlib
import socket
import threading
import time
from collections.abc import Iterator
from datetime import UTC, datetime

import pytest

from api.listeners import message_posts
from api.listeners.message_posts import send_mail
from esl.domain.errors import Unavailable
from esl.domain.notification import (
    Channel,
    MailServer,
    Message,
    MessageState,
    NotificationSettings,
    Recipient,
    Secrets,
    Security,
)

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
TO = Recipient(
    name="ana", channel=Channel.MAIL, to="ana@shop.example", kinds=frozenset(), digest=False,
    is_quiet=False,
)  # fmt: skip
MESSAGE = Message(
    number=1, recipient="ana", message_id="msg_1", created_at=NOW, subject="s", body="b",
    state=MessageState.OPEN, attempts=0, error=None, sent_at=None,
)  # fmt: skip


@pytest.fixture(params=[b"220-wait\r\n", b"2"], ids=["lines", "bytes"])
def endless(request: pytest.FixtureRequest) -> Iterator[int]:
    """The port of a mail server whose greeting has no end."""
    over = threading.Event()

    def greet(line: socket.socket) -> None:
        with contextlib.suppress(OSError), line:
            while not over.wait(0.05):
                line.sendall(request.param)

    with socket.create_server(("127.0.0.1", 0)) as listener:
        threading.Thread(target=lambda: greet(listener.accept()[0]), daemon=True).start()
        yield int(listener.getsockname()[1])
        over.set()


@pytest.mark.parametrize("security", [Security.NONE, Security.STARTTLS])
def test_a_greeting_without_end_is_given_up(
    endless: int, monkeypatch: pytest.MonkeyPatch, security: Security
) -> None:
    monkeypatch.setattr(message_posts, "MAIL_LONGEST_S", 0.5)
    mail = MailServer(
        host="127.0.0.1", port=endless, security=security, login=None, sender="esl@shop.example"
    )
    settings = NotificationSettings(mail=mail, recipients=(TO,), allow_private=True)
    began_s = time.monotonic()
    with pytest.raises(Unavailable):
        send_mail(settings, Secrets(), TO, MESSAGE)
    assert time.monotonic() - began_s < 3.0
