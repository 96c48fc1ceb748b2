"""Every failure code of the protocol can be met at a simulated gateway."""

from collections.abc import Callable, Sequence

import pytest

from gateway.wire.failures import FailureCode
from gateway.wire.messages import AnyEvent, Report, Show
from simulator.options import Quirks
from tests.unit.simulator.rig import NOON_MS, Rig, codes, entry, picture, put
from tests.unit.simulator.test_gateway_parts import delta, parts

Way = Callable[[], Sequence[AnyEvent]]


def told(code: FailureCode) -> Sequence[AnyEvent]:
    rig = Rig()
    rig.label.fails_next = code
    return rig.down(put(1))


def painting() -> Rig:
    rig = Rig(paint_s=10)
    rig.down(put(1))
    return rig


def rebooted() -> Sequence[AnyEvent]:
    rig = painting()
    rig.gateway.reboot()
    rig.connect()
    return rig.down(put(2))


def resting() -> Sequence[AnyEvent]:
    rig = Rig(rest_s=180, quirks=Quirks(refuses_hurry=True))
    rig.down(put(1))
    return rig.down(put(2))


def with_label(**changes: object) -> Rig:
    rig = Rig()
    for name, value in changes.items():
        setattr(rig.label, name, value)
    return rig


def unreadable() -> Sequence[AnyEvent]:
    rig = Rig()
    return rig.deliver(rig.seal_body(b"\x91\xc0"))


def crowded() -> Sequence[AnyEvent]:
    rig = Rig(labels=70)
    return rig.down(*(parts(n, 5, label=f"label-{n}")[0] for n in range(1, 67)))


WAYS: dict[FailureCode, Way] = {
    FailureCode.UNSPECIFIED_ERROR: lambda: told(FailureCode.UNSPECIFIED_ERROR),
    FailureCode.INVALID_OPCODE: unreadable,
    FailureCode.INVALID_STATE: rebooted,
    FailureCode.INVALID_IMAGE_INDEX: lambda: Rig().down(put(1, slot=9)),
    FailureCode.IMAGE_NOT_AVAILABLE: lambda: Rig().down(
        Show(id=1, entries=[entry(1, picture(1), slot=1)])
    ),
    FailureCode.INVALID_PARAMETERS: lambda: Rig().down(put(1, size=9)),
    FailureCode.CAPACITY_LIMIT: lambda: Rig().down(put(1, data=b"", offset=0, total=2**24)),
    FailureCode.INSUFFICIENT_BATTERY: lambda: with_label(battery_uv=2_100_000).down(put(1)),
    FailureCode.INSUFFICIENT_RESOURCES: crowded,
    FailureCode.RETRY: resting,
    FailureCode.QUEUE_FULL: lambda: Rig(labels=2, paint_s=9, capacity=1).down(
        put(1), put(2, label="label-2")
    ),
    FailureCode.IMPLAUSIBLE_ABSOLUTE_TIME: lambda: Rig().down(Show(id=1, entries=[], at=NOON_MS)),
    FailureCode.UNKNOWN_LABEL: lambda: Rig().down(Report(id=1, labels=["label-9"])),
    FailureCode.BASE_MISMATCH: lambda: Rig().down(delta(1, picture(1), picture(2))),
    FailureCode.BAD_DIGEST: lambda: Rig().down(put(1, digest=bytes(32))),
    FailureCode.UNSUPPORTED: lambda: Rig().down(put(1, encoding="png", data=b"")),
    FailureCode.EXPIRED: lambda: Rig().down(put(1, deadline=NOON_MS)),
    FailureCode.SUPERSEDED: lambda: Rig().down(put(2), put(1)),
    FailureCode.REFRESH_FAILED: lambda: with_label(stuck=True).down(put(1)),
    FailureCode.LABEL_TIMEOUT: lambda: (rig := with_label(dead=True)).down(put(1)) + rig.later(9),
}


@pytest.mark.parametrize("code", FailureCode)
def test_every_code_can_be_met(code: FailureCode) -> None:
    assert code in codes(WAYS[code]())
