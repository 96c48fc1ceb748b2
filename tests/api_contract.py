"""``python -m tests.api_contract`` writes down what the API promises, after a change that is meant.

A line for each door: its parameters, what a body must have, what it answers. What a client may
rely on is never taken away by accident: `breaks_of` names what was.
"""

import json
import sys
import tempfile
from pathlib import Path
from typing import Any, Final

from tests.running_house import running_house

GOLDEN: Final = Path(__file__).parent / "golden" / "api_contract.json"
Contract = dict[str, dict[str, list[str]]]


def contract_of(document: dict[str, Any]) -> Contract:
    """Sum a description up: doors, and for each what it takes and answers."""
    return {
        f"{method.upper()} {path}": {
            "takes": sorted(_parameter(one) for one in operation.get("parameters", ())),
            "must_have": sorted(_must_have(document, operation)),
            "answers": sorted(_answers(operation)),
        }
        for path, item in sorted(document["paths"].items())
        for method, operation in sorted(item.items())
    }


def breaks_of(before: Contract, now: Contract) -> list[str]:
    """Name what somebody may rely on and is there no more, and what is asked for anew."""
    found: list[str] = []
    for door, promised in before.items():
        if door not in now:
            found.append(f"{door} is gone")
            continue
        held = now[door]
        asked, was = _required(held["takes"]), _required(promised["takes"])
        more = set(held["must_have"]) - set(promised["must_have"])
        less = _names(promised["takes"]) - _names(held["takes"])
        unsaid = set(promised["answers"]) - set(held["answers"])
        found += [f"{door} takes {one} no more" for one in sorted(less)]
        found += [f"{door} wants {one} from now on" for one in sorted(asked - was)]
        found += [f"{door} wants a body with {one} from now on" for one in sorted(more)]
        found += [f"{door} answers {one} no more" for one in sorted(unsaid)]
    return found


def _parameter(one: dict[str, Any]) -> str:
    return f"{one['in']} {one['name']}{' required' if one.get('required') else ''}"


def _name(parameter: str) -> str:
    return parameter.removesuffix(" required")


def _names(parameters: list[str]) -> set[str]:
    return {_name(one) for one in parameters}


def _required(parameters: list[str]) -> set[str]:
    return {_name(one) for one in parameters if one.endswith(" required")}


def _must_have(document: dict[str, Any], operation: dict[str, Any]) -> list[str]:
    body = operation.get("requestBody", {})
    found = ["(a body)"] if body.get("required") else []
    for content in body.get("content", {}).values():
        schema = content.get("schema", {})
        if "$ref" in schema:
            name = schema["$ref"].rpartition("/")[2]
            schema = document["components"]["schemas"][name]
        found += schema.get("required", ())
    return found


def _answers(operation: dict[str, Any]) -> list[str]:
    return [
        f"{status} {kind}".rstrip()
        for status, answer in operation["responses"].items()
        for kind in answer.get("content", {"": None})
    ]


def main() -> None:
    """Write the contract of today."""
    with tempfile.TemporaryDirectory() as folder, running_house(Path(folder)) as house:
        now = contract_of(house.done("GET", "/api/v1/openapi.json"))
    before: Contract = json.loads(GOLDEN.read_text()) if GOLDEN.exists() else {}
    for line in breaks_of(before, now):
        sys.stdout.write(f"a break, to be named in the changelog: {line}\n")
    GOLDEN.write_text(json.dumps(now, indent=1) + "\n")


if __name__ == "__main__":
    main()
