"""What the commands read and write: templates by name or file, faces, pictures, results."""

import sys
from pathlib import Path
from typing import Any

from esl.domain.errors import InvalidInput, SetupError, UnknownTemplate
from esl.domain.face import Face
from esl.intake.face_json import parse_face
from esl.intake.strict_json import parse_strict_json
from renderer.lint.finding import Finding
from renderer.pictures.images import accept_picture
from renderer.pictures.picture import Picture
from renderer.template.gallery import load_gallery
from renderer.template.spelling import advise_on
from renderer.template.template import Template, parse_template
from renderer.template.yaml_text import BYTES_MOST

STANDARD_INPUT = "-"
DATA_LARGEST_BYTES = 1024 * 1024
_SUFFIXES = frozenset({".png", ".jpg", ".jpeg", ".webp", ".gif", ".bmp"})


def find_template(name: str, pictures: Path | None) -> Template:
    """Read a template of the gallery by its name, or a file by its path; ``-`` is standard input.

    Raises:
        UnknownTemplate: Neither.
        InvalidInput: The template is wrong.
        SetupError: The file cannot be read.
    """
    is_file = name == STANDARD_INPUT or Path(name).suffix in {".yaml", ".yml"}
    if is_file or Path(name).is_file():
        text = read_input(name, BYTES_MOST)
        try:
            return parse_template(text.decode("utf-8"), pictures=read_pictures(pictures))
        except UnicodeDecodeError:
            raise InvalidInput.at("", "not UTF-8", fix="Save it as UTF-8 text.") from None
    gallery = load_gallery()
    if name not in gallery:
        raise UnknownTemplate(f"no template {name!r}: {advise_on(name, gallery)}")
    return gallery[name]


def read_face(name: str) -> Face:
    """Read a face from a JSON file; ``-`` is standard input.

    Raises:
        InvalidInput: It is wrong.
        SetupError: The file cannot be read.
    """
    return parse_face(parse_strict_json(read_input(name, DATA_LARGEST_BYTES)))


def read_pictures(folder: Path | None) -> dict[str, Picture]:
    """Accept every picture of a folder, as an upload would be, named as its file.

    Raises:
        InvalidInput: One is no picture, or its file's name is none for a picture.
        SetupError: The folder cannot be read.
    """
    if folder is None:
        return {}
    try:
        files = sorted(path for path in folder.iterdir() if path.suffix.lower() in _SUFFIXES)
    except OSError as exc:
        raise SetupError(f"cannot read {folder}: {exc.strerror}") from exc
    pictures: dict[str, Picture] = {}
    for path in files:
        try:
            pictures[path.stem] = accept_picture(read_input(str(path), 1 << 26), path.stem)
        except InvalidInput as exc:
            raise InvalidInput.at("", f"{path.name}: {exc.problems[0].detail}") from exc
    return pictures


def read_input(name: str, largest: int) -> bytes:
    """Read a file, or standard input for ``-``, up to a size.

    Raises:
        InvalidInput: It is larger.
        SetupError: It cannot be read.
    """
    try:
        if name == STANDARD_INPUT:
            content = sys.stdin.buffer.read(largest + 1)
        else:
            with Path(name).open("rb") as file:
                content = file.read(largest + 1)
    except OSError as exc:
        raise SetupError(f"cannot read {name}: {exc.strerror}") from exc
    if len(content) > largest:
        raise InvalidInput.at("", f"{name} has more than {largest} bytes")
    return content


def write_output(path: Path, content: bytes) -> None:
    """Write a result.

    Raises:
        SetupError: It cannot be written.
    """
    try:
        path.write_bytes(content)
    except OSError as exc:
        raise SetupError(f"cannot write {path}: {exc.strerror}") from exc


def print_finding(finding: Finding, name: str) -> None:
    """Print what a check found as an editor understands it: file, line, words; then the fix."""
    where = f" [{', '.join(finding.panels)}]" if finding.panels else ""
    data = f" with {' and '.join(finding.data)} data" if finding.data else ""
    print(f"{name}:{finding.line}: {finding.severity}: {finding.message} ({finding.code})")
    print(f"    at {finding.path}{data}{where}")
    print(f"    {finding.fix}")


def print_problems(exc: InvalidInput, name: str) -> None:
    """Print what is wrong with a template's file, a problem a line and its fix below it."""
    for problem in exc.problems:
        place = f" at {problem.path}" if problem.path else ""
        print(f"{name}: error: {problem.detail}{place}")
        if problem.fix:
            print(f"    {problem.fix}")


def summary_of(template: Template) -> dict[str, Any]:
    """Describe a template in a few words, for lists."""
    file = template.file
    return {
        "name": file.name,
        "title": file.title,
        "products": file.products,
        "description": file.description,
    }
