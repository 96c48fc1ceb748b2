"""How simulated gateways, labels and the air between them behave.

Everything is off or instant unless asked for: a label hears at once, takes no airtime, paints
within the step and loses nothing. `FIELD` is a shop as measured in the field.
"""

from dataclasses import dataclass, field, replace

from gateway.wire.failures import FailureCode
from gateway.wire.messages import MAX_PAYLOAD_BYTES

BASIC, STAGED, FULL = "basic", "staged", "full"
LEVELS = (BASIC, STAGED, FULL)


@dataclass(frozen=True, slots=True, kw_only=True)
class RadioOptions:
    """The air between a gateway and its labels: one transfer at a time.

    A transfer takes ``connect_s``, and for each block ``block_s`` and its bytes in whole parts.
    ``loss`` is the share of blocks, answers and beacons that get lost on a good signal; with
    ``fading`` it grows below -80 dBm. A block is tried ``tries`` times. Labels listen every
    ``check_in_s`` seconds, each at an interval of its own between these two; (0, 0): always.
    """

    bytes_per_s: float = 0.0  # 0: as fast as you like
    block_bytes: int = 4096
    part_bytes: int = 99
    block_s: float = 0.0
    connect_s: float = 0.0
    loss: float = 0.0
    fading: bool = False
    tries: int = 8
    check_in_s: tuple[float, float] = (0.0, 0.0)


@dataclass(frozen=True, slots=True, kw_only=True)
class Quirks:
    """What label firmware does differently from one maker to the next (field notes, standards I.2).

    ``answers_update``: the label answers the end of a transfer at once, as Nordic's does; else its
    gateway learns only at its next check-in what it shows, as with Silicon Labs'.
    ``index_error``: what it calls a slot it does not have, 0x04 or (errata) 0x06.
    ``refuses_hurry``: it answers `retry` to a picture that comes before the panel has rested;
    else it takes it and paints when it has.
    """

    answers_update: bool = True
    index_error: FailureCode = FailureCode.INVALID_IMAGE_INDEX
    refuses_hurry: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class GatewayOptions:
    """How a simulated gateway and its labels behave; durations in seconds.

    ``paint_s`` is one refresh: 0 paints within the step, None is what the label's panel takes at
    its temperature; ``jitter`` is the share by which refreshes differ. ``rest_s`` lies at least
    between two refreshes of a label. ``capacity`` is how many labels a gateway has work in hand
    for. Its clock is ``clock_skew_s`` ahead and gains ``clock_drift_ppm``. Below ``coldest_c`` no
    panel paints. ``timed_kept`` are the pending shows it keeps for a label.
    """

    level: str = FULL
    paint_s: float | None = 0.0
    jitter: float = 0.1
    rest_s: float = 0.0
    beacon_s: float = 60.0
    heartbeat_s: float = 20.0
    capacity: int = 128
    label_timeout_s: float = 5.0
    clock_skew_s: float = 0.0
    clock_drift_ppm: float = 0.0
    coldest_c: int = -60
    timed_kept: int = 4
    payload_bytes: int = MAX_PAYLOAD_BYTES
    radio: RadioOptions = field(default_factory=RadioOptions)
    quirks: Quirks = field(default_factory=Quirks)


INSTANT = GatewayOptions()

FIELD_RADIO = RadioOptions(
    bytes_per_s=5_000,
    block_s=0.55,
    connect_s=0.35,
    loss=0.01,
    fading=True,
    check_in_s=(40.0, 600.0),
)
"""OpenEPaperLink as measured: about 5 kB/s, blocks of 4,096 bytes in parts of 99, an access point
that answers "wait" for 30 to 550 ms, 3.9 s for a whole 296x128 (field notes, open-source)."""

FIELD = replace(
    INSTANT,
    paint_s=None,
    rest_s=180.0,  # makers' advice (field notes, standards C.5)
    label_timeout_s=1_300.0,  # two of the longest check-ins, and a transfer
    coldest_c=0,  # operating range of colour types (same place)
    radio=FIELD_RADIO,
)
PROFILES = {"instant": INSTANT, "field": FIELD}
