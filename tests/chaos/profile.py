"""How large a world is, how fast its parts are, and how long it may take to come right."""

from dataclasses import dataclass, replace

from simulator.options import FIELD_RADIO, INSTANT, RadioOptions

HOUR_S = 3600.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Profile:
    """A kind of shop. Times in seconds.

    ``patience_s`` and ``longest_s`` are the controller's settings for it: patience exceeds the
    time a window of labels takes to be painted, ``longest_s`` is the cap between two attempts.
    """

    name: str
    gateways: int
    labels: int
    chaos_s: float
    quiet_s: float  # after all is right, before silence is asked for
    silence_s: float  # at the end: nothing may be sent
    beacon_s: float
    heartbeat_s: float
    paint_s: float
    label_timeout_s: float
    patience_s: float
    longest_s: float
    trade_every_s: float
    fault_every_s: float
    slack_s: float  # reconnection of whoever was cut, and one transfer that fails
    rest_s: float = 0.0
    radio: RadioOptions = INSTANT.radio
    office_every_s: float | None = None  # between two requests of other stores; None: none are
    promotes: bool = False  # its shops have promotions, and some turn their clocks

    @property
    def right_within_s(self) -> float:
        """I4: beacon + heartbeat + cap + backlog, and the time of one more painting."""
        backlog_s = self.labels / self.gateways * self.paint_s
        return self.beacon_s + self.heartbeat_s + self.longest_s + backlog_s + self.slack_s

    @property
    def neutral_within_s(self) -> float:
        """No live label shows a price without a valid offer for longer after faults stop."""
        return max(90.0, self.right_within_s) if self.beacon_s > 60 else 90.0


EXPECTED_LATER = (
    "products that are delisted, labels that leave the shop, firmware",
    "what is forgotten after months",
    "two workers with leases on PostgreSQL",
)
"""What the product promises and no story tells yet; named by every run."""

DEFAULT = Profile(
    name="default",
    gateways=3,
    labels=9,
    chaos_s=HOUR_S,
    quiet_s=60.0,
    silence_s=600.0,
    beacon_s=60.0,
    heartbeat_s=20.0,
    paint_s=2.0,
    label_timeout_s=5.0,
    patience_s=15.0,
    longest_s=60.0,
    trade_every_s=25.0,
    fault_every_s=30.0,
    slack_s=22.0,
)

FIELD = Profile(
    name="field",
    gateways=2,
    labels=12,
    chaos_s=4 * HOUR_S,
    quiet_s=600.0,
    silence_s=1800.0,
    beacon_s=600.0,
    heartbeat_s=30.0,
    paint_s=24.0,
    label_timeout_s=1300.0,
    patience_s=700.0,
    longest_s=1400.0,
    trade_every_s=180.0,
    fault_every_s=150.0,
    slack_s=700.0,
    rest_s=180.0,
    radio=FIELD_RADIO,
)
"""Labels that listen every 40 s to 10 min, one transfer at a time, 24 s of refresh and 3 min of
rest after it. Patience exceeds the longest check-in, the transfers of a window and a refresh."""

PROMOTIONS = replace(DEFAULT, name="promotions", promotes=True)
"""The same shop with promotions of all kinds; some keep the safe order with their till, and in
some the clock is turned within the hour."""

OFFICE = replace(
    DEFAULT,
    name="office",
    gateways=1,
    labels=2,
    chaos_s=HOUR_S / 2,
    trade_every_s=120.0,
    office_every_s=6.0,
    silence_s=120.0,
)
"""A small shop beside stores in which much is decided, and controllers that seal the audit."""

PROFILES = {profile.name: profile for profile in (DEFAULT, FIELD, PROMOTIONS, OFFICE)}
