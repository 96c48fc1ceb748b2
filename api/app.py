"""The HTTP application over a house."""

from fastapi import FastAPI
from starlette.types import ASGIApp

from api import errors
from api.auth import TokenMemory
from api.console import pages
from api.edge import Edge
from api.house import House
from api.routes import health, labels, products, stores, tokens


def create_app(house: House) -> ASGIApp:
    """Build the application; it serves until the house closes."""
    app = FastAPI(
        title="ESL controller",
        version="1",
        openapi_url="/api/v1/openapi.json",
        docs_url=None,  # the stock page loads its scripts from the internet
        redoc_url=None,
    )
    app.state.house = house
    app.state.tokens = TokenMemory()
    errors.install(app)
    for router in (stores.router, products.router, labels.router, tokens.router, health.router):
        app.include_router(router)
    pages.install(app)
    return Edge(app)
