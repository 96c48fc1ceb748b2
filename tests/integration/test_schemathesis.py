"""The intake's doors against their own description: what is sent is drawn from it, or breaks it.

Whatever comes, an answer has a status and a shape that the description names, and is never a
fault. Ids that exist are put in the place of drawn ones, or nothing would get past the door.
"""

from collections.abc import Iterator
from typing import Any

import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from schemathesis import GenerationMode
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from tests.running_house import STORE_BODY, RunningHouse, running_house

EXAMPLES = 7
"""Of each door and each way of drawing. All of them together take about 15 s."""

INTAKE = (
    *("/price-changes", "/products", "/imports", "/sources", "/mappings", "/quarantine"),
    *("/guards", "/batches", "/freeze", "/thaw", "/neutral", "/hooks"),
)
CHECKS = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_schema_conformance,
]
KNOWN = {"store": "main", "source": "till", "mapping": "till", "sku": "4711"}
MAPPING = {"name": "till", "format": "json", "fields": {"sku": "item.sku", "price": "item.price"}}


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningHouse]:
    with running_house(tmp_path_factory.mktemp("schema")) as running:
        running.done("PUT", "/api/v1/stores/main", STORE_BODY)
        running.done("PUT", "/api/v1/mappings/till", MAPPING)
        running.done("PUT", "/api/v1/sources/till", {"name": "Till", "store": "main"})
        one = {"sku": "4711", "name": "Kava", "price": "4.59"}
        running.done("POST", "/api/v1/stores/main/products", [one])
        yield running


@pytest.mark.parametrize("mode", list(GenerationMode))
def test_every_answer_of_the_intake_is_one_that_is_described(
    house: RunningHouse, mode: GenerationMode
) -> None:
    described = schemathesis.openapi.from_dict(house.done("GET", "/api/v1/openapi.json"))
    found = [operation.ok() for operation in described.get_all_operations()]
    doors = [door for door in found if any(part in door.path for part in INTAKE)]
    assert len(doors) >= 30
    wrong: dict[str, str] = {}
    asked = 0
    for door in doors:
        asked += ask_many(house, door, mode, wrong)
        house.done("PUT", "/api/v1/stores/main", STORE_BODY)  # a drawn one may have replaced it
    assert wrong == {}
    assert asked >= len(doors) * EXAMPLES // 2


def ask_many(house: RunningHouse, door: Any, mode: GenerationMode, wrong: dict[str, str]) -> int:
    """Ask one door what is drawn for it; note what is wrong with its answers."""
    asked = 0

    @settings(
        max_examples=EXAMPLES,
        derandomize=True,
        deadline=None,
        database=None,
        suppress_health_check=list(HealthCheck),
        phases=[Phase.generate],
    )
    @given(case=door.as_strategy(generation_mode=mode))
    def ask(case: Any) -> None:
        nonlocal asked
        asked += 1
        for name, value in KNOWN.items():
            if asked % 4 and name in (case.path_parameters or {}):
                case.path_parameters[name] = value
        headers = {"Authorization": f"Bearer {house.operator}"}
        answer = case.call(base_url=house.url, headers=headers)
        try:
            case.validate_response(answer, checks=CHECKS)
        except BaseExceptionGroup as exc:
            wrong.setdefault(f"{door.label} {answer.status_code}", str(exc.exceptions[0]))

    ask()
    return asked
