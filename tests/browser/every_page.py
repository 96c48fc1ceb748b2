"""Which pages there are: those of the application, so that a new one is looked at unnamed."""

from typing import Final

from fastapi.routing import APIRoute

from api.console.pages import PAGES
from tests.browser.whole_shop import key_of

PIECES: Final = frozenset(
    {"/home/now", "/promotions/{promotion}/now", "/imports/{import_id}/now"}
    | {"/wall/shop", "/wall/tiles", "/wall/events", "/template-uses", "/templates/{template}/used"}
)
"""Parts of pages, and streams."""

ON_THE_WAY: Final = frozenset({"/sign-in/oidc", "/sign-in/oidc/return", "/sign-out/oidc"})
"""To and from somebody else's sign-in: tests/browser/test_provider_sign_in.py."""

SIGNED_OUT: Final = frozenset({"/sign-in", "/welcome"})


def routes() -> dict[str, str]:
    """Return the routes of all pages of somebody who is signed in, by a key for each."""
    found = {
        route.path.replace(":path", "")
        for part in PAGES
        for route in part.router.routes
        if isinstance(route, APIRoute) and "GET" in route.methods
    }
    return {key_of(one): one for one in sorted(found - PIECES - ON_THE_WAY - SIGNED_OUT)}
