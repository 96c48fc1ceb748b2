"""Drawing pages and pieces of pages from ``html/``; everything put in is escaped.

Texts are said in the language that is spoken while a page is drawn (`api.console.languages`).
"""

from jinja2 import Environment, PackageLoader, StrictUndefined

from api.console.assets import Assets
from api.console.languages import NAMES, spoken

ASSETS = Assets()


def _said(text: str) -> str:
    return spoken().words.gettext(text)


def _said_many(one: str, many: str, num: int) -> str:
    return spoken().words.ngettext(one, many, num)


_ENVIRONMENT = Environment(
    loader=PackageLoader("api.console", "html"),
    extensions=["jinja2.ext.i18n"],
    autoescape=True,
    undefined=StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
    auto_reload=False,  # files of the package stay as they are while it runs
)
_ENVIRONMENT.policies["ext.i18n.trimmed"] = True
_ENVIRONMENT.install_gettext_callables(  # type: ignore[attr-defined]  # the extension's
    _said,
    _said_many,
    newstyle=False,
)
_ENVIRONMENT.globals.update(
    asset=ASSETS.address,
    version=ASSETS.version,
    is_plain=False,
    spoken=spoken,
    languages=NAMES,
)


def warn_of_plain_http(*, is_plain: bool) -> None:
    """Have every page say, or not, that what is typed into it travels readable."""
    _ENVIRONMENT.globals["is_plain"] = is_plain


def draw(name: str, **values: object) -> str:
    """Draw a template: ``wall`` is ``html/wall.html``.

    Without blanks around it: a page that takes pieces of itself anew would keep those of each.
    """
    return _ENVIRONMENT.get_template(f"{name}.html").render(**values).strip()
