"""Templates as pages: listed, copied, looked at while written, published, compared, rolled back."""

import json
import re
from collections.abc import Iterator
from html import unescape

import httpx2
import numpy as np
import pytest

from api.console.template_help import language_help
from api.console.template_list import renamed
from api.console.text_changes import changes_between
from renderer.lint.finding import Severity
from renderer.lint.lint import lint_template
from renderer.pictures.picture import Ditherer, Picture
from renderer.render import Renderer
from renderer.template.template import parse_template
from tests.panels import PANELS
from tests.running_house import STORE_BODY, RunningHouse, check_headers, running_house

STORE = "aisle"
AT = f"/api/v1/stores/{STORE}"
PANEL = "bwry-296x128"
TEXT = """\
name: own
title: "Naziv i cijena"
sample: {name: Jogurt <natur>, price: "0.79", currency: EUR}
worst_case: {name: Jogurt od borovnice, price: "129.99", currency: EUR}
variants:
  - elements:
      - {type: text, value: "{name}", box: [0, 0, "100%", "40%"], min_size: 12, fit: shrink}
      - {type: price, box: [0, "40%", "100%", "60%"]}  # it stays
"""
WRONG = TEXT.replace("type: price", "type: prize")


@pytest.fixture
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningHouse]:
    """A store with three paired labels."""
    with running_house(tmp_path_factory.mktemp("templates") / "data") as running:
        running.done("PUT", AT, STORE_BODY)
        running.done("POST", f"{AT}/products", [{"sku": "1", "name": "Kruh", "price": "1.29"}])
        labels = [f"l-{number}" for number in range(3)]
        running.done("POST", f"{AT}/labels", [{"label": one, "panel": PANEL} for one in labels])
        running.done("POST", f"{AT}/pairings", [{"label": one, "sku": "1"} for one in labels])
        yield running


@pytest.fixture
def browser(house: RunningHouse) -> Iterator[httpx2.Client]:
    made = house.done("POST", "/api/v1/sign-in-links", {})
    with httpx2.Client(base_url=house.url, headers={"Accept": "text/html"}) as client:
        assert client.get(made["url"]).status_code == 303
        yield client


def look(browser: httpx2.Client, address: str) -> str:
    answer = browser.get(address)
    check_headers(answer)
    assert answer.status_code == 200, answer.text[:300]
    return answer.text


def text_in(page: str) -> str:
    found = re.search(r"<textarea[^>]*>\n(.*?)</textarea>", page, re.DOTALL)
    assert found is not None
    return unescape(found[1])


def fields_of(page: str, action: str) -> dict[str, str]:
    """Read the fields that a form carries unseen."""
    form = re.search(rf'<form[^>]*action="{action}".*?</form>', page, re.DOTALL)
    assert form is not None
    sent = re.findall(r'<input type="hidden" name="([^"]*)" value="([^"]*)"', form[0])
    return {name: unescape(value) for name, value in sent}


def send(
    browser: httpx2.Client, page: str, to: str, text: str, *, piece: bool = False, **more: str
) -> httpx2.Response:
    """Send the editor's form as it stands on a page, with what was written in it."""
    fields = fields_of(page, "/templates/own/draft") | {"text": text} | more
    headers = {"HX-Request": "true"} if piece else {}
    parts = {name: (None, value) for name, value in fields.items()}
    return browser.post(f"/templates/own/{to}", files=parts, headers=headers)


def obey(house: RunningHouse, *templates: str) -> None:
    rules = [{"match": {"panel": PANEL}, "template": one} for one in templates]
    house.done("PUT", f"{AT}/template-rules", {"rules": rules}, headers={"If-Match": "*"})


# ── The list ────────────────────────────────────────────────────────────────────────────────


def test_the_gallery_is_shown_with_pictures_and_counts(
    house: RunningHouse, browser: httpx2.Client
) -> None:
    page = look(browser, "/templates")
    assert "No template of your own yet" in page
    pictures = re.findall(r'<img class="glass" src="([^"]+)"', page)
    assert len(pictures) == 11
    picture = browser.get(unescape(pictures[0]))
    assert (picture.status_code, picture.headers["content-type"]) == (200, "image/png")
    counted = look(browser, "/template-uses")
    assert 'id="uses-standard" hx-swap="innerHTML">on 3 labels<' in counted
    assert 'id="uses-promotion" hx-swap="innerHTML">on no label<' in counted
    house.done("PUT", f"{AT}/templates/own", {"text": TEXT})
    own = look(browser, "/templates")
    assert "version 1" in own
    assert "No template of your own yet" not in own


