"""The page of paper tickets: offered, printed, hung, taken off, undone."""

import re
from collections.abc import Iterator
from html import unescape

import httpx2
import pytest
from sqlalchemy import update

from esl.store.tables import labels
from tests.running_house import STORE_BODY, RunningHouse, check_headers, running_house

AT = "/api/v1/stores/vrsar"


@pytest.fixture
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningHouse]:
    with running_house(tmp_path_factory.mktemp("paper") / "data") as running:
        running.done("PUT", AT, STORE_BODY)
        names = ["a", "b", "c"]
        products = [{"sku": x, "name": f"Kruh <{x}>", "price": "1.29"} for x in names[:2]]
        running.done("POST", f"{AT}/products", products)
        made = [{"label": x, "panel": "bwry-296x128"} for x in names]
        running.done("POST", f"{AT}/labels", made)
        pairings = [{"label": x, "sku": x, "place": f"3/{x}"} for x in names[:2]]
        running.done("POST", f"{AT}/pairings", pairings)
        trouble = {"problem": "not_shown", "due_at": None}
        running.write(lambda tx: tx.execute(update(labels).values(trouble)) and None)
        yield running


@pytest.fixture
def browser(house: RunningHouse) -> Iterator[httpx2.Client]:
    made = house.done("POST", "/api/v1/sign-in-links", {})
    with httpx2.Client(base_url=house.url, headers={"Accept": "text/html"}) as client:
        assert client.get(made["url"]).status_code == 303
        yield client


def forms_of(text: str, action: str) -> list[dict[str, str]]:
    found = re.findall(rf'<form[^>]*action="{re.escape(action)}".*?</form>', text, re.DOTALL)
    hidden = r'<input type="hidden" name="([^"]+)" value="([^"]*)"'
    ticked = r'<input type="checkbox" name="([^"]+)" checked'
    return [
        dict(re.findall(hidden, form)) | dict.fromkeys(re.findall(ticked, form), "on")
        for form in found
    ]


def test_from_trouble_to_paper_and_back(house: RunningHouse, browser: httpx2.Client) -> None:
    page = browser.get("/paper")
    check_headers(page)
    offered, _ = forms_of(page.text, "/paper")
    assert {name for name in offered if name.startswith("take:")} == {"take:a", "take:b"}
    assert "Kruh &lt;a&gt;" in page.text
    sent = browser.post("/paper", data=offered)
    assert sent.status_code == 303
    after = browser.get(sent.headers["location"]).text
    assert "2 tickets are ready to print." in after
    [pdf] = set(re.findall(r'href="(/api/v1/stores/vrsar/paper-sheets/[0-9a-f]+\.pdf)"', after))
    assert browser.get(pdf).content.startswith(b"%PDF-")
    assert "All labels with a product show it, or have a ticket." in after
    house.done("POST", f"{AT}/price-changes", {"sku": "a", "price": "1.49"})
    after = browser.get("/paper").text
    assert "Says something old" in after
    again = next(one for one in forms_of(after, "/paper") if "take:a" in one)
    assert browser.post("/paper", data=again).status_code == 303
    assert "Says something old" not in browser.get("/paper").text
    [ticket] = [
        one["ticket"]
        for one in house.done("GET", f"{AT}/paper-tickets?hangs=true")["tickets"]
        if one["label"] == "b"
    ]
    [form] = forms_of(browser.get("/paper").text, f"/paper/{ticket}")
    gone = browser.post(f"/paper/{ticket}", data=form)
    after = browser.get(gone.headers["location"]).text
    assert "The ticket is gone from the shelf." in after
    undo = next(one for one in forms_of(after, f"/paper/{ticket}") if one["hangs"] == "yes")
    assert browser.post(f"/paper/{ticket}", data=undo).status_code == 303
    assert house.done("GET", f"{AT}/paper-tickets/{ticket}")["state"] == "hangs"


def test_what_cannot_be_printed_is_said(browser: httpx2.Client) -> None:
    sent = {"csrf": forms_of(browser.get("/paper").text, "/paper")[0]["csrf"]}
    answer = browser.post("/paper", data=sent | {"label": "C"})
    assert answer.status_code == 409
    assert "c: it has no price to show." in unescape(answer.text)
    answer = browser.post("/paper", data=sent)
    assert answer.status_code == 422
    partly = browser.post("/paper", data=sent | {"take:a": "on", "take:c": "on"})
    text = browser.get(partly.headers["location"]).text
    assert "1 ticket is ready to print. Not printed, for want of a price: c." in text
    assert browser.post("/paper/77", data=sent | {"hangs": "no"}).status_code == 404


def test_who_only_reads_prints_nothing(house: RunningHouse) -> None:
    headers = {"Authorization": f"Bearer {house.token('label:read')}", "Accept": "text/html"}
    with httpx2.Client(base_url=house.url, headers=headers) as client:
        assert "No paper hangs" in client.get("/paper").text
        assert client.post("/paper", data={"take:a": "on"}).status_code == 403
