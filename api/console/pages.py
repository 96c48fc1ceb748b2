"""Put the pages into the application."""

from fastapi import FastAPI

from api.console import error_pages, shop, sign_in, wall, wall_events
from api.console.assets import MOUNTED_AT
from api.console.templates import ASSETS


def install(app: FastAPI) -> None:
    """Add the console's pages, their files, and their way to say what went wrong."""
    for router in (wall.router, wall_events.router, shop.router, sign_in.router):
        app.include_router(router)
    app.mount(MOUNTED_AT, ASSETS)
    error_pages.install(app)