def test_a_copy_is_made_of_the_gallery_and_taken_back(
    house: RunningHouse, browser: httpx2.Client
) -> None:
    page = look(browser, "/templates")
    fields = fields_of(page, "/templates") | {"of": "standard", "name": "shelf"}
    made = browser.post("/templates", data=fields)
    assert (made.status_code, made.headers["location"]) == (303, "/templates/shelf")
    saved = house.done("GET", f"{AT}/templates/shelf")
    original = house.done("GET", f"{AT}/templates/standard")["text"]
    assert saved["text"] == original.replace("name: standard", "name: shelf", 1)
    editor = look(browser, "/templates/shelf")
    assert "shelf is a copy of standard." in editor
    again = browser.post("/templates", data=fields | {"once": "another"})
    assert again.status_code == 412
    assert "There is one already." in again.text
    undone = browser.post(
        "/templates/shelf/delete", data=fields_of(editor, "/templates/shelf/delete")
    )
    assert undone.status_code == 303
    assert house.ask("GET", f"{AT}/templates/shelf").status_code == 404
    odd = browser.post("/templates", data=fields | {"once": "third", "name": "No good"})
    assert odd.status_code == 404
    assert "use a-z, 0-9 and" in unescape(odd.text)


def test_a_name_is_changed_and_nothing_else() -> None:
    text = '# name: no\nname: "old" # the name\nsample: {name: old}\nvariants: []\n'
    assert renamed(text, "new") == text.replace('name: "old"', "name: new")


# ── The editor ──────────────────────────────────────────────────────────────────────────────


def test_the_editor_shows_text_pictures_boxes_and_help(
    house: RunningHouse, browser: httpx2.Client
) -> None:
    house.done("PUT", f"{AT}/templates/own", {"text": TEXT})
    page = look(browser, "/templates/own")
    assert text_in(page) == TEXT
    for kind in ("text", "price", "barcode", "grid"):
        assert f'id="help-{kind}"' in page
    assert 'hx-trigger="load"' in page, "the pictures come by themselves"
    seen = send(browser, page, "draft", TEXT, piece=True).text
    assert seen.count('src="data:image/png;base64,') == 3, "the large one, sample and worst case"
    boxes = re.findall(r'<g class="box"[^>]*data-own="([^"]*)"[^>]*data-lengths="([^"]*)"', seen)
    assert [own for own, _ in boxes] == ["0 0 296 51", "0 51 296 77"]
    places = [(one["start"], one["end"]) for one in json.loads(unescape(boxes[1][1]))]
    assert [TEXT[start:end] for start, end in places] == ["0", '"40%"', '"100%"', '"60%"']
    assert f'data-length="{len(TEXT)}"' in seen
    assert "This is what labels are drawn with." in seen


def test_a_template_of_the_gallery_is_looked_at_and_not_changed(browser: httpx2.Client) -> None:
    page = look(browser, "/templates/standard")
    assert re.search(r"<textarea[^>]* readonly", page)
    assert "Copy it to make it yours" in page
    assert 'id="publish-title"' not in page


def test_what_is_written_is_drawn_and_nothing_is_stored(
    house: RunningHouse, browser: httpx2.Client
) -> None:
    house.done("PUT", f"{AT}/templates/own", {"text": TEXT})
    page = look(browser, "/templates/own")
    before = house.everything_stored()
    moved = send(browser, page, "draft", TEXT.replace('[0, "40%"', '[8, "40%"'), piece=True)
    assert moved.status_code == 200
    assert not moved.text.lstrip().startswith("<!doctype")
    assert 'data-own="8 51 296 77"' not in moved.text, "it would lie outside"
    assert "around it are 296x128 px" in unescape(moved.text)
    smaller = TEXT.replace('[0, "40%", "100%", "60%"]', '[8, "40%", "90%", "60%"]')
    drawn = send(browser, page, "draft", smaller, piece=True)
    assert 'data-own="8 51 266 77"' in drawn.text
    assert 'id="ask"' in drawn.text
    wider = {"also": "bwr-400x300", "stage": "bwr-400x300/worst_case"}
    stage = send(browser, page, "draft", smaller, piece=True, **wider)
    assert stage.text.count("bwr-400x300") >= 2
    assert 'viewBox="0 0 400 300"' in stage.text
    assert house.everything_stored() == before


