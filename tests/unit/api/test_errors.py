"""Every error on purpose has its status and says what to do; a fault says nothing of itself."""

import json
from collections.abc import Iterator

import pytest
from fastapi import FastAPI
from starlette.testclient import TestClient

from api import errors
from esl.domain import errors as kinds
from esl.domain.errors import EslError, FieldProblem, InvalidInput

STATUS = {
    "InvalidInput": 422,
    "NumberUsed": 422,
    "NotFound": 404,
    "UnknownStore": 404,
    "UnknownGateway": 404,
    "UnknownLabel": 404,
    "UnknownProduct": 404,
    "UnknownPanel": 404,
    "UnknownTemplate": 404,
    "UnknownTask": 404,
    "UnknownSource": 404,
    "UnknownMapping": 404,
    "UnknownBatch": 404,
    "UnknownQuarantine": 404,
    "UnknownSubscription": 404,
    "UnknownFlip": 404,
    "UnknownCommand": 404,
    "UnknownProfile": 404,
    "UnknownPromotion": 404,
    "Conflict": 409,
    "AlreadyExists": 409,
    "EditConflict": 412,
    "VersionNotSaid": 428,
    "IdempotencyConflict": 409,
    "NotSignedIn": 401,
    "Forbidden": 403,
    "TokenWorthless": 403,
    "TooOften": 429,
    "RenderRefused": 422,
    "PriceDoesNotFit": 422,
    "NameDoesNotFit": 422,
    "MissingGlyph": 422,
    "CodeDoesNotFit": 422,
    "CodeUnreadable": 422,
    "LayoutDoesNotFit": 422,
    "PictureNotDrawn": 422,
    "TemplateUnusable": 422,
    "TooManyProducts": 422,
    "Unavailable": 503,
    "SetupError": 500,
}
BASES = {"EslError", "AccessDenied"}


def _every_kind(kind: type[EslError] = EslError) -> Iterator[type[EslError]]:
    for below in kind.__subclasses__():
        if below.__module__ == kinds.__name__:
            yield below
            yield from _every_kind(below)


@pytest.mark.parametrize("kind", sorted(_every_kind(), key=lambda k: k.__name__))
def test_every_kind_of_error_has_a_status_and_a_fix(kind: type[EslError]) -> None:
    if kind.__name__ in BASES:
        return
    is_input = issubclass(kind, InvalidInput)
    error = kind.at("/price", "not a price") if is_input else kind("words")
    answer = errors.answer_error(error)
    problem = json.loads(bytes(answer.body))
    assert answer.status_code == problem["status"] == STATUS[kind.__name__]
    assert answer.media_type == "application/problem+json"
    assert problem["title"]
    assert problem["detail"]
    assert problem["fix"]


def test_a_busy_database_says_when_to_come_again() -> None:
    assert errors.answer_error(kinds.Unavailable("busy")).headers["retry-after"] == "1"


def test_bad_fields_are_counted_and_pointed_to() -> None:
    problems = [
        FieldProblem(path="/0/price", detail="not a price", fix="Send another."),
        FieldProblem(path="", detail="unknown field"),
    ]
    problem = json.loads(bytes(errors.answer_error(InvalidInput(problems)).body))
    assert problem["detail"] == "2 fields must be mended; nothing was stored"
    assert problem["errors"] == [
        {"pointer": "/0/price", "detail": "not a price", "fix": "Send another."},
        {"pointer": "", "detail": "unknown field"},
    ]
    one = json.loads(bytes(errors.answer_error(InvalidInput(problems[:1])).body))
    assert one["detail"].startswith("1 field must")
    assert one["fix"] == "Send another."


@pytest.mark.parametrize(
    ("method", "path", "words"),
    [
        ("PUT", "/api/v1/stores/s1", "; nothing was stored"),
        ("POST", "/api/v1/stores/s1/products", "; nothing was stored"),
        ("POST", "/api/v1/render", "; nothing was drawn"),
        ("GET", "/api/v1/stores/s1/templates/own/preview.png", "; nothing was drawn"),
        ("POST", "/api/v1/stores/s1/template-rules/preview", ""),
        ("GET", "/api/v1/labels/L", ""),
    ],
)
def test_only_what_could_have_stored_something_says_that_it_did_not(
    method: str, path: str, words: str
) -> None:
    not_done = errors.what_was_not_done(method, path)
    bad = errors.answer_error(InvalidInput.at("/x", "bad"), not_done=not_done)
    assert json.loads(bytes(bad.body))["detail"] == f"1 field must be mended{words}"
    busy = errors.answer_error(kinds.Unavailable("busy; nothing was stored"), not_done=not_done)
    assert json.loads(bytes(busy.body))["detail"] == f"busy{words}"


@pytest.mark.asvs("16.5.1")
def test_a_fault_of_ours_says_nothing_of_itself(caplog: pytest.LogCaptureFixture) -> None:
    app = FastAPI()
    errors.install(app)

    @app.get("/broken")
    def broken() -> None:
        raise RuntimeError("the secret is 42")

    with TestClient(app, raise_server_exceptions=False) as client:
        answer = client.get("/broken")
    assert answer.status_code == 500
    assert answer.headers["content-type"] == "application/problem+json"
    assert "secret" not in answer.text
    assert "RuntimeError" not in answer.text
    assert answer.json()["fix"]
    assert "request failed" in caplog.text, "but the log has it"
