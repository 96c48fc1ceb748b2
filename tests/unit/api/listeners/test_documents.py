"""What docs/webhooks.md and docs/connectors.md tell people to write is right."""

import json
import re
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from api.listeners.connectors.build import POLLED_SYSTEMS, build_connector
from esl.domain.errors import InvalidInput
from esl.intake.hooks.request import Genuine, HookRequest, HookSecrets
from esl.intake.hooks.verifiers import HookKind, verify
from esl.intake.source_json import parse_source

DOCS = Path(__file__).parents[4] / "docs"
CONNECTORS = (DOCS / "connectors.md").read_text()
WEBHOOKS = (DOCS / "webhooks.md").read_text()
SETTINGS = [
    json.loads(text) for text in re.findall(r"```json settings\n(.*?)```", CONNECTORS, re.DOTALL)
]


def test_every_system_has_its_settings_in_the_document() -> None:
    assert {settings["system"] for settings in SETTINGS} == POLLED_SYSTEMS
    for kind in HookKind:
        assert f"`{kind}`" in WEBHOOKS


@pytest.mark.parametrize("settings", SETTINGS, ids=lambda settings: settings["system"])
def test_the_settings_of_the_document_make_a_connector(settings: dict[str, str]) -> None:
    build_connector(settings, "secret", currency="EUR")
    value = {"name": "x", "store": "main", "kind": "poll", "settings": settings}
    parse_source(value, source_id="x")  # type: ignore[arg-type]


@pytest.mark.parametrize("settings", SETTINGS, ids=lambda settings: settings["system"])
@pytest.mark.parametrize(
    ("wrong", "path"),
    [
        ({"address": ""}, "/settings/address"),
        ({"every_s": "1"}, "/settings/every_s"),
        ({"adress": "https://x"}, "/settings/adress"),
    ],
)
def test_each_wrong_setting_is_named_with_a_fix(
    settings: dict[str, str], wrong: dict[str, str], path: str
) -> None:
    with pytest.raises(InvalidInput) as caught:
        build_connector({**settings, **wrong}, "secret")
    assert path in [problem.path for problem in caught.value.problems]
    assert all(problem.fix for problem in caught.value.problems)


def test_a_connector_needs_its_secret_and_a_known_system() -> None:
    with pytest.raises(InvalidInput, match="secret"):
        build_connector(SETTINGS[0], "")
    with pytest.raises(InvalidInput, match="system"):
        build_connector({"system": "abacus", "address": "https://x"}, "secret")
    with pytest.raises(InvalidInput) as caught:
        build_connector(
            {**SETTINGS[-1], "paging": "scroll", "query": "[1]", "page_size": "x"}, "secret"
        )
    paths = {problem.path for problem in caught.value.problems}
    assert paths == {"/settings/paging", "/settings/query", "/settings/page_size"}


def test_the_sources_of_the_documents_are_taken() -> None:
    bodies = re.findall(r"-d '(\{\"name\".*?\})'", WEBHOOKS + CONNECTORS, re.DOTALL)
    assert len(bodies) == 2
    for body in bodies:
        parse_source(json.loads(body), source_id="my-shop")  # type: ignore[arg-type]


def test_what_the_example_signs_is_genuine() -> None:
    [program] = re.findall(r"```python\n(.*?)```", WEBHOOKS, re.DOTALL)
    [body] = re.findall(r"```json body.json\n(.*?)```", WEBHOOKS, re.DOTALL)
    names: dict[str, Any] = {}
    exec(program, names)  # noqa: S102  our own document
    headers = names["sign"]("quiet", body.encode())
    request = HookRequest(
        body=body.encode(), headers={name.lower(): value for name, value in headers.items()}
    )
    found = verify(HookKind.GENERIC, request, HookSecrets(secrets=["quiet"]), datetime.now(UTC))
    assert isinstance(found, Genuine)
    assert found.event_id == "till-7-0001"