def test_what_is_wrong_is_told_with_its_line(house: RunningHouse, browser: httpx2.Client) -> None:
    house.done("PUT", f"{AT}/templates/own", {"text": TEXT})
    page = look(browser, "/templates/own")
    drawn = send(browser, page, "draft", WRONG, piece=True)
    assert re.search(r'<li data-severity="error" data-line="8">', drawn.text)
    assert "1 error hinders publishing." in drawn.text
    assert "Pictures come back as soon as it can be read." in drawn.text
    refused = send(browser, page, "publish", WRONG)
    assert refused.status_code == 422
    assert text_in(refused.text) == WRONG, "what was typed stands there"
    assert 'data-written="yes"' in refused.text


HOSTILE = {
    "bomb": "a: &a [x, x, x, x, x, x, x, x, x, x]\n"
    + "".join(
        f"{chr(98 + n)}: &{chr(98 + n)} [{', '.join([f'*{chr(97 + n)}'] * 10)}]\n" for n in range(8)
    ),
    "deep": "x: " + "[" * 200 + "]" * 200,
    "huge": "# " + "ž" * 40_000,
    "longer": "a" * 70_000,
}


@pytest.mark.parametrize("kind", HOSTILE)
def test_hostile_text_is_refused_in_words_and_kept_on_the_page(
    house: RunningHouse, browser: httpx2.Client, kind: str
) -> None:
    house.done("PUT", f"{AT}/templates/own", {"text": TEXT})
    page = look(browser, "/templates/own")
    words = {
        "bomb": "more than 20000 values",
        "deep": "deeper than 24 levels",
        "huge": "more than 64 KiB",
        "longer": "onger than 65536 characters",
    }[kind]
    drawn = send(browser, page, "draft", HOSTILE[kind], piece=True)
    assert drawn.status_code == 200
    assert words in drawn.text
    refused = send(browser, page, "publish", HOSTILE[kind])
    assert refused.status_code == 422
    assert words in refused.text
    assert text_in(refused.text) == HOSTILE[kind]


def test_another_session_can_send_nothing(house: RunningHouse, browser: httpx2.Client) -> None:
    house.done("PUT", f"{AT}/templates/own", {"text": TEXT})
    page = look(browser, "/templates/own")
    for to in ("draft", "publish"):
        assert send(browser, page, to, TEXT + "# x\n", csrf="another").status_code == 403
    assert house.done("GET", f"{AT}/templates/own")["version"] == 1


# ── Publishing ──────────────────────────────────────────────────────────────────────────────


def test_publishing_says_first_how_many_labels_and_can_be_taken_back(
    house: RunningHouse, browser: httpx2.Client
) -> None:
    house.done("PUT", f"{AT}/templates/own", {"text": TEXT})
    obey(house, "own")
    page = look(browser, "/templates/own")
    new = TEXT.replace('"40%", "100%", "60%"', '"40%", "90%", "60%"')
    asked = send(browser, page, "draft?ask=publish", new, piece=True)
    assert "It becomes version 2." in asked.text
    assert "3 labels are redrawn." in asked.text
    assert house.done("GET", f"{AT}/templates/own")["version"] == 1
    once = re.search(r'name="once" value="([^"]+)"', asked.text)
    assert once is not None
    for _ in range(2):  # a second click does nothing a second time
        done = send(browser, page, "publish", new, once=once[1])
        assert (done.status_code, done.headers["location"]) == (303, "/templates/own")
    assert house.done("GET", f"{AT}/templates/own")["version"] == 2
    page = look(browser, "/templates/own")
    assert "Version 2 is published; 3 labels are redrawn." in page
    assert text_in(page) == new
    undo = fields_of(page, "/templates/own/restore")
    assert undo["version"] == "1"
    undone = browser.post("/templates/own/restore", data=undo)
    assert undone.status_code == 303
    now = house.done("GET", f"{AT}/templates/own")
    assert (now["version"], now["text"]) == (3, TEXT)
    used = look(browser, "/templates/own/used")
    assert "3 labels" in used
    assert "/labels/l-0" in used


