"""Messages are RFC 5424 whatever a line holds, and addresses are what they say."""

import sys
from datetime import UTC, datetime

import pytest

from api.syslog.message import Sender, checkpoint_message, log_message
from api.syslog.sender import SyslogAddress
from esl.domain.errors import SetupError
from tests.syslog_server import taken_apart

SENDER = Sender(host="shop-1", pid=4711)
AT = "2026-03-01T14:03:07.123456Z"


def test_a_line_becomes_these_bytes() -> None:
    event = {
        "event": "price accepted",
        "level": "info",
        "timestamp": AT,
        "request_id": "till-0001",
        "store": "main",
        "rev": 7,
    }
    assert log_message(event, SENDER, longest=2048) == (
        b"<134>1 2026-03-01T14:03:07.123456Z shop-1 esl 4711 log"
        b' [esl@32473 request_id="till-0001" store="main" rev="7"] \xef\xbb\xbfprice accepted'
    )


def test_a_checkpoint_becomes_these_bytes() -> None:
    at = datetime(2026, 3, 1, 14, 3, 7, 123456, tzinfo=UTC)
    assert checkpoint_message('{"number": 88}', at, 88, SENDER, longest=2048) == (
        b"<109>1 2026-03-01T14:03:07.123456Z shop-1 esl 4711 checkpoint"
        b' [esl@32473 number="88"] \xef\xbb\xbf{"number": 88}'
    )


@pytest.mark.asvs("16.4.1")
@pytest.mark.parametrize(
    ("value", "read"),
    [
        ('a"] [evil@1 x="1', 'a"] [evil@1 x="1'),
        ("back\\slash", "back\\slash"),
        ("two\nlines <13>1 - - - - - -", "two lines <13>1 - - - - - -"),
        ("Öl ½ l", "Öl ½ l"),
        ("x" * 5000, "x" * 256),
    ],
)
def test_no_value_can_leave_its_parameter(value: str, read: str) -> None:
    event = {"event": "refused", "level": "warning", "timestamp": AT, "sku": value, "store": "a"}
    heard = taken_apart(log_message(event, SENDER, longest=2048))
    assert heard.data == {"sku": read, "store": "a"}
    assert (heard.severity, heard.words) == (4, "refused")


def test_names_and_hosts_that_the_standard_forbids_are_mended() -> None:
    event = {"event": "x", "level": "error", "timestamp": AT, 'a b="c]': 1, "": 2, "n" * 50: 3}
    heard = taken_apart(log_message(event, Sender(host="käse shop", pid=1), longest=2048))
    assert heard.data == {"abc": "1", "n" * 32: "3"}
    assert (heard.host, heard.severity) == ("kseshop", 3)
    nobody = taken_apart(log_message(event, Sender(host="ä", pid=1), longest=2048))
    assert nobody.host == "-"


@pytest.mark.parametrize("longest", range(80, 100))
def test_a_long_line_is_cut_between_characters(longest: int) -> None:
    event = {"event": "ä" * 3000, "level": "info", "timestamp": AT}
    message = log_message(event, SENDER, longest=longest)
    assert longest - 1 <= len(message) <= longest
    assert set(taken_apart(message).words) == {"ä"}


def test_a_fault_is_told_without_the_values_it_held() -> None:
    canary = "canary-Zq7"
    try:
        int(f"{canary}"[:0])
    except ValueError as exc:
        event = {"event": "failed", "level": "error", "timestamp": AT}
        said = [
            log_message(event | {"exc_info": one}, SENDER, longest=8192)
            for one in (exc, True, sys.exc_info())
        ]
    for message in said:
        words = taken_apart(message).words
        assert words.startswith("failed\nTraceback")
        assert "ValueError" in words
        assert canary not in words
    assert len(set(said)) == 1


def test_each_kind_of_address_is_read() -> None:
    read = SyslogAddress.from_url
    assert read("unix:///run/log.sock") == SyslogAddress(kind="unix", path="/run/log.sock")
    assert read("udp://logs.example") == SyslogAddress(kind="udp", host="logs.example", port=514)
    assert read("tcp://logs.example") == SyslogAddress(kind="tcp", host="logs.example", port=601)
    assert read("tcp://[::1]:6514/") == SyslogAddress(kind="tcp", host="::1", port=6514)


@pytest.mark.parametrize(
    "url",
    [
        *("", "logs.example", "/dev/log", "http://logs.example", "udp://", "tcp://a:0"),
        *("tcp://a:99999", "tcp://user:x@a", "unix://run/log", "udp://a/path", "tcp://a?x=1"),
    ],
)
def test_what_is_no_address_is_refused_in_words(url: str) -> None:
    with pytest.raises(SetupError, match=r"setting syslog_url: .*; write unix:///"):
        SyslogAddress.from_url(url)
