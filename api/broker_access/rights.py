"""What each login may do at the broker: one table, from which every broker's rules are written.

::

    who          may write                                  may read
    controller   esl/v1/+/down                              esl/v1/+/state  esl/v1/+/up
                 esl/v1/in/+/result                         esl/v1/in/+
                 esl/v1/audit/checkpoint
    gateway G    esl/v1/G/state  esl/v1/G/up                esl/v1/G/down
    source S     esl/v1/in/S                                esl/v1/in/S/result

Nobody else, nothing else. A gateway's client id is its login's name, which the broker enforces:
otherwise a gateway could throw another one off the line by taking its client id.
"""

from dataclasses import dataclass
from enum import StrEnum

from esl.domain.mqtt_in import ROOT as IN_TOPICS
from gateway.wire.topics import ALL_STATES, ALL_UPS, ROOT, down_topic, state_topic, up_topic

CHECKPOINT_TOPIC = f"{ROOT}/audit/checkpoint"


class Role(StrEnum):
    """What a login is for."""

    CONTROLLER = "controller"
    GATEWAY = "gateway"
    SOURCE = "source"  #: a till that publishes price changes: docs/mqtt-in.md


@dataclass(frozen=True, slots=True, kw_only=True)
class Login:
    """One login of the broker. ``password_hash`` is a line of mosquitto's password file."""

    username: str
    role: Role
    password_hash: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Rights:
    """The topics a login may publish to, and those it may subscribe to; ``+`` is any one level."""

    writes: tuple[str, ...]
    reads: tuple[str, ...]


def rights_of(role: Role, username: str) -> Rights:
    """Say what a login may do.

    Raises:
        BadTopic: A gateway whose name cannot stand in a topic.
    """
    match role:
        case Role.CONTROLLER:
            return Rights(
                writes=(f"{ROOT}/+/down", f"{IN_TOPICS}/+/result", CHECKPOINT_TOPIC),
                reads=(ALL_STATES, ALL_UPS, f"{IN_TOPICS}/+"),
            )
        case Role.GATEWAY:
            return Rights(
                writes=(state_topic(username), up_topic(username)), reads=(down_topic(username),)
            )
        case Role.SOURCE:
            return Rights(
                writes=(f"{IN_TOPICS}/{username}",), reads=(f"{IN_TOPICS}/{username}/result",)
            )
