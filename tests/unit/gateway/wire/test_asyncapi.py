"""`docs/asyncapi.yaml` says what the code and `docs/protocol.md` say, and is sound in itself."""

import json
import os
from collections.abc import Iterator
from typing import Any

import pytest
import yaml

from gateway.wire.failures import FailureCode
from tests.unit.gateway.wire import asyncapi, golden_files, plain_msgpack
from tests.unit.gateway.wire.wire_vectors import VECTORS, Vector


@pytest.fixture(scope="module", autouse=True)
def _update_when_asked() -> None:
    if os.environ.get("ESL_UPDATE_GOLDEN") == "1":
        asyncapi.PATH.write_text(asyncapi.text())


@pytest.fixture(scope="module")
def stored() -> Any:
    return yaml.safe_load(asyncapi.PATH.read_text())


def nodes(value: Any) -> Iterator[Any]:
    yield value
    children = value.values() if isinstance(value, dict) else value
    if isinstance(value, dict | list):
        for child in children:
            yield from nodes(child)


def test_the_file_is_what_code_and_page_make_of_it() -> None:
    assert asyncapi.PATH.read_text() == asyncapi.text()


def test_every_reference_arrives(stored: Any) -> None:
    references = [
        node["$ref"] for node in nodes(stored) if isinstance(node, dict) and "$ref" in node
    ]
    assert references
    for reference in references:
        target = stored
        for step in reference.removeprefix("#/").split("/"):
            target = target[step]


def test_it_has_what_asyncapi_3_asks_for(stored: Any) -> None:
    assert stored["asyncapi"] == "3.0.0"
    assert {"title", "version"} <= set(stored["info"])
    for channel in stored["channels"].values():
        assert "{gateway}" in channel["address"]
        assert set(channel["parameters"]) == {"gateway"}
    for operation in stored["operations"].values():
        assert operation["action"] in ("send", "receive")
    assert all({"host", "protocol"} <= set(server) for server in stored["servers"].values())


def test_it_names_every_failure_code(stored: Any) -> None:
    code = stored["components"]["schemas"]["failed"]["properties"]["code"]
    assert code["examples"] == [code.value for code in FailureCode]


class Checker:
    """As much of JSON Schema as the file uses, over MessagePack values."""

    def __init__(self, document: Any) -> None:
        self._schemas = document["components"]["schemas"]

    def check(self, value: Any, schema: dict[str, Any], path: str = "") -> None:
        if "$ref" in schema:
            schema = self._schemas[schema["$ref"].rpartition("/")[2]]
        assert "const" not in schema or value == schema["const"], path
        match schema.get("type"):
            case "object":
                self._check_map(value, schema, path)
            case "array":
                self._check_array(value, schema, path)
            case "integer":
                assert isinstance(value, int), path
                assert schema["minimum"] <= value <= schema["maximum"], path
            case "boolean":
                assert isinstance(value, bool), path
            case "string":
                binary = schema.get("format") == "binary"
                assert isinstance(value, bytes if binary else str), path
                assert len(value) >= schema.get("minLength", 0), path
                assert len(value) <= schema.get("maxLength", len(value)), path

    def _check_map(self, value: Any, schema: dict[str, Any], path: str) -> None:
        assert isinstance(value, dict), path
        assert set(schema.get("required", ())) <= set(value), path
        fields = schema.get("properties", {})
        others = schema.get("additionalProperties", {})
        for name, item in value.items():
            if not others:
                assert name in fields, f"{path}/{name}"  # vectors hold nothing that is not told
            self.check(item, fields.get(name, others), f"{path}/{name}")

    def _check_array(self, value: Any, schema: dict[str, Any], path: str) -> None:
        assert isinstance(value, list), path
        items = schema["items"]
        if isinstance(items, list):
            assert len(value) == len(items) == schema["minItems"] == schema["maxItems"], path
        else:
            assert len(value) <= schema.get("maxItems", len(value)), path
        for place, item in enumerate(value):
            inner = items[place] if isinstance(items, list) else items
            self.check(item, inner, f"{path}/{place}")


@pytest.mark.parametrize("vector", VECTORS, ids=lambda vector: vector.name)
def test_every_vector_fits_its_schema(stored: Any, vector: Vector) -> None:
    name = getattr(vector.message, "name", "gatewayState")
    value = plain_msgpack.unpack(vector.payload)

    fields = value if name == "gatewayState" else value[0]

    Checker(stored).check(fields, {"$ref": f"#/components/schemas/{name}"}, name)


def test_a_signed_payload_fits_its_schema(stored: Any) -> None:
    signed = json.loads(golden_files.path_of("signed-put").read_text())
    payload = plain_msgpack.unpack(bytes.fromhex(signed["hex"]))

    Checker(stored).check(payload, stored["components"]["messages"]["commands"]["payload"])


@pytest.mark.parametrize(
    ("name", "broken"),
    [
        ("cancel", {"type": "cancel", "id": 0, "entries": []}),
        ("cancel", {"type": "cancel", "id": 1, "entries": [["a"]]}),
        ("cancel", {"type": "cancel", "id": 1}),
        ("time", {"type": "config", "id": 1, "now": 1}),
        ("stored", {"type": "stored", "session": "s", "seq": 1, "digest": b"short"}),
    ],
)
def test_the_schemas_refuse_what_is_none(stored: Any, name: str, broken: Any) -> None:
    with pytest.raises(AssertionError):
        Checker(stored).check(broken, {"$ref": f"#/components/schemas/{name}"})
