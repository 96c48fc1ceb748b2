import pytest

from renderer.template import gallery
from renderer.template.gallery import load_gallery
from renderer.template.template import Template, parse_template


def test_a_template_is_read_when_it_is_asked_for_and_once(monkeypatch: pytest.MonkeyPatch) -> None:
    read: list[Template] = []

    def parse(text: str) -> Template:
        read.append(parse_template(text))
        return read[-1]

    monkeypatch.setattr(gallery, "parse_template", parse)
    templates = load_gallery()
    assert "standard" in templates
    assert list(templates) == sorted(templates)
    assert read == []
    assert templates["standard"] is templates["standard"]
    assert [template.file.name for template in read] == ["standard"]


def test_what_the_gallery_has_not_is_missing() -> None:
    templates = load_gallery()
    assert "../templates/standard" not in templates
    assert templates.get("../templates/standard") is None
    with pytest.raises(KeyError):
        templates["nothing"]