def test_without_a_script_the_page_asks_too(house: RunningHouse, browser: httpx2.Client) -> None:
    house.done("PUT", f"{AT}/templates/own", {"text": TEXT})
    page = look(browser, "/templates/own")
    asked = send(browser, page, "draft?ask=publish", TEXT + "# more\n")
    assert asked.status_code == 200
    assert text_in(asked.text) == TEXT + "# more\n"
    assert "It becomes version 2." in asked.text


def test_of_two_who_edit_nobody_loses_a_letter(house: RunningHouse, browser: httpx2.Client) -> None:
    house.done("PUT", f"{AT}/templates/own", {"text": TEXT})
    page = look(browser, "/templates/own")
    theirs = TEXT.replace("Naziv i cijena", "Njihov")
    house.done("PUT", f"{AT}/templates/own", {"text": theirs})
    mine = TEXT + "# mine\n"
    refused = send(browser, page, "publish", mine)
    assert refused.status_code == 412
    assert "published version 2 at" in refused.text
    assert text_in(refused.text) == mine
    signs = re.findall(r'<tr data-sign="(new|old)">.*?<code>(.*?)</code>', refused.text)
    assert ("old", "title: &#34;Njihov&#34;") in signs
    assert ("new", "# mine") in signs
    assert house.done("GET", f"{AT}/templates/own")["text"] == theirs
    done = send(browser, refused.text, "publish", mine)
    assert done.status_code == 303
    assert house.done("GET", f"{AT}/templates/own")["text"] == mine


def test_a_template_deleted_meanwhile_keeps_what_was_written(
    house: RunningHouse, browser: httpx2.Client
) -> None:
    house.done("PUT", f"{AT}/templates/own", {"text": TEXT})
    page = look(browser, "/templates/own")
    house.done("DELETE", f"{AT}/templates/own")
    refused = send(browser, page, "publish", TEXT + "# mine\n")
    assert refused.status_code == 412
    assert "Somebody deleted this template while you wrote." in refused.text
    assert text_in(refused.text) == TEXT + "# mine\n"
    assert send(browser, refused.text, "publish", TEXT + "# mine\n").status_code == 303
    assert house.done("GET", f"{AT}/templates/own")["version"] == 3


# ── Versions ────────────────────────────────────────────────────────────────────────────────


def test_versions_are_compared_and_rolled_back_with_undo(
    house: RunningHouse, browser: httpx2.Client
) -> None:
    house.done("PUT", f"{AT}/templates/own", {"text": TEXT})
    second = TEXT.replace("Naziv i cijena", "Drugi")
    house.done("PUT", f"{AT}/templates/own", {"text": second})
    obey(house, "own")
    assert "/templates/own/compare?old=1" in look(browser, "/templates/own")
    page = look(browser, "/templates/own/compare")
    assert "See what it would do" in page
    page = look(browser, "/templates/own/compare?old=1&ask=back")
    assert re.findall(r'data-sign="(old|new)">.*?<code>(.*?)</code>', page) == [
        ("old", "title: &#34;Naziv i cijena&#34;"),
        ("new", "title: &#34;Drugi&#34;"),
    ]
    assert "3 labels are redrawn." in page
    fields = fields_of(page, "/templates/own/restore")
    done = browser.post("/templates/own/restore", data=fields)
    assert (done.status_code, done.headers["location"]) == (303, "/templates/own")
    page = look(browser, "/templates/own")
    assert (text_in(page), "Version 3 is published" in page) == (TEXT, True)
    browser.post("/templates/own/restore", data=fields_of(page, "/templates/own/restore"))
    assert house.done("GET", f"{AT}/templates/own")["text"] == second
    stale = browser.post("/templates/own/restore", data=fields | {"once": "late"})
    assert stale.status_code == 412
    assert house.done("GET", f"{AT}/templates/own")["version"] == 4


