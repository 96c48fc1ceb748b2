"""The HTTP application over a house."""

from fastapi import FastAPI
from starlette.types import ASGIApp

from api import errors, turns
from api.auth import TokenMemory
from api.compat import pricer, solum
from api.console import pages
from api.edge import Edge
from api.house import House
from api.openapi import PROBLEMS
from api.routes import (
    batches,
    clock,
    commands,
    description,
    fleet,
    flips,
    guards,
    health,
    hook_events,
    hooks,
    imports,
    labels,
    migrations,
    pictures,
    products,
    refused_messages,
    render,
    sources,
    stores,
    template_rules,
    templates,
    tokens,
)
from api.short_way import ShortWay
from api.single_prices import SinglePrices


def create_app(house: House) -> ASGIApp:
    """Build the application; it serves until the house closes."""
    app = FastAPI(
        title="ESL controller",
        version="1",
        openapi_url=None,  # served by a route of ours, which asks for a token
        docs_url=None,  # the stock page loads its scripts from the internet
        redoc_url=None,
        redirect_slashes=False,  # it would lead strangers to wherever their Host header says
        responses=PROBLEMS,
    )
    app.state.house = house
    app.state.tokens = TokenMemory()
    app.state.hooks = house.listeners.door
    app.state.prices = SinglePrices(house, products.single_view)
    turns.install(app)
    errors.install(app)
    parts = (
        *(stores, products, labels, templates, template_rules, pictures, render),
        *(fleet, flips, commands, clock, tokens, description, health, hooks),
        *(guards, batches, sources, hook_events, imports, migrations),
        *(refused_messages,),
        *(solum, pricer),
    )
    for part in parts:
        app.include_router(part.router)
    pages.install(app)
    return Edge(ShortWay(app))
