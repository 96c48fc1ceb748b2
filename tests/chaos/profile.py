"""How large a world is, how fast its parts are, and how long it may take to come right."""

from dataclasses import dataclass


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

    @property
    def right_within_s(self) -> float:
        """I4: beacon + heartbeat + cap + backlog, and the time of one more painting."""
        backlog_s = self.labels / self.gateways * self.paint_s
        return self.beacon_s + self.heartbeat_s + self.longest_s + backlog_s + self.slack_s

    @property
    def slack_s(self) -> float:
        """Reconnection of whoever was cut, and a label that does not answer at once."""
        return 10.0 + 2 * self.label_timeout_s + self.paint_s

    @property
    def neutral_within_s(self) -> float:
        """No live label shows a price without a valid offer for longer after faults stop."""
        return max(90.0, self.right_within_s) if self.name == "field" else 90.0


EXPECTED_LATER = (
    "flips: no timed show before its moment, none lost, cancels re-armed",
    "two labels with one id",
    "a template or rule changed, a signing key rotated in the middle of a day",
)
"""What the product promises and no story tells yet; named by every run."""

DEFAULT = Profile(
    name="default",
    gateways=3,
    labels=9,
    chaos_s=3600.0,
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
)

FIELD = Profile(
    name="field",
    gateways=2,
    labels=12,
    chaos_s=4 * 3600.0,
    quiet_s=600.0,
    silence_s=1800.0,
    beacon_s=600.0,
    heartbeat_s=30.0,
    paint_s=27.9,  # 3.9 s on the air and 24 s of refresh
    label_timeout_s=60.0,
    patience_s=240.0,
    longest_s=600.0,
    trade_every_s=180.0,
    fault_every_s=150.0,
)

PROFILES = {profile.name: profile for profile in (DEFAULT, FIELD)}
