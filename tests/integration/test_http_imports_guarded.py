"""Real lists under the usual guards: what is held back is wrong in its list, nothing else."""

from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.imports import MAPPINGS, counts, import_done
from tests.running_house import STORE_BODY, RunningHouse, running_house

HELD = {
    "konzum-vrsar-2026-01.csv": (2262, 0),
    "plodine-pleternica-2025-12-29.csv": (10_442, 144),
    "studenac-funtana-2025-12-29.xml": (3618, 0),
}
"""Rows of each list, and how many are held back; test_real_lists says why each of them is."""


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningHouse]:
    with running_house(tmp_path_factory.mktemp("guarded"), with_worker=True) as running:
        yield running


@pytest.mark.parametrize("name", HELD)
def test_a_real_list_is_held_back_only_where_its_unit_price_is_wrong(
    house: RunningHouse, price_list: Callable[[str], Path], name: str
) -> None:
    chain = name.partition("-")[0]
    rows, held = HELD[name]
    guarded = {key: value for key, value in STORE_BODY.items() if key != "guards"}
    house.done("PUT", f"/api/v1/stores/{chain}", guarded)
    mapping = (MAPPINGS / f"{chain}.yaml").read_text("utf-8")
    body = price_list(name).read_bytes()
    assert counts(import_done(house, chain, body, mapping)) == (rows - held, 0, held, 0, 0)
    assert counts(import_done(house, chain, body, mapping)) == (0, rows - held, held, 0, 0)
    reasons: Counter[str] = Counter()
    after = None
    while True:
        more = {"after": after} if after is not None else {}
        page = house.done("GET", f"/api/v1/stores/{chain}/quarantine", **more)
        reasons.update(reason["code"] for one in page["prices"] for reason in one["reasons"])
        after = page["after"]
        if after is None:
            break
    assert reasons == ({"unit_price": held} if held else {})
