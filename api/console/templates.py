"""Drawing pages and pieces of pages from ``html/``; everything put in is escaped."""

from jinja2 import Environment, PackageLoader, StrictUndefined

from api.console.assets import Assets

ASSETS = Assets()

_ENVIRONMENT = Environment(
    loader=PackageLoader("api.console", "html"),
    autoescape=True,
    undefined=StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
)
_ENVIRONMENT.globals.update(asset=ASSETS.address, version=ASSETS.version, is_plain=False)


def warn_of_plain_http(*, is_plain: bool) -> None:
    """Have every page say, or not, that what is typed into it travels readable."""
    _ENVIRONMENT.globals["is_plain"] = is_plain


def draw(name: str, **values: object) -> str:
    """Draw a template: ``wall`` is ``html/wall.html``."""
    return _ENVIRONMENT.get_template(f"{name}.html").render(**values)
