"""``esl bench`` measures what it says, on products it read or invented."""

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from api.bench import products, rendering
from api.bench.products import find_products, invent_products, read_price_lists
from api.bench.rendering import RenderRun, make_face
from api.cli.app import app
from esl.domain.errors import InvalidInput
from esl.domain.gtin import is_gtin
from renderer.template.gallery import load_gallery
from tests.panels import PANELS

KONZUM = (
    "NAZIV PROIZVODA,MARKA PROIZVODA,NETO KOLIČINA,BARKOD\n"
    "MLIJEKO  SVJEŽE,DUKAT,1 l,3850139171587\n"
    "BEZ KODA,X,1 kg,\n"
    "KRIVI KOD,X,1 kg,3850139171588\n"
)
PLODINE = (
    "Naziv proizvoda;Marka;Barkod;\nČAJ ŠIPAK;Franck;3850334111227;\nMLIJEKO;Dukat;3850139171587;\n"
)


@pytest.fixture
def lists(tmp_path: Path) -> Path:
    (tmp_path / "1.csv").write_bytes(KONZUM.encode("utf-8-sig"))
    (tmp_path / "2.csv").write_bytes(PLODINE.encode("cp1250"))
    (tmp_path / "3.csv").write_text("no,price,list\n")
    return tmp_path


def test_price_lists_of_different_shops_give_each_product_once(lists: Path) -> None:
    found = [(p.name, p.gtin, p.net_content) for p in read_price_lists(lists)]
    assert found == [
        ("MLIJEKO SVJEŽE", "3850139171587", "1 l"),
        ("ČAJ ŠIPAK", "3850334111227", "500 g"),
    ]


def test_a_folder_with_too_few_products_is_refused(lists: Path) -> None:
    assert find_products(2, lists)[1] is True
    with pytest.raises(InvalidInput, match="2 products with a GTIN, and 3 are needed"):
        find_products(3, lists)


def test_without_price_lists_products_are_invented_and_it_is_said(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(products, "LISTS_BESIDE", tmp_path)
    made, real = find_products(300, None)
    assert not real
    assert len({p.gtin for p in made}) == 300
    assert all(is_gtin(p.gtin) for p in made)
    assert made == invent_products(300)


def test_every_product_gets_another_price_each_time() -> None:
    for number, product in enumerate(invent_products(50)):
        prices = [make_face(product, number, price).price_minor for price in range(9)]
        assert len(set(prices)) == 9


def test_one_line_of_json_a_panel(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rendering, "WARM_PAIRS", 200)
    monkeypatch.setattr(rendering, "NAIVE_BLOCK", 4)
    arguments = "bench render --json --naive --labels 100 --panel bw-250x122 --panel bwry-296x128"
    result = CliRunner().invoke(app, arguments.split())
    lines = [json.loads(line) for line in result.stdout.splitlines()]
    assert [line["panel"] for line in lines] == ["bw-250x122", "bwry-296x128"]
    for line in lines:
        assert line["template"] == "promotion"
        assert line["warm_pairs"] + 2 * line.get("refused", 0) >= 200
        assert 0 < line["read_back_ms"] < line["decode_ms"]
        assert 500 < line["bytes_zlib"] < 3000
        assert line["warm_labels_per_s"] > line["naive_labels_per_s"] > 0
        assert line["cold_ratio"] > 1


def test_a_table_for_people(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rendering, "WARM_PAIRS", 100)
    result = CliRunner().invoke(
        app, ["bench", "render", "--labels", "100", "--panel", "bw-250x122"]
    )
    assert result.exit_code == 0
    assert "bw-250x122" in result.stdout


def test_an_unknown_template_is_refused_with_the_names_there_are() -> None:
    result = CliRunner().invoke(app, ["bench", "render", "--template", "poster"])
    assert isinstance(result.exception, InvalidInput)
    assert "promotion" in str(result.exception)


def test_pictures_that_repeat_end_the_run() -> None:
    run = RenderRun(
        panel=PANELS.named("bwry-296x128"),
        template=load_gallery()["promotion"],
        products=invent_products(rendering.WARM_UP + 100),
    )
    block = run.cold_blocks()[0]
    block()
    run.check_distinct()
    block()
    with pytest.raises(ValueError, match="this measured a cache"):
        run.check_distinct()
