"""A template: YAML text, read, checked and ready to be compiled for panels.

    text ─▶ yaml_text ─▶ models (pydantic) ─▶ checks ─▶ Template

Nothing here knows fonts or pixels. What is wrong is told at once and in full, each problem with a
JSON pointer into the file, its line, and what to do.
"""

import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

from pydantic import ValidationError

from esl.domain.errors import FieldProblem, InvalidInput
from esl.domain.face import Face
from esl.intake.face_json import parse_face
from renderer.pictures.picture import Picture
from renderer.template.checks import check_file
from renderer.template.model_problems import PROBLEMS_MOST, explain_errors
from renderer.template.models import TemplateFile
from renderer.template.yaml_text import YamlDocument, read_yaml

NO_PICTURES: Mapping[str, Picture] = MappingProxyType({})


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Template:
    """A checked template; equal to another if its digest is."""

    file: TemplateFile
    digest: str  # SHA-256 of what decides its pixels: words, variants, products and pictures
    text: str  # the YAML as written
    lines: Mapping[str, int]  # "variants/0/elements/3" -> 1-based line of the text
    pictures: Mapping[str, Picture]  # those its image elements name
    sample: Face
    worst_case: Face

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Template) and self.digest == other.digest

    def __hash__(self) -> int:
        return hash(self.digest)


def parse_template(text: str, *, pictures: Mapping[str, Picture] = NO_PICTURES) -> Template:
    """Read a template.

    Raises:
        InvalidInput: With a JSON pointer, the line and a fix for everything that is wrong.
    """
    document = read_yaml(text)
    if not isinstance(document.data, dict):
        raise InvalidInput.at(
            "", "not a template", fix="Begin with name:, title:, sample: and variants:."
        )
    try:
        file = TemplateFile.model_validate(document.data)
    except ValidationError as exc:
        errors = exc.errors(include_url=False, include_input=False)
        raise _with_lines(explain_errors(errors, document.data), document) from None
    checked = check_file(file, pictures)
    problems = checked.problems
    faces: list[Face] = []
    for name in ("sample", "worst_case"):
        try:
            faces.append(_read_face(document.data[name], file, path=f"/{name}"))
        except InvalidInput as exc:
            problems.extend(exc.problems)
    if problems:
        raise _with_lines(problems, document)
    named = {name: pictures[name] for name in sorted(_picture_names(document.data["variants"]))}
    return Template(
        file=file,
        digest=_digest(file, named),
        text=text,
        lines=document.lines,
        pictures=MappingProxyType(named),
        sample=faces[0],
        worst_case=faces[1],
    )


def _picture_names(data: Any) -> set[str]:
    """Find the pictures that image elements name, wherever they stand."""
    match data:
        case {"type": "image", "name": str(name)}:
            return {name}
        case dict():
            return set[str]().union(*map(_picture_names, data.values()))
        case list():
            return set[str]().union(*map(_picture_names, data))
        case _:
            return set()


def _read_face(value: Any, file: TemplateFile, *, path: str) -> Face:
    face = parse_face(value, path=path)
    if 1 + len(face.others) > file.products:
        raise InvalidInput.at(
            f"{path}/products",
            f"{1 + len(face.others)} products, and a label with it has up to {file.products}",
            fix="Say products: at the top of the file, or leave some out.",
        )
    return face


def _with_lines(problems: Iterable[FieldProblem], document: YamlDocument) -> InvalidInput:
    found = sorted((find_line(document.lines, p.path), i, p) for i, p in enumerate(problems))
    return InvalidInput(
        FieldProblem(path=p.path, detail=f"line {line}: {p.detail}", fix=p.fix)
        for line, _, p in found[:PROBLEMS_MOST]
    )


def find_line(lines: Mapping[str, int], path: str) -> int:
    """Find the line of a place, or of the nearest thing around it that was written."""
    step = path.removeprefix("/")
    while step not in lines:
        step = step.rpartition("/")[0]
    return lines[step]


def _digest(file: TemplateFile, pictures: Mapping[str, Picture]) -> str:
    meaning = file.model_dump(mode="json", include={"products", "words", "variants"})
    meaning["pictures"] = {name: picture.digest for name, picture in pictures.items()}
    canonical = json.dumps(meaning, sort_keys=True, ensure_ascii=True, separators=(",", ":"))
    return hashlib.sha256(canonical.encode()).hexdigest()
