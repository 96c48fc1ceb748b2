"""Put the pages into the application."""

from fastapi import FastAPI

from api.console import sign_in


def install(app: FastAPI) -> None:
    """Add the console's pages."""
    app.include_router(sign_in.router)
