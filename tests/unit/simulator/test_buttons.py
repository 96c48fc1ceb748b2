"""Each button does to the shop what it says, and to nothing else."""

import msgspec
import pytest

from esl.domain.errors import InvalidInput, UnknownGateway, UnknownLabel
from simulator.buttons import AnyButton, Button
from simulator.scenario_text import read_button
from tests.unit.simulator.shop_on_a_table import shop_on_a_table


def button(**fields: object) -> AnyButton:
    return read_button(msgspec.json.encode(fields))


LABEL_STATES = [
    ({"do": "label_dies"}, "dead", True),
    ({"do": "label_volts", "mv": 2_100}, "battery_mv", 2_100),
    ({"do": "label_sleeps"}, "asleep", True),
    ({"do": "label_stuck"}, "stuck", True),
    ({"do": "label_fails", "code": "retry"}, "fails_next", "retry"),
    ({"do": "label_temperature", "celsius": -5}, "temperature_c", -5),
    ({"do": "label_forgets"}, "incarnation", 2),
]


@pytest.mark.parametrize(("fields", "name", "value"), LABEL_STATES)
def test_a_label_button_is_for_one_label(fields: dict, name: str, value: object) -> None:
    shop = shop_on_a_table()

    assert button(**fields, label="gw-1-2").press(shop) == ["gw-1-2"]

    changed = [n for n, label in shop.labels.items() if getattr(label, name) == value]
    assert changed == ["gw-1-2"]


def test_a_new_battery_wakes_the_dead_with_nothing_in_mind() -> None:
    shop = shop_on_a_table()
    for name in ("label_dies", "label_battery"):
        button(do=name, label="gw-1-1").press(shop)

    label = shop.labels["gw-1-1"]
    assert (label.dead, label.incarnation, label.battery_mv) == (False, 2, 3_000)


def test_sleepers_wake_and_paintings_break_off() -> None:
    shop = shop_on_a_table()
    for name in ("label_sleeps", "label_wakes", "label_reboots"):
        button(do=name, label="gw-1-1").press(shop)

    assert shop.labels["gw-1-1"].answers


@pytest.mark.parametrize(
    ("does", "undoes"),
    [
        ({"do": "label_dies"}, {"do": "label_battery"}),
        ({"do": "label_sleeps"}, {"do": "label_wakes"}),
        ({"do": "label_stuck"}, {"do": "label_stuck", "stuck": False}),
    ],
)
def test_chance_undoes_what_chance_did(does: dict, undoes: dict) -> None:
    shop = shop_on_a_table(labels=50)
    for _ in range(3):
        [*one] = button(**does, share=0.01).press(shop)
        assert button(**undoes, share=0.01).press(shop) == one


def test_a_share_of_all_labels_is_chosen_by_chance() -> None:
    shop = shop_on_a_table(labels=50)

    chosen = button(do="label_dies", share=0.1).press(shop)

    assert len(chosen) == 10
    assert {n for n, label in shop.labels.items() if label.dead} == set(chosen)
    assert chosen != sorted(chosen)


def test_gateways_lose_power_one_or_all() -> None:
    shop = shop_on_a_table()

    button(do="gateway_off", gateway="gw-2").press(shop)
    assert [shop.is_powered(name) for name in shop.gateways] == [True, False]

    assert button(do="gateway_off").press(shop) == ["gw-1", "gw-2"]
    button(do="gateway_on").press(shop)
    assert all(shop.is_powered(name) for name in shop.gateways)


def test_a_gateway_may_have_a_wrong_clock_and_less_room_until_it_restarts() -> None:
    shop = shop_on_a_table()
    button(do="gateway_clock", gateway="gw-1", skew=-90).press(shop)
    button(do="gateway_room", gateway="gw-1", capacity=2).press(shop)

    gateway = shop.gateways["gw-1"]
    assert (gateway.clock_skew_ms, gateway.capacity) == (-90_000, 2)
    button(do="gateway_restart", gateway="gw-1").press(shop)
    assert gateway.capacity == 128
    assert shop.gateways["gw-2"].clock_skew_ms == 0


def test_a_label_is_carried_to_another_gateway_or_hangs_between_two() -> None:
    shop = shop_on_a_table()

    button(do="label_moves", label="gw-1-1", gateways=["gw-2"], dbm=-70).press(shop)
    assert shop.gateways_of("gw-1-1") == ["gw-2"]
    assert shop.gateways["gw-2"].signal == {"gw-1-1": -70}

    button(do="label_moves", label="gw-1-1", gateways=["gw-1", "gw-2"]).press(shop)
    assert shop.gateways_of("gw-1-1") == ["gw-1", "gw-2"]


def test_a_clone_is_another_label_of_the_same_id() -> None:
    shop = shop_on_a_table()

    button(do="label_clone", label="gw-1-1", gateway="gw-2").press(shop)

    clone = shop.gateways["gw-2"].labels["gw-1-1"]
    assert clone is not shop.labels["gw-1-1"]


def test_network_and_air_get_worse_for_everybody() -> None:
    shop = shop_on_a_table()

    button(do="network", lose=0.2, corrupt=0.1).press(shop)
    button(do="radio", loss=0.3).press(shop)

    assert shop.faults is not None
    assert (shop.faults.lose, shop.faults.duplicate, shop.faults.corrupt) == (0.2, 0.0, 0.1)
    assert [g.radio.loss_at(-50) for g in shop.gateways.values()] == [0.3, 0.3]
    assert all(g.radio.is_lossy for g in shop.gateways.values())


def test_a_shop_without_network_faults_says_so() -> None:
    with pytest.raises(InvalidInput):
        button(do="network", lose=0.2).press(shop_on_a_table(faults=False))


@pytest.mark.parametrize(
    ("fields", "error"),
    [
        ({"do": "gateway_off", "gateway": "gw-9"}, UnknownGateway),
        ({"do": "label_dies", "label": "nobody"}, UnknownLabel),
        ({"do": "press", "label": "nobody"}, UnknownLabel),
        ({"do": "tap", "label": "nobody"}, UnknownLabel),
        ({"do": "label_moves", "label": "gw-1-1", "gateways": ["gw-9"]}, UnknownGateway),
        ({"do": "label_clone", "label": "gw-1-1", "gateway": "gw-9"}, UnknownGateway),
    ],
)
def test_what_is_not_there_is_named(fields: dict, error: type[Exception]) -> None:
    shop = shop_on_a_table()

    with pytest.raises(error):
        button(**fields).press(shop)

    assert shop.gateways_of("gw-1-1") == ["gw-1"]


def test_every_button_is_in_the_table_of_its_module() -> None:
    from simulator import buttons  # noqa: PLC0415  its docstring is the subject

    told = {line.split()[0] for line in (buttons.__doc__ or "").splitlines() if line.strip()}
    kinds: tuple[type[Button], ...] = AnyButton.__args__
    assert {str(kind.__struct_config__.tag) for kind in kinds} <= told
