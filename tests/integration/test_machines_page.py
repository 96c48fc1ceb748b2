"""The page about machines: what it sends is taken, as it stands there."""

import os
import subprocess
import sys
from pathlib import Path

from tests.pages import ROOT, blocks_of
from tests.running_house import RunningHouse

pytest_plugins = ["tests.shop_over_http"]

PAGE = ROOT / "docs" / "machines.md"


def test_every_example_sets_its_price(shop: RunningHouse, tmp_path: Path) -> None:
    token = shop.token("price:write", "price:read", stores=("main",))
    (tmp_path / "till.token").write_text(f"{token}\n")
    grant = {"name": "ERP", "scopes": ["price:write", "price:read"], "stores": ["main"]}
    client = shop.done("POST", "/api/v1/clients", grant)
    (tmp_path / "erp.client").write_text(f"{client['id']}:{client['secret']}\n")
    blocks = [block for block in blocks_of(PAGE) if block.kind in {"sh", "python"}]
    assert [block.kind for block in blocks] == ["sh", "sh", "sh", "python"]
    for block, price_minor in zip(blocks, (119, 129, 149, 139), strict=True):
        program = ["sh", "-ec"] if block.kind == "sh" else [sys.executable, "-c"]
        ran = subprocess.run(
            [*program, block.text],
            cwd=tmp_path,
            env=os.environ | {"ESL": shop.url, "PYTHONPATH": str(ROOT), "NO_PROXY": "*"},
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )
        assert ran.returncode == 0, ran.stderr
        assert "accepted" in ran.stdout
        [(stored,)] = shop.read(
            "SELECT price_minor FROM price_event ORDER BY event_id DESC LIMIT 1"
        )
        assert stored == price_minor
