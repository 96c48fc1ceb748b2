"""What a label's battery pays for, and what its voltage says about the rest.

============ ================================================= =========================
standby      0.001 mA                                          all the time
check-in     10 mA for 10 ms                                   each time it listens
transfer     10 mA                                             while on the air
refresh      20 mA                                             while the panel paints
============ ================================================= =========================

The model of the field notes (commercial, battery model), which reproduces a maker's figures within
13 %. Voltage falls in a line from 3.0 V full to 2.2 V spent: a coin cell's real curve is flatter
and then steeper, but a line lets a trend be seen.
"""

CAPACITY_MAH = 620.0  # CR2450
FULL_UV = 3_000_000
LOWEST_MV = 2_200  # below, charging the panel could brown the label out
DEAD_MV = 1_900  # below, nothing runs

STANDBY_MA = 0.001
CHECK_IN_MAS = 10 * 0.01
RADIO_MA = 10.0
REFRESH_MA = 20.0

_SPAN_UV = FULL_UV - LOWEST_MV * 1000
_S_PER_H = 3600


def fall_uv(mas: float, capacity_mah: float = CAPACITY_MAH) -> float:
    """Microvolts that a battery falls by for so many milliampere-seconds."""
    return mas * _SPAN_UV / (capacity_mah * _S_PER_H)
