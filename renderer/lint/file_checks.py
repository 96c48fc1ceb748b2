"""What can be said of a template without drawing it."""

import fnmatch
from collections.abc import Collection, Iterator

from esl.domain.ids import PanelId
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


def check_patterns(template: Template, known: Collection[PanelId]) -> Iterator[Remark]:
    """Find patterns of panel ids that no model has, in which a letter may be wrong."""
    for number, variant in enumerate(template.file.variants):
        for index, pattern in enumerate(variant.panels):
            if not any(fnmatch.fnmatchcase(panel_id, pattern) for panel_id in known):
                yield Remark(
                    path=f"/variants/{number}/panels/{index}",
                    severity=Severity.WARNING,
                    code="no_such_panel",
                    message=f"no panel model known here is {pattern!r}",
                    fix="Compare it with the ids of `esl panels`; leave it so for a model that "
                    "is still to come.",
                )
