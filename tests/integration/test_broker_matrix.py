"""Who may do what at the broker: every cell of one table, tried on a real mosquitto.

The table below is written by hand from docs/protocol.md and docs/mqtt-in.md, not from the code
that makes the rules. What is not in it is denied. A publication counts as allowed if the witness
saw it, a subscription if a message came by it: mosquitto's rules files grant every subscription
and filter what is delivered.
"""

import ssl
from collections.abc import Iterator
from itertools import count, product
from pathlib import Path

import pytest

from api.broker_access.rights import Role
from tests.secured_broker import (
    WITNESS,
    Authority,
    Client,
    SecuredBroker,
    Seen,
    known_as,
    password_of,
    shake_hands,
)
from tests.services import HOST

CONTROLLER, GW_A, GW_B, TILL, TILL_B, REVOKED = "esl", "gw-a", "gw-b", "till", "chain", "gw-x"
LOGINS = {
    CONTROLLER: Role.CONTROLLER,
    GW_A: Role.GATEWAY,
    GW_B: Role.GATEWAY,
    TILL: Role.SOURCE,
    TILL_B: Role.SOURCE,
}
MAY_PUBLISH = {
    CONTROLLER: {
        *("esl/v1/gw-a/down", "esl/v1/gw-b/down", "esl/v1/gw-x/down"),
        *("esl/v1/in/till/result", "esl/v1/audit/checkpoint"),
    },
    GW_A: {"esl/v1/gw-a/up", "esl/v1/gw-a/state"},
    GW_B: {"esl/v1/gw-b/up", "esl/v1/gw-b/state"},
    TILL: {"esl/v1/in/till"},
}
MAY_HEAR = {
    CONTROLLER: {
        *("esl/v1/+/state", "esl/v1/+/up", "esl/v1/in/+", "esl/v1/gw-a/up", "esl/v1/gw-a/state"),
        *("esl/v1/gw-b/up", "esl/v1/gw-b/state", "esl/v1/in/till", "esl/v1/in/chain"),
    },
    GW_A: {"esl/v1/gw-a/down"},
    GW_B: {"esl/v1/gw-b/down"},
    TILL: {"esl/v1/in/till/result"},
}
TOPICS = [
    *(f"esl/v1/{gateway}/{kind}" for gateway in (GW_A, GW_B) for kind in ("down", "up", "state")),
    *("esl/v1/gw-x/down", "esl/v1/in/till", "esl/v1/in/chain", "esl/v1/in/till/result"),
    *("esl/v1/audit/checkpoint", "esl/v1/gw-a", "esl/v1/gw-a/down/x", "elsewhere"),
    *("$SYS/broker/version", "$CONTROL/dynamic-security/v1"),
]
FILTERS = [
    *(topic for topic in TOPICS if not topic.startswith("$CONTROL")),
    *("#", "esl/#", "esl/v1/#", "esl/v1/+/down", "esl/v1/+/up", "esl/v1/+/state", "esl/v1/in/+"),
    *("+/+/+/+", "$SYS/#", "$share/all/esl/v1/+/down"),
]
BY_LOGIN = [CONTROLLER, GW_A, GW_B, TILL]
CELLS = [
    *((who, "publish", topic) for who, topic in product(BY_LOGIN, TOPICS)),
    *((who, "retain", topic) for who, topic in product(BY_LOGIN, TOPICS)),
    *((who, "subscribe", topic) for who, topic in product(BY_LOGIN, FILTERS)),
]
_number = count()