def test_deleting_can_be_undone_and_a_rule_hinders_it(
    house: RunningHouse, browser: httpx2.Client
) -> None:
    house.done("PUT", f"{AT}/templates/own", {"text": TEXT})
    obey(house, "own")
    page = look(browser, "/templates/own")
    refused = browser.post("/templates/own/delete", data=fields_of(page, "/templates/own/delete"))
    assert refused.status_code == 409
    assert "Rule 1 of the store names it" in refused.text
    obey(house)
    page = look(browser, "/templates/own")
    done = browser.post("/templates/own/delete", data=fields_of(page, "/templates/own/delete"))
    assert (done.status_code, done.headers["location"]) == (303, "/templates")
    listed = look(browser, "/templates")
    assert "The template own is deleted; its versions are kept." in listed
    browser.post("/templates/own/restore", data=fields_of(listed, "/templates/own/restore"))
    assert house.done("GET", f"{AT}/templates/own")["text"] == TEXT


def test_an_unknown_template_or_version_is_not_there(
    house: RunningHouse, browser: httpx2.Client
) -> None:
    house.done("PUT", f"{AT}/templates/own", {"text": TEXT})
    of_own, of_gallery = "/templates/own/compare?old=9", "/templates/standard/compare"
    for address in ("/templates/none", "/templates/No", of_own, of_gallery):
        assert browser.get(address).status_code == 404, address
    assert browser.get("/templates/own/compare?old=0").status_code == 422


def test_who_may_not_write_looks_only(house: RunningHouse) -> None:
    house.done("PUT", f"{AT}/templates/own", {"text": TEXT})
    scopes = {"name": "reader", "scopes": ["label:read"], "stores": [STORE]}
    token = house.done("POST", "/api/v1/tokens", scopes)["token"]
    headers = {"Accept": "text/html", "Authorization": f"Bearer {token}"}
    with httpx2.Client(base_url=house.url, headers=headers) as reader:
        listed = look(reader, "/templates")
        assert "Copy…" not in listed
        page = look(reader, "/templates/own")
        assert re.search(r"<textarea[^>]* readonly", page)
        assert "Delete…" not in page
        assert 'id="ask"' not in page
        assert "Roll back" not in look(reader, "/templates/own/compare?old=1")
        assert send(reader, page, "draft", TEXT, piece=True).status_code == 200
        assert send(reader, page, "publish", TEXT + "# x\n").status_code == 403
    assert house.done("GET", f"{AT}/templates/own")["version"] == 1


# ── Help and changes ────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("kind", [one.kind for one in language_help().elements])
def test_every_example_may_be_inserted(kind: str) -> None:
    example = next(one.example for one in language_help().elements if one.kind == kind)
    lines = "".join(f"      {line}\n" for line in example.split("\n"))
    head = TEXT.partition("      - {type: text")[0]
    head = head.replace("title:", "products: 2\ntitle:")
    logo = Picture.of("logo", np.full((20, 40, 4), 255, np.uint8), Ditherer.PILLOW)
    template = parse_template(head + lines, pictures={"logo": logo})
    findings = lint_template(Renderer(), template, [PANELS.named(PANEL)])
    errors = [one for one in findings if one.severity is Severity.ERROR]
    assert [one.message for one in errors] == []


def test_changes_stand_with_their_numbers_and_some_lines_around() -> None:
    old = "".join(f"{number}\n" for number in range(1, 31))
    new = old.replace("5\n", "five\n", 1).replace("28\n", "")
    lines = changes_between(old, new)
    assert [(one.sign, one.text, one.old, one.new) for one in lines if one.sign in "+-"] == [
        ("-", "5", 5, None),
        ("+", "five", None, 5),
        ("-", "28", 28, None),
    ]
    assert [one.text for one in lines].index("") == [one.sign for one in lines].index("…")
    assert lines[0].old == 2
    assert changes_between(old, old) == []


def test_texts_of_too_many_lines_take_each_others_place_at_once() -> None:
    old, new = "\n" * 30_000, "a\n" * 30_000
    lines = changes_between(old, new)
    assert len(lines) == 60_000
    assert changes_between(old, old) == []
