"""Everything that can be done to a simulated shop from outside: by a page, a scenario or a test.

A button is a map with its name under ``do``. Those for a label name it (``label``) or let chance
choose a share of all (``share``), first among those to which it makes a difference. Those for a
gateway without one mean all gateways.

================== ======================= =====================================================
do                 beside it               what happens
================== ======================= =====================================================
gateway_off        gateway?                loses its power
gateway_on         gateway?                gets it back
gateway_restart    gateway?                reboots: new session, work in hand lost
gateway_clock      gateway?, skew          its clock is so much ahead
gateway_room       gateway?, capacity      it takes only so many labels at once
label_dies         label | share           answers no more
label_battery      label | share           gets a full battery, and remembers nothing
label_volts        label | share, mv       its battery says so many millivolts
label_sleeps       label | share           does not answer until it wakes
label_wakes        label | share
label_reboots      label | share           loses a painting under way
label_forgets      label | share           loses its memory: new incarnation, blank glass
label_stuck        label | share, stuck    its panel can't paint any more
label_fails        label | share, code     answers the next thing it is told with this code
label_temperature  label | share, celsius
label_moves        label, gateways, dbm?   is carried to where these gateways hear it
label_clone        label, gateway          a second label of the same id turns up
press              label, button           somebody presses its button
tap                label                   somebody holds a phone to it
network            lose, duplicate,        shares of MQTT payloads, behind the broker
                   corrupt
radio              loss                    share lost between gateways and labels
================== ======================= =====================================================
"""

from dataclasses import replace
from typing import Annotated

from msgspec import Meta, Struct

from esl.domain.errors import InvalidInput
from gateway.wire.failures import FailureCode
from gateway.wire.fields import Byte, Celsius, Dbm, Id, Millivolts, Positive
from simulator.label import SimLabel
from simulator.moment import MS_PER_S
from simulator.shop import Shop

Share = Annotated[float, Meta(ge=0, le=1)]
SkewS = Annotated[float, Meta(ge=-366 * 86_400, le=366 * 86_400)]


class Button(Struct, frozen=True, kw_only=True, tag_field="do", forbid_unknown_fields=True):
    """Base of all buttons. ``press(shop)`` does it and names the gateways or labels it was done to.

    Raises:
        UnknownGateway: The gateway is not simulated here.
        UnknownLabel: The label is not simulated here.
        InvalidInput: This shop has nothing it could be done to.
    """


# -- gateways ----------------------------------------------------------------------------------


class OnGateway(Button, frozen=True, kw_only=True):
    """A button for one gateway, or for all."""

    gateway: Id | None = None

    def press(self, shop: Shop) -> list[str]:
        """Do it to the gateway, or to all."""
        chosen = list(shop.gateways)
        if self.gateway is not None:
            chosen = [shop.gateway(self.gateway).gateway_id]
        for gateway_id in chosen:
            self.act(shop, gateway_id)
        return chosen

    def act(self, shop: Shop, gateway_id: str) -> None:
        """Do it to one gateway: each kind says how."""


class GatewayOff(OnGateway, frozen=True, kw_only=True, tag="gateway_off"):
    """Lose power."""

    def act(self, shop: Shop, gateway_id: str) -> None:
        """Lose power."""
        shop.switch_off(gateway_id)


class GatewayOn(OnGateway, frozen=True, kw_only=True, tag="gateway_on"):
    """Get it back."""

    def act(self, shop: Shop, gateway_id: str) -> None:
        """Get it back."""
        shop.switch_on(gateway_id)


class GatewayRestart(OnGateway, frozen=True, kw_only=True, tag="gateway_restart"):
    """Reboot."""

    def act(self, shop: Shop, gateway_id: str) -> None:
        """Reboot."""
        shop.restart_gateway(gateway_id)


class GatewayClock(OnGateway, frozen=True, kw_only=True, tag="gateway_clock"):
    """Set a clock wrong."""

    skew: SkewS

    def act(self, shop: Shop, gateway_id: str) -> None:
        """Set a clock wrong."""
        shop.gateways[gateway_id].clock_skew_ms = round(self.skew * MS_PER_S)


class GatewayRoom(OnGateway, frozen=True, kw_only=True, tag="gateway_room"):
    """Take less at once, until a reboot."""

    capacity: Positive

    def act(self, shop: Shop, gateway_id: str) -> None:
        """Take less at once, until a reboot."""
        shop.gateways[gateway_id].capacity = self.capacity


# -- labels ------------------------------------------------------------------------------------


class OnLabel(Button, frozen=True, kw_only=True):
    """A button for one label, or for a share of all."""

    label: Id | None = None
    share: Share | None = None

    def __post_init__(self) -> None:
        if (self.label is None) == (self.share is None):
            raise ValueError("name a label, or a share of all: one of the two")

    def press(self, shop: Shop) -> list[str]:
        """Do it to the label, or to as many as were asked for."""
        if self.label is not None:
            chosen = [shop.label(self.label)]
        else:
            many = round(len(shop.labels) * (self.share or 0.0))
            first = [label for label in shop.labels.values() if self.changes(label)]
            rest = [label for label in shop.labels.values() if not self.changes(label)]
            chosen = shop.random.sample(first, min(many, len(first)))
            chosen += shop.random.sample(rest, many - len(chosen))
        for label in chosen:
            self.act(label)
        return [label.label_id for label in chosen]

    def changes(self, label: SimLabel) -> bool:
        """Say whether it makes a difference to a label: chance chooses among those first."""
        del label
        return True

    def act(self, label: SimLabel) -> None:
        """Do it to one label: each kind says how."""


