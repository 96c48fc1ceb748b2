"""What can be said of a template without drawing it."""

from collections.abc import Iterator

from renderer.lint.elements import walk_elements
from renderer.lint.finding import Remark, Severity
from renderer.template.models import Image
from renderer.template.template import Template


def check_pictures(template: Template) -> Iterator[Remark]:
    """Find image elements whose picture is gone since the template was read."""
    for path, element in walk_elements(template.file):
        if isinstance(element, Image) and element.name not in template.pictures:
            yield Remark(
                path=f"/{path}/name",
                severity=Severity.ERROR,
                code="picture_missing",
                message=f"there is no picture {element.name!r}",
                fix="Upload it under this name, or take the element out.",
            )


def check_words(template: Template) -> Iterator[Remark]:
    """Find words without the language of the data, for which English will stand."""
    faces = {"sample": template.sample, "worst_case": template.worst_case}
    locales = dict.fromkeys(face.locale for face in faces.values())
    for locale in locales:
        language = locale.replace("-", "_").partition("_")[0]
        for key, texts in template.file.words.items():
            if locale not in texts and language not in texts:
                yield Remark(
                    path=f"/words/{key}",
                    severity=Severity.WARNING,
                    code="word_missing",
                    message=f"not in {language!r}, the language of the data; "
                    "English will be printed",
                    fix=f"Add {language}: with the text.",
                )