@pytest.fixture(scope="module", params=["files", "dynamic"])
def broker(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator:
    folder = tmp_path_factory.mktemp(f"broker_{request.param}")
    running = SecuredBroker(folder, known_as(LOGINS), dynamic=request.param == "dynamic")
    running.start()
    yield running
    running.stop()


@pytest.fixture(scope="module")
def witness(broker: SecuredBroker) -> Iterator[Client]:
    client = Client(broker.port, WITNESS, password_of(WITNESS))
    assert client.connect()
    assert client.subscribe("#")
    yield client
    client.close()


def expected(who: str, action: str, topic: str) -> bool:
    """The table: what is not in it is denied."""
    return topic in (MAY_HEAR if action == "subscribe" else MAY_PUBLISH)[who]


def trusting(broker: SecuredBroker) -> ssl.SSLContext:
    return ssl.create_default_context(cafile=str(broker.authority.ca))


def client_of(broker: SecuredBroker, who: str) -> Client:
    """As each comes: the controller by loopback, all others by TLS."""
    if who == CONTROLLER:
        return Client(broker.port, who, password_of(who))
    return Client(broker.tls_port, who, password_of(who), client_id=who, context=trusting(broker))


@pytest.mark.asvs("13.2.2")
def test_every_cell_is_as_the_table_says(broker: SecuredBroker, witness: Client) -> None:
    wrong = []
    for who, action, topic in CELLS:
        client = client_of(broker, who)
        assert client.connect(), who
        try:
            if action == "subscribe":
                done = hears(client, witness, who, topic)
            else:
                done = is_seen(client, witness, topic, retain=action == "retain")
        finally:
            client.close()
        if done is not expected(who, action, topic):
            wrong.append((who, action, topic, done))
    assert wrong == []
    assert len(CELLS) >= 200


def is_seen(client: Client, witness: Client, topic: str, *, retain: bool) -> bool:
    """Publish, and say whether the witness saw it; the broker's answer must say the same."""
    mark = b"mark-%d" % next(_number)
    taken = client.publish(topic, mark, retain=retain)
    fence = b"fence-%d" % next(_number)
    assert witness.publish("fence", fence)
    seen = witness.until(lambda one: one.payload == fence)
    saw = any(one.topic == topic and one.payload == mark for one in seen)
    assert saw is taken, f"{topic}: the broker said {taken}, the witness saw {saw}"
    return saw


def hears(client: Client, witness: Client, who: str, topic: str) -> bool:
    """Subscribe, and say whether anything comes by it that the fence does not explain."""
    fence_topic = min(MAY_HEAR[who] - {f for f in MAY_HEAR[who] if "+" in f} - {topic} or {topic})
    granted = client.subscribe(topic)
    other = GW_A if who == GW_B else GW_B  # by a wildcard one hears what one may, and no more
    probe = topic.removeprefix("$share/all/")
    if probe in ("#", "esl/#", "esl/v1/#", "+/+/+/+"):
        probe = f"esl/v1/{other}/down"
    probe = probe.replace("+", TILL if "/in/" in probe else other)
    mark = b"mark-%d" % next(_number)
    if not probe.startswith("$SYS"):
        assert witness.publish(probe, mark)
    if not granted and fence_topic == topic:
        return False
    assert client.subscribe(fence_topic)
    fence = b"fence-%d" % next(_number)
    assert witness.publish(fence_topic, fence)

    def is_fence(one: Seen) -> bool:
        return one.payload == fence

    came = client.until(is_fence)
    if probe.startswith("$SYS"):
        return any(one.topic.startswith("$SYS") for one in came)
    return any(one.payload == mark for one in came)


# ── Who gets in at all, and over what ──────────────────────────────────────────────────────

OUT = {
    "nobody": (None, None),
    "wrong password": (GW_A, "wrong"),
    "empty password": (GW_A, ""),
    "revoked": (REVOKED, password_of(REVOKED)),
    "another's password": (GW_A, password_of(GW_B)),
    "unknown": ("root", "root"),
}


@pytest.mark.parametrize("port", ["port", "tls_port"])
@pytest.mark.parametrize("who", OUT)
@pytest.mark.asvs("13.2.1", "13.2.3")
def test_who_has_no_login_stays_out(broker: SecuredBroker, who: str, port: str) -> None:
    username, password = OUT[who]
    context = trusting(broker) if port == "tls_port" else None
    client = Client(getattr(broker, port), username, password, context=context)
    try:
        assert client.connect() is False
    finally:
        client.close()


def test_nobody_takes_the_client_id_of_another(broker: SecuredBroker) -> None:
    own = client_of(broker, GW_A)
    assert own.connect()
    other = Client(
        broker.tls_port, GW_B, password_of(GW_B), client_id=GW_A, context=trusting(broker)
    )
    try:
        other.connect()  # by files it is let in under its own name, by dynamic security it is not
        assert own.publish("esl/v1/gw-a/up", b"still here")
        assert not own.ended.is_set()
    finally:
        own.close()
        other.close()


@pytest.mark.parametrize("who", [GW_A, TILL, CONTROLLER])
@pytest.mark.asvs("12.3.1")
def test_the_networks_listener_speaks_tls_alone(broker: SecuredBroker, who: str) -> None:
    client = Client(broker.tls_port, who, password_of(who), client_id=who)
    try:
        client._client.connect(HOST, broker.tls_port)  # TCP stands; MQTT in the clear does not
        client._client.loop_start()
        assert client.ended.wait(30)
        assert client._answer.empty()
    finally:
        client.close()


@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3])
@pytest.mark.parametrize("who", [GW_A, GW_B, TILL])
def test_new_tls_is_taken(broker: SecuredBroker, who: str, version: ssl.TLSVersion) -> None:
    context = trusting(broker)
    context.minimum_version = context.maximum_version = version
    client = Client(broker.tls_port, who, password_of(who), client_id=who, context=context)
    try:
        assert client.connect()
    finally:
        client.close()


@pytest.mark.filterwarnings("ignore:ssl.TLSVersion.TLSv1_1 is deprecated:DeprecationWarning")
@pytest.mark.asvs("12.1.1")
def test_old_tls_is_refused_where_it_could_be_spoken(broker: SecuredBroker) -> None:
    context = trusting(broker)
    context.set_ciphers("ALL:@SECLEVEL=0")
    context.minimum_version = context.maximum_version = ssl.TLSVersion.TLSv1_1
    assert shake_hands(broker.old_tls_port, context) == "TLSv1.1", "the control"
    with pytest.raises(ssl.SSLError):
        shake_hands(broker.tls_port, context)


@pytest.mark.asvs("12.3.2")
def test_a_client_tells_a_false_broker_its_password_never(
    broker: SecuredBroker, tmp_path: Path
) -> None:
    assert shake_hands(broker.tls_port, trusting(broker)) == "TLSv1.3"
    foreign = Authority(tmp_path, "foreign")
    for context in (
        ssl.create_default_context(cafile=str(foreign.ca)),  # signed by somebody else
        ssl.create_default_context(),  # and the system's authorities do not know ours
    ):
        with pytest.raises(ssl.SSLCertVerificationError):
            shake_hands(broker.tls_port, context)