class LabelDies(OnLabel, frozen=True, kw_only=True, tag="label_dies"):
    """Answer no more."""

    def changes(self, label: SimLabel) -> bool:
        """Not twice."""
        return not label.dead

    def act(self, label: SimLabel) -> None:
        """Answer no more."""
        label.dead = True


class LabelBattery(OnLabel, frozen=True, kw_only=True, tag="label_battery"):
    """Get a full battery, and start with nothing."""

    def changes(self, label: SimLabel) -> bool:
        """Not twice."""
        return label.dead

    def act(self, label: SimLabel) -> None:
        """Get a full battery, and start with nothing."""
        label.change_battery()


class LabelVolts(OnLabel, frozen=True, kw_only=True, tag="label_volts"):
    """Have another voltage."""

    mv: Millivolts

    def act(self, label: SimLabel) -> None:
        """Have another voltage."""
        label.battery_uv = self.mv * 1000.0


class LabelSleeps(OnLabel, frozen=True, kw_only=True, tag="label_sleeps"):
    """Do not answer."""

    def changes(self, label: SimLabel) -> bool:
        """Not twice."""
        return not label.asleep

    def act(self, label: SimLabel) -> None:
        """Do not answer."""
        label.asleep = True


class LabelWakes(OnLabel, frozen=True, kw_only=True, tag="label_wakes"):
    """Answer again."""

    def changes(self, label: SimLabel) -> bool:
        """Not twice."""
        return label.asleep

    def act(self, label: SimLabel) -> None:
        """Answer again."""
        label.asleep = False


class LabelReboots(OnLabel, frozen=True, kw_only=True, tag="label_reboots"):
    """Lose a painting under way."""

    def act(self, label: SimLabel) -> None:
        """Lose a painting under way."""
        label.reboot()


class LabelForgets(OnLabel, frozen=True, kw_only=True, tag="label_forgets"):
    """Lose all memory."""

    def act(self, label: SimLabel) -> None:
        """Lose all memory."""
        label.lose_memory()


class LabelStuck(OnLabel, frozen=True, kw_only=True, tag="label_stuck"):
    """Be unable to paint."""

    stuck: bool = True

    def changes(self, label: SimLabel) -> bool:
        """Not twice."""
        return label.stuck is not self.stuck

    def act(self, label: SimLabel) -> None:
        """Be unable to paint."""
        label.stuck = self.stuck


class LabelFails(OnLabel, frozen=True, kw_only=True, tag="label_fails"):
    """Fail once, with a code."""

    code: FailureCode

    def act(self, label: SimLabel) -> None:
        """Fail once, with a code."""
        label.fails_next = self.code


class LabelTemperature(OnLabel, frozen=True, kw_only=True, tag="label_temperature"):
    """Be warmer or colder."""

    celsius: Celsius

    def act(self, label: SimLabel) -> None:
        """Be warmer or colder."""
        label.temperature_c = self.celsius


class LabelMoves(Button, frozen=True, kw_only=True, tag="label_moves"):
    """Be carried elsewhere."""

    label: Id
    gateways: list[Id]
    dbm: Dbm | None = None

    def press(self, shop: Shop) -> list[str]:
        """Be carried elsewhere."""
        shop.move_label(self.label, self.gateways, dbm=self.dbm)
        return [self.label]


class LabelClone(Button, frozen=True, kw_only=True, tag="label_clone"):
    """Turn up twice."""

    label: Id
    gateway: Id

    def press(self, shop: Shop) -> list[str]:
        """Turn up twice."""
        shop.clone_label(self.label, self.gateway)
        return [self.label]


class Press(Button, frozen=True, kw_only=True, tag="press"):
    """Press a button."""

    label: Id
    button: Byte = 0

    def press(self, shop: Shop) -> list[str]:
        """Press a button."""
        shop.press_button(self.label, self.button)
        return [self.label]


class Tap(Button, frozen=True, kw_only=True, tag="tap"):
    """Hold a phone to a label."""

    label: Id

    def press(self, shop: Shop) -> list[str]:
        """Hold a phone to a label."""
        shop.tap(self.label)
        return [self.label]


# -- the ways between --------------------------------------------------------------------------


class Network(Button, frozen=True, kw_only=True, tag="network"):
    """Lose, double and damage MQTT payloads from now on."""

    lose: Share = 0.0
    duplicate: Share = 0.0
    corrupt: Share = 0.0

    def press(self, shop: Shop) -> list[str]:
        """Set the shares, for all gateways."""
        if shop.faults is None:
            raise InvalidInput.at("/do", "this shop was built without network faults")
        shop.faults.lose = self.lose
        shop.faults.duplicate = self.duplicate
        shop.faults.corrupt = self.corrupt
        return list(shop.gateways)


class Air(Button, frozen=True, kw_only=True, tag="radio"):
    """Lose what gateways and labels say to each other."""

    loss: Share

    def press(self, shop: Shop) -> list[str]:
        """Set the share, for all gateways."""
        for gateway in shop.gateways.values():
            gateway.radio.options = replace(gateway.radio.options, loss=self.loss)
        return list(shop.gateways)


AnyButton = (
    GatewayOff
    | GatewayOn
    | GatewayRestart
    | GatewayClock
    | GatewayRoom
    | LabelDies
    | LabelBattery
    | LabelVolts
    | LabelSleeps
    | LabelWakes
    | LabelReboots
    | LabelForgets
    | LabelStuck
    | LabelFails
    | LabelTemperature
    | LabelMoves
    | LabelClone
    | Press
    | Tap
    | Network
    | Air
)
