"""A store names its law over HTTP and by command, and a shop's own profile is one of them."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from api.private_files import RuntimeFile, runtime_file
from esl.domain.errors import SetupError
from esl.domain.law import chosen
from esl.domain.law.profile_file import profile_text
from tests.running_house import STORE_BODY, Command, RunningHouse, check_problem, running_house

pytest_plugins = ["tests.shop_over_http"]

STORE = "/api/v1/stores/main"


@pytest.fixture(autouse=True)
def no_own_profiles_afterwards(tmp_path: Path) -> Iterator[None]:
    yield
    empty = tmp_path / "empty"
    empty.mkdir()
    chosen.read_own_profiles(empty)


@pytest.fixture
def laws(tmp_path: Path) -> Path:
    folder = tmp_path / "laws"
    folder.mkdir()
    text = profile_text("us").replace('text = "lb"', 'text = "pound"')
    (folder / "my-shop.toml").write_text(text, encoding="utf-8")
    return folder


def unit_of(shop: RunningHouse) -> tuple[str | None, str | None]:
    face = shop.done("GET", "/api/v1/labels/l-1")["face"]
    return face["unit_price"], face["unit_label"]


def test_a_store_follows_the_law_it_names(tmp_path: Path, laws: Path, command: Command) -> None:
    with running_house(tmp_path / "data", law_dir=laws) as shop:
        shop.done("PUT", STORE, STORE_BODY)
        shop.done("PUT", f"{STORE}/gateways/gw-1", {})
        content = "1000 g"
        soap = {"name": "Soap", "net_content": content, "price": "0.25", "currency": "EUR"}
        shop.done("POST", f"{STORE}/products", [{"sku": "1"} | soap])
        label = {"label": "l-1", "panel": "bwry-296x128", "gateway": "gw-1"}
        shop.done("POST", f"{STORE}/labels", label)
        shop.done("POST", f"{STORE}/pairings", {"label": "l-1", "sku": "1"})
        assert unit_of(shop) == (None, None)

        refused = shop.ask("PUT", STORE, json=STORE_BODY | {"law": "atlantis"})
        problem = check_problem(refused, 422, "/law")
        assert "my-shop" in problem["fix"]
        assert shop.done("PUT", STORE, STORE_BODY | {"law": "my-shop"})["law"] == "my-shop"
        assert unit_of(shop) == ("0.113", "pound")

        data_dir = shop.house.settings.data_dir
        with runtime_file(data_dir, RuntimeFile(url=shop.url, token=shop.operator, pid=1)):
            done = command("law", "set", "main", "us", "--data", data_dir)
            assert (done.status, done.stdout) == (0, "main follows us\n")
            assert unit_of(shop) == ("0.113", "lb")
            back = command("law", "set", "main", "-", "--data", data_dir)
            assert (back.status, unit_of(shop)) == (0, (None, None))

            def goods(*words: str) -> tuple[int, str]:
                ran = command("law", "goods", "main", *words, "--data", data_dir)
                return ran.status, ran.stdout + ran.stderr

            named = "The law hr names: cleaning, drinks, food, household, toiletries"
            assert named in goods()[1]
            said = goods("food=HRANA", "food=Mlijeko i sir", "perfume=Parfum")
            assert said == (0, "food: HRANA, Mlijeko i sir\nperfume: Parfum\n")
            assert goods("perfume=") == (0, "food: HRANA, Mlijeko i sir\n")
            assert shop.done("GET", "/api/v1/stores")["stores"][0]["law_goods"] == {
                "food": ["HRANA", "Mlijeko i sir"]
            }
            for bad in ("HRANA", "caviar=HRANA"):
                assert goods(bad)[0] == 1
            assert goods() == (0, "food: HRANA, Mlijeko i sir\n")
            for wrong in (("main", "atlantis"), ("atlantis", "us")):
                assert command("law", "set", *wrong, "--data", data_dir).status == 1


def test_a_controller_does_not_start_with_a_bad_law_profile(tmp_path: Path, laws: Path) -> None:
    (laws / "at.toml").write_text("title = 5", encoding="utf-8")
    with (
        pytest.raises(SetupError, match=r"at\.toml is no law profile"),
        running_house(tmp_path / "data", law_dir=laws),
    ):
        pass
