"""What the inbox writes about wandering, doubled and unknown labels: alike on both databases."""

from datetime import timedelta

from esl.domain.ids import GatewayId
from esl.domain.place import StorePolicy, UnknownLabels
from esl.services.roaming import heard_by
from esl.store import places
from esl.store.database import Database
from tests.builders import (
    GATEWAY,
    NOON,
    STORE,
    Controller,
    FakeGateway,
    SimulatedClock,
    build_shelf,
    label_id,
)

OTHER = GatewayId("gw-2")


def test_a_label_is_heard_moved_refused_quarantined_and_adopted(database: Database) -> None:
    with database.writing.begin() as tx:
        build_shelf(tx, gateways=(GATEWAY, OTHER))
        adopting = StorePolicy(
            unknown_labels=UnknownLabels.ADOPT, adopt_until=NOON + timedelta(hours=1)
        )
        places.put_store_policy(tx, STORE, adopting)
    clock = SimulatedClock()
    shop = Controller(database, clock)
    own, other = FakeGateway(GATEWAY, clock), FakeGateway(OTHER, clock)
    shop.hear(own.hello(), other.hello())

    [put] = own.obey(shop.dispatcher.step().outgoing)
    shop.hear(own.fail(put, "unsupported"))
    assert shop.label().problem == "unsupported"
    clock.pass_s(100)
    own.begin_session("boot-2")
    shop.hear(own.hello())
    assert shop.label().problem is None
    [put] = own.obey(shop.dispatcher.step().outgoing)
    shop.hear(own.fail(put, "refresh_failed"))
    assert shop.label().refresh_failures == 1
    clock.pass_s(100)
    shop.hear(own.heartbeat())
    [put] = own.obey(shop.dispatcher.step().outgoing)
    shop.hear(own.fail(put, "base_mismatch"))
    assert shop.label().send_full
    shop.settle(own)
    assert not shop.label().send_full

    other.showing, other.incarnations = own.showing, own.incarnations
    for _ in range(11):
        clock.pass_s(60)
        shop.hear(own.heartbeat(), other.heartbeat())
        shop.hear(own.beacon(label_id(0), rssi_dbm=-80), other.beacon(label_id(0), rssi_dbm=-50))
    assert shop.label().gateway_id == OTHER
    with database.read() as tx:
        heard = {g: row.rssi_dbm for g, row in heard_by(tx, label_id(0)).items()}
    assert heard == {GATEWAY: -80, OTHER: -50}

    for _ in range(5):
        clock.pass_s(60)
        shop.hear(other.beacon(label_id(0)))
        shop.hear(own.beacon(label_id(0), incarnation=0, shown_rev=0, shown_digest=b""))
    assert (shop.label().quarantine, shop.label().problem) == (1, "duplicate_id")

    shop.hear(own.beacon("stranger-1"))
    assert [state.label_id for state in shop.states()] == [label_id(0), "stranger-1"]
    shop.close()
