"""Topics are built and read in one place, and an id cannot smuggle a level in."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.wire import topics
from gateway.wire.errors import BadTopic
from gateway.wire.topics import Kind, parse_topic

ids = st.from_regex(r"\A[a-z0-9-]{1,64}\Z")


def test_the_three_topics_of_a_gateway() -> None:
    assert topics.state_topic("gw-1") == "esl/v1/gw-1/state"
    assert topics.down_topic("gw-1") == "esl/v1/gw-1/down"
    assert topics.up_topic("gw-1") == "esl/v1/gw-1/up"
    assert topics.ALL_STATES == "esl/v1/+/state"
    assert topics.ALL_UPS == "esl/v1/+/up"


@given(ids)
def test_a_topic_reads_back(gateway: str) -> None:
    assert parse_topic(topics.state_topic(gateway)) == (gateway, Kind.STATE)
    assert parse_topic(topics.down_topic(gateway)) == (gateway, Kind.DOWN)
    assert parse_topic(topics.up_topic(gateway)) == (gateway, "up")


@pytest.mark.parametrize(
    "gateway", ["", "GW", "gw/1", "+", "#", "gw\n", "gw\0", "gw_1", "ä", "a" * 65, "$sys"]
)
def test_an_id_that_cannot_stand_in_a_topic_is_refused(gateway: str) -> None:
    assert not topics.is_id(gateway)
    for build in (topics.state_topic, topics.down_topic, topics.up_topic):
        with pytest.raises(BadTopic):
            build(gateway)
    with pytest.raises(BadTopic):
        parse_topic(f"esl/v1/{gateway}/up")


@pytest.mark.parametrize(
    "topic",
    [
        "",
        "esl",
        "esl/v1",
        "esl/v1/gw-1",
        "esl/v2/gw-1/up",
        "esl/v1/gw-1/side",
        "esl/v1/gw-1/up/",
        "esl/v1/gw-1/up\n",
        "/esl/v1/gw-1/up",
        "x/esl/v1/gw-1/up",
        topics.ALL_UPS,
    ],
)
def test_any_other_topic_is_refused(topic: str) -> None:
    with pytest.raises(BadTopic):
        parse_topic(topic)


def test_an_error_quotes_no_endless_topic() -> None:
    with pytest.raises(BadTopic) as caught:
        parse_topic("x" * 10_000)
    assert len(str(caught.value)) < 200
