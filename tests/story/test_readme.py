"""What the README tells people to do works as it stands there."""

import asyncio
import json
import re
from pathlib import Path

import pytest

from api.client import Client
from tests.shelf import controller_on

README = (Path(__file__).parents[2] / "README.md").read_text("utf-8")
MAKEFILE = (Path(__file__).parents[2] / "Makefile").read_text("utf-8")


def _requests(client: Client) -> dict[str, object]:
    """Send every request the README shows, in its order; return the answers by path."""
    answers: dict[str, object] = {}
    table = re.findall(r"`(PUT|POST) (/api/\S+)` `(\{.*\})`", README)
    block = re.findall(r"^(PUT|POST|GET)\s+(/api/\S+)\s+#\s*(\{.*\})?", README, re.MULTILINE)
    assert len(table) == 2
    assert len(block) == 4
    for method, path, body in [*table, *block]:
        content = json.loads(body) if body else {}
        if method == "PUT":
            answers[path] = client.put(path, content)
        elif method == "POST":
            answers[path] = client.post(path, content)
        else:
            answers[path] = client.get(path)
    return answers


async def test_every_request_the_readme_shows_is_accepted_in_its_order(tmp_path):
    async with controller_on(tmp_path / "data") as (_, client):
        answers = await asyncio.to_thread(_requests, client)

    assert answers["/api/v1/stores/s1/gateways/aisle-1"]["gateway"] == "aisle-1"
    label = answers["/api/v1/labels/shelf-0001"]
    assert label["face"]["price"] == "3.19"


async def test_the_readmes_curl_changes_a_price_with_the_token_it_names(tmp_path):
    body = json.loads(re.search(r"-d '(\{.*\})'", README)[1])
    shown = json.loads(re.search(r"```json\n(\{\"results\".*)\n```", README)[1])
    async with controller_on(tmp_path / "data") as (_, client):

        def change() -> dict[str, object]:
            client.put(
                "/api/v1/stores/demo",
                {"name": "D", "currency": "EUR", "locale": "hr_HR", "timezone": "Europe/Zagreb"},
            )
            client.put(f"/api/v1/stores/demo/products/{body['sku']}", {"name": "Mlijeko"})
            token = client.post(
                "/api/v1/tokens", {"name": "t", "scopes": ["price:write"], "stores": ["demo"]}
            )["token"]
            with Client(str(client.url), token) as till:
                return till.post("/api/v1/stores/demo/price-changes", body)

        answer = await asyncio.to_thread(change)

    [result], [example] = answer["results"], shown["results"]
    assert set(result) == set(example)
    assert result["decision"] == example["decision"]


@pytest.mark.parametrize(
    "target", sorted(set(re.findall(r"(?:^|`)make ([a-z]+)\b", README, re.MULTILINE)))
)
def test_every_make_target_the_readme_names_exists(target):
    assert re.search(rf"^{target}:", MAKEFILE, re.MULTILINE)


def test_every_file_the_readme_links_to_exists():
    root = Path(__file__).parents[2]
    links = re.findall(r"\]\(([^)#:]+)\)", README)
    assert links
    assert [link for link in links if not (root / link).exists()] == []
