"""What was done is told on the next page, and nobody else's words are."""

import base64
import json
from typing import Any

import pytest
from starlette.requests import Request

from api.console.acting import Undo, Wrong, go_on, said_in, wrong_of
from api.console.own_api import ApiProblem


def asked_with(cookie: str) -> Request:
    headers = [(b"cookie", f"esl_said={cookie}".encode())]
    return Request({"type": "http", "headers": headers})


def packed(value: Any) -> str:
    return base64.urlsafe_b64encode(json.dumps(value).encode()).decode()


def test_what_was_done_is_told_with_the_way_back() -> None:
    answer = go_on("/held", "Paired: čaj", undo=Undo(path="/undo", fields={"step": "7"}))
    assert (answer.status_code, answer.headers["location"]) == (303, "/held")
    cookie = answer.headers["set-cookie"]
    assert "HttpOnly" in cookie
    assert "SameSite=strict" in cookie
    said = said_in(asked_with(cookie.partition(";")[0].partition("=")[2].strip('"')))
    assert said is not None
    assert said.text == "Paired: čaj"
    assert said.undo == Undo(path="/undo", fields={"step": "7"})


@pytest.mark.parametrize(
    "cookie",
    [
        "",
        "%%%",
        "bm90IGpzb24=",
        packed("text"),
        packed([1, None]),
        packed(["x", ["https://elsewhere.example", {}]]),
        packed(["x", ["//elsewhere.example", {}]]),
        packed(["x", ["/\\elsewhere.example", {}]]),
        packed(["x", ["/undo", ["step"]]]),
        packed(["x", []]),
        packed(["x", ["/undo", {"step": 7}]]),
        packed([["x"], None]),
        packed(["x"]),
        packed({}),
        "A" * 100_000,
    ],
)
def test_a_cookie_that_is_not_ours_says_nothing(cookie: str) -> None:
    assert said_in(asked_with(cookie)) is None


def test_a_long_text_is_cut() -> None:
    said = said_in(asked_with(packed(["x" * 5000, None])))
    assert said is not None
    assert len(said.text) == 600


def test_a_refusal_is_put_into_words_field_by_field() -> None:
    problem = {
        "title": "Unprocessable",
        "detail": "1 field is wrong",
        "errors": [{"pointer": "/price", "detail": "not a price", "fix": "Send 1.29."}],
    }
    wrong = wrong_of(ApiProblem(422, problem))
    assert isinstance(wrong, Wrong)
    assert wrong.text == "1 field is wrong."
    assert wrong.at("/price") == "Not a price. Send 1.29."
    assert wrong.at("/sku") == ""
    assert wrong.elsewhere("/price") == []
    assert wrong.elsewhere("/sku") == ["Not a price. Send 1.29."]
