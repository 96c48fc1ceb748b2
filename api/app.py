"""The HTTP application over a house."""

from fastapi import FastAPI
from starlette.types import ASGIApp

from api import errors, turns
from api.access_tokens import AccessTokens
from api.compat import pricer, solum
from api.console import pages
from api.console.wall_events import WALLS_MOST
from api.edge import Edge
from api.event_stream import EventFeed
from api.guesses import Guesses
from api.house import House
from api.machine_uses import MachineUses
from api.metrics.scrape import Scrape
from api.oidc.provider import Provider
from api.open_streams import OpenStreams
from api.openapi import PROBLEMS
from api.password_desk import PasswordDesk
from api.readiness import Readiness
from api.routes import (
    audit,
    batches,
    batteries,
    clients,
    clock,
    commands,
    description,
    enrolments,
    events,
    fleet,
    flips,
    guards,
    hand_prices,
    health,
    hook_events,
    hooks,
    imports,
    inspections,
    journal,
    label_history,
    labels,
    links,
    mapping_trials,
    me,
    migrations,
    neutral,
    notifications,
    oauth,
    pairings,
    panels,
    paper,
    people,
    pictures,
    places,
    planograms,
    product_lists,
    products,
    promotion_events,
    promotions,
    proposals,
    refreshes,
    refused_messages,
    render,
    scans,
    shelf_report,
    shown,
    sources,
    stores,
    subscriptions,
    template_rules,
    templates,
    till,
    tokens,
    walk_list,
    zones,
)
from api.short_way import ShortWay
from api.single_prices import SinglePrices
from api.visits import Visits


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
    app.state.visits = Visits(house)
    app.state.scrape = Scrape(house)
    app.state.readiness = Readiness(house)
    app.state.forecasts = batteries.Forecasts()
    app.state.health = None  # a look at everything, while somebody waits for it
    app.state.tokens = house.tokens
    app.state.access_tokens = AccessTokens(house.settings.data_dir)
    app.state.uses = MachineUses(house)
    app.state.guesses = Guesses()
    app.state.hooks = house.listeners.door
    app.state.passwords = PasswordDesk()
    app.state.provider = _provider_of(house)
    app.state.events = EventFeed(house)
    app.state.walls = OpenStreams(most=WALLS_MOST)
    app.state.prices = SinglePrices(house, products.single_view)
    turns.install(app)
    errors.install(app)
    parts = (
        *(
            stores,
            product_lists,
            hand_prices,
            products,
            label_history,
            labels,
            panels,
            templates,
            template_rules,
            pictures,
            render,
        ),
        *(fleet, batteries, refreshes, flips, commands, clock, tokens, description, health, hooks),
        *(guards, neutral, batches, mapping_trials, sources, hook_events, imports, migrations),
        *(refused_messages, promotions, promotion_events, till, proposals, journal),
        zones,
        *(subscriptions, events, notifications),
        *(inspections, walk_list, paper, pairings, scans, places, planograms, links),
        *(audit, shown, shelf_report),
        *(people, me, clients, oauth),
        *(solum, pricer),
    )
    for part in (*parts, enrolments):
        app.include_router(part.router)
    pages.install(app)
    return Edge(ShortWay(app), house.settings, meters=house.meters)


def _provider_of(house: House) -> Provider | None:
    oidc = house.settings.oidc
    return Provider(oidc, house.settings.data_dir, house.clock) if oidc is not None else None
