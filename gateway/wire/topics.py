"""The three MQTT topics of a gateway, built and read.

::

    esl/v1/{gateway}/state   retained; written by the gateway and, as its will, by the broker
    esl/v1/{gateway}/down    written by the controller, signed, never retained
    esl/v1/{gateway}/up      written by the gateway, never retained
"""

import re
from enum import StrEnum

from gateway.wire.errors import BadTopic
from gateway.wire.messages import VERSION

ROOT = f"esl/v{VERSION}"
ALL_STATES = f"{ROOT}/+/state"
ALL_UPS = f"{ROOT}/+/up"

_ID = re.compile(r"[a-z0-9-]{1,64}")
_TOPIC = re.compile(rf"{ROOT}/([a-z0-9-]{{1,64}})/(state|down|up)")


class Kind(StrEnum):
    """Last level of a topic."""

    STATE = "state"
    DOWN = "down"
    UP = "up"


def is_id(text: str) -> bool:
    """Say whether a text may name a gateway, a label or a session: ``[a-z0-9-]{1,64}``."""
    return _ID.fullmatch(text) is not None


def state_topic(gateway: str) -> str:
    """Topic of a gateway's retained state.

    Raises:
        BadTopic: The id cannot stand in a topic.
    """
    return _topic(gateway, Kind.STATE)


def down_topic(gateway: str) -> str:
    """Topic of the commands to a gateway.

    Raises:
        BadTopic: The id cannot stand in a topic.
    """
    return _topic(gateway, Kind.DOWN)


def up_topic(gateway: str) -> str:
    """Topic of a gateway's events.

    Raises:
        BadTopic: The id cannot stand in a topic.
    """
    return _topic(gateway, Kind.UP)


def parse_topic(topic: str) -> tuple[str, Kind]:
    """Read the gateway's id and the kind out of a topic.

    Raises:
        BadTopic: It is not exactly one of the three.
    """
    match = _TOPIC.fullmatch(topic)
    if match is None:
        raise BadTopic(f"no topic of this protocol: {topic[:100]!r}")
    return match[1], Kind(match[2])


def _topic(gateway: str, kind: Kind) -> str:
    if not is_id(gateway):
        raise BadTopic(f"a gateway id is 1 to 64 of a-z, 0-9 and '-', not {gateway[:100]!r}")
    return f"{ROOT}/{gateway}/{kind}"
