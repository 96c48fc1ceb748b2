"""A shop's own panel models: registered, drawn for, simulated and looked at like any other."""

import asyncio
import io
from pathlib import Path

import httpx2
import numpy as np
import pytest
from PIL import Image

from api.client import Client
from api.demo.sample_shop import Place
from api.demo.shop import Demo
from esl.domain.errors import SetupError
from esl.domain.ids import GatewayId, LabelId, PanelId
from esl.domain.panel_file import EXAMPLE, load_panels
from renderer.packing import unpack
from renderer.preview import screen_rgb
from tests.running_house import STORE_BODY, check_problem, running_house
from tests.shelf import until_settled

OURS = PanelId("bwry-296x128-mine")


@pytest.fixture
def panels_file(tmp_path: Path) -> Path:
    file = tmp_path / "panels.toml"
    file.write_text(EXAMPLE)
    return file


async def test_a_label_of_a_model_of_ours_shows_what_the_wall_shows(
    tmp_path: Path, panels_file: Path
) -> None:
    panels = load_panels(panels_file)
    place = Place(label_id=LabelId("l-1"), panel_id=OURS, gateway_id=GatewayId("gw-1"), sku="1")
    goods = [{"sku": "1", "name": "Kruh", "price": "1.29", "was": "1.69", "badge": "AKCIJA"}]
    running = running_house(
        tmp_path / "data", with_worker=True, patience_s=1.5, panels_file=panels_file
    )
    shop = await asyncio.to_thread(running.__enter__)
    try:
        with Client(shop.url, shop.operator) as client:
            demo = await asyncio.to_thread(
                lambda: Demo(client, [place], paint_s=0.05, seed=1, goods=goods, panels=panels)
            )
            async with demo.shop:
                await asyncio.to_thread(demo.pair)
                await until_settled(demo)
                label = await asyncio.to_thread(shop.done, "GET", "/api/v1/labels/l-1")
                path = f"/api/v1/labels/l-1/frames/{label['shown_digest']}.png"
                picture = await asyncio.to_thread(shop.ask, "GET", path)
                glass = unpack(demo.shop.labels["l-1"].shown_pixels, panels[OURS])
    finally:
        await asyncio.to_thread(running.__exit__, None, None, None)
    seen = np.asarray(Image.open(io.BytesIO(picture.content)).convert("RGB"))
    assert (seen == np.array(screen_rgb(panels[OURS]), np.uint8)[glass]).all()
    assert len(np.unique(glass)) > 1


def test_a_label_whose_model_was_taken_away_says_so_on_the_wall(
    tmp_path: Path, panels_file: Path
) -> None:
    with running_house(tmp_path / "data", panels_file=panels_file) as shop:
        shop.done("PUT", "/api/v1/stores/main", STORE_BODY)
        shop.done("POST", "/api/v1/stores/main/labels", {"label": "l-1", "panel": OURS})
    with running_house(tmp_path / "data") as shop:
        link = shop.done("POST", "/api/v1/sign-in-links", {"uses": 1})["url"]
        with httpx2.Client(trust_env=False) as browser:
            browser.get(link)
            page = browser.get(f"{shop.url}/wall")
        assert page.status_code == 200
        assert f"display model {OURS} is not known any more" in page.text
        answer = shop.ask(
            "POST", "/api/v1/stores/main/labels", json={"label": "l-2", "panel": OURS}
        )
        problem = check_problem(answer, 422, "/panel")
        assert "bwry-296x128" in problem["errors"][0]["fix"]


def test_a_controller_does_not_start_with_a_bad_panels_file(
    tmp_path: Path, panels_file: Path
) -> None:
    panels_file.write_text(EXAMPLE.replace("dpi = 112", "dpi = 5"))
    with (
        pytest.raises(SetupError, match="dpi: no whole number from 40 to 600"),
        running_house(tmp_path / "data", panels_file=panels_file),
    ):
        pass
