"""The gallery: the templates that come with the house, as files of this package."""

from collections.abc import Iterator, Mapping
from importlib import resources

from renderer.template.template import Template, parse_template

_FOLDER = "templates"
_ENDING = ".yaml"


class Gallery(Mapping[str, Template]):
    """Every template of the gallery, by name; each is read when it is first asked for.

    All of them take a fifth of a second, and a controller that starts needs few. May be used from
    several threads.
    """

    def __init__(self) -> None:
        self._folder = resources.files("renderer").joinpath(_FOLDER)
        files = sorted(file.name for file in self._folder.iterdir())
        self._names = dict.fromkeys(
            name.removesuffix(_ENDING) for name in files if name.endswith(_ENDING)
        )
        self._read: dict[str, Template] = {}

    def __getitem__(self, name: str) -> Template:
        """Return a template.

        Raises:
            InvalidInput: Its file is wrong; the tests keep that from happening.
        """
        known = self._read.get(name)
        if known is None:
            if name not in self._names:
                raise KeyError(name)
            text = self._folder.joinpath(f"{name}{_ENDING}").read_text("utf-8")
            known = self._read.setdefault(name, parse_template(text))
        return known

    def __iter__(self) -> Iterator[str]:
        return iter(self._names)

    def __len__(self) -> int:
        return len(self._names)

    def __contains__(self, name: object) -> bool:
        return name in self._names


def load_gallery() -> Mapping[str, Template]:
    """Open the gallery: its templates by name, in the order of their names."""
    return Gallery()
