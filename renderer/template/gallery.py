"""The gallery: the templates that come with the house, as files of this package."""

from collections.abc import Mapping
from importlib import resources
from types import MappingProxyType

from renderer.template.template import Template, parse_template

_FOLDER = "templates"


def load_gallery() -> Mapping[str, Template]:
    """Read every template of the gallery, by name, in the order of their names.

    Raises:
        InvalidInput: One is wrong, or not named as its file; the tests keep that from happening.
    """
    folder = resources.files("renderer").joinpath(_FOLDER)
    files = sorted(file.name for file in folder.iterdir() if file.name.endswith(".yaml"))
    templates = [parse_template(folder.joinpath(name).read_text("utf-8")) for name in files]
    return MappingProxyType({template.file.name: template for template in templates})
