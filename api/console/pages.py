"""Put the pages into the application."""

from fastapi import FastAPI

from api.console import (
    account,
    audit,
    batteries,
    error_pages,
    gateways,
    health,
    held,
    home,
    imports,
    inspections,
    label,
    machines,
    mapping_editor,
    pairing,
    paper,
    people,
    preferences,
    problems,
    products,
    promotion_wizard,
    promotions,
    provider_sign_in,
    shelf_report,
    shop,
    sign_in,
    sources,
    store_settings,
    template_designer,
    template_list,
    template_versions,
    walk,
    wall,
    wall_events,
    welcome,
)
from api.console.assets import MOUNTED_AT
from api.console.languages import Speaking
from api.console.templates import ASSETS, warn_of_plain_http
from esl.settings import is_loopback

PAGES = (
    home,
    promotion_wizard,
    promotions,
    products,
    template_list,
    template_versions,
    template_designer,
    mapping_editor,
    sources,
    imports,
    problems,
    walk,
    held,
    gateways,
    batteries,
    pairing,
    paper,
    label,
    people,
    machines,
    store_settings,
    health,
    audit,
    shelf_report,
    inspections,
    wall,
    wall_events,
    shop,
    sign_in,
    provider_sign_in,
    welcome,
    account,
    preferences,
)


def install(app: FastAPI) -> None:
    """Add the console's pages, their files, and their way to say what went wrong."""
    settings = app.state.house.settings
    warn_of_plain_http(is_plain=not (settings.tls or is_loopback(settings.host)))
    for part in PAGES:
        app.include_router(part.router)
    app.mount(MOUNTED_AT, ASSETS)
    error_pages.install(app)
    app.add_middleware(Speaking, leaves=_is_for_programs)


def _is_for_programs(path: str) -> bool:
    return path.startswith(("/api/", "/compat/", f"{MOUNTED_AT}/"))
