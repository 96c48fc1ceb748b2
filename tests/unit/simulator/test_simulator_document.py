"""docs/simulator.md names every button, every field, and shows a scenario that can be read."""

import re
from pathlib import Path

import pytest

from simulator import overview, scenario
from simulator.buttons import AnyButton
from simulator.options import FIELD
from simulator.scenario_text import read_scenario

TEXT = Path("docs/simulator.md").read_text()
WORDS = set(re.findall(r"`([a-z_0-9]+)`", TEXT))


@pytest.mark.parametrize("button", AnyButton.__args__, ids=lambda b: b.__struct_config__.tag)
def test_every_button_and_what_goes_with_it_is_there(button: type) -> None:
    config = button.__struct_config__  # type: ignore[attr-defined]

    assert {str(config.tag), *button.__struct_fields__} <= WORDS  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    "form",
    [
        scenario.Scenario,
        scenario.GatewayPlan,
        scenario.RadioPlan,
        scenario.LabelPlan,
        scenario.FirmwarePlan,
        scenario.NetworkPlan,
        overview.GatewaySeen,
        overview.LabelSeen,
        overview.LabelCounts,
        overview.NetworkSeen,
    ],
)
def test_every_field_is_there(form: type) -> None:
    assert set(form.__struct_fields__) <= WORDS | {"gateways"}  # type: ignore[attr-defined]


def test_the_scenario_of_the_page_can_be_read() -> None:
    (example,) = re.findall(r"```yaml\n(.*?)```", TEXT, re.DOTALL)

    read = read_scenario(example)

    assert read.scenario.options().radio.loss == 0.02
    assert len(read.events) == 3


def test_the_field_profile_is_as_the_page_says() -> None:
    radio = FIELD.radio

    assert (radio.bytes_per_s, radio.part_bytes, radio.block_bytes) == (5_000, 99, 4_096)
    assert (radio.block_s, radio.connect_s, radio.check_in_s) == (0.55, 0.35, (40, 600))
    assert (FIELD.rest_s, FIELD.label_timeout_s, FIELD.coldest_c) == (180, 1_300, 0)
    assert radio.tries == 8
