"""What every test may ask for. The services themselves are in ``tests/services.py``."""

import logging
import os
import shutil
from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path

import pytest
import structlog
from hypothesis import settings
from playwright.async_api import Route, async_playwright

from esl.store.database import Database
from esl.store.migrate import migrate
from tests import services
from tests.builders import NOON
from tests.services import BrowserPage, Mosquitto, Postgres

PROJECT = Path(__file__).resolve().parent.parent
PRICE_LISTS = PROJECT.parent / "shared" / "data" / "pricelists"


settings.register_profile("same every time", derandomize=True, database=None)


def pytest_configure() -> None:
    """Refuse a misspelt ``ESL_TEST_REQUIRE``: it would require nothing, in silence.

    Where services are required, examples are the same every time, so that a change is judged by
    what it changes; everywhere else each run looks at new ones.
    """
    try:
        required = services.required_services(os.environ.get(services.REQUIRE_VARIABLE, ""))
    except ValueError as exc:
        raise pytest.UsageError(str(exc)) from exc
    if required:
        settings.load_profile("same every time")
    log_aside()


def log_aside() -> None:
    """Log to pytest's own capture, from the level of production on.

    A controller in this process would else print between what a command under test prints.
    """
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            structlog.processors.format_exc_info,
            structlog.processors.KeyValueRenderer(key_order=["event"]),
        ],
        wrapper_class=structlog.make_filtering_bound_logger(logging.INFO),
        logger_factory=structlog.stdlib.LoggerFactory(),
        cache_logger_on_first_use=False,
    )


@pytest.fixture
def mosquitto(tmp_path: Path) -> Iterator[Mosquitto]:
    """A running mosquitto of this test's own; ``stop``, ``kill`` and ``start`` it at will."""
    broker = Mosquitto(tmp_path / "mosquitto")
    broker.start()
    yield broker
    broker.stop()


@pytest.fixture(scope="session")
def postgres() -> Iterator[Postgres]:
    """A running PostgreSQL, one for all tests of this process."""
    server = Postgres()
    server.start()
    yield server
    server.discard()


@pytest.fixture(scope="session")
def postgres_url(postgres: Postgres) -> str:
    """The address of a PostgreSQL server, for tests that leave nothing in it."""
    return postgres.url()


@pytest.fixture
def fresh_postgres_url(postgres: Postgres) -> Iterator[str]:
    """The address of an empty database of this test's own."""
    name = postgres.create_database()
    yield postgres.url(name)
    postgres.drop_database(name)


@pytest.fixture(scope="session")
def migrated_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An SQLite file with today's schema and nothing in it, to be copied."""
    path = tmp_path_factory.mktemp("migrated") / "esl.db"
    _migrate(f"sqlite:///{path}")
    return path


@pytest.fixture(scope="session")
def migrated_name(postgres: Postgres) -> str:
    """A database of the server with today's schema and nothing in it, to be copied."""
    name = postgres.create_database()
    _migrate(postgres.url(name))
    return name


def _migrate(url: str) -> None:
    made = Database(url)
    migrate(made, NOON)
    made.close()


@pytest.fixture(params=["sqlite", "postgresql"])
def either_database(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Database]:
    """A migrated database of either kind, of this test's own."""
    if request.param == "sqlite":
        empty: Path = request.getfixturevalue("migrated_file")
        own = shutil.copy(empty, tmp_path / "esl.db")
        opened = Database(f"sqlite:///{own}")
        yield opened
        opened.close()
        return
    server: Postgres = request.getfixturevalue("postgres")
    name = server.create_database(like=request.getfixturevalue("migrated_name"))
    opened = Database(server.url(name))
    yield opened
    opened.close()
    server.drop_database(name)


@pytest.fixture
def database(either_database: Database) -> Database:
    """The same, unless a file has a database of its own kind."""
    return either_database


@pytest.fixture(scope="session")
def chromium_path() -> Path:
    """The browser's program."""
    return services.require("chromium")


@pytest.fixture
async def browser_page(chromium_path: Path) -> AsyncIterator[BrowserPage]:
    """A page in a new browser that reaches 127.0.0.1 and nothing else."""
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(
            executable_path=chromium_path, args=list(services.CHROMIUM_ARGUMENTS)
        )
        context = await browser.new_context()
        opened = BrowserPage(page=await context.new_page())
        context.on("request", lambda request: opened.requested.append(request.url))
        opened.page.on("websocket", lambda socket: opened.requested.append(socket.url))
        opened.page.on("pageerror", lambda error: opened.errors.append(str(error)))
        opened.page.on(
            "console",
            lambda message: opened.errors.append(message.text) if message.type == "error" else None,
        )
        await context.route(services.leaves_this_machine, _refuse)
        yield opened
        await browser.close()


async def _refuse(route: Route) -> None:
    await route.abort("addressunreachable")


@pytest.fixture
def price_list() -> Callable[[str], Path]:
    """Find a real supermarket's price list; they are no part of this project."""

    def find(name: str) -> Path:
        path = PRICE_LISTS / name
        if not path.exists():
            pytest.skip(f"the real price list {name} is not beside the project (../shared/data)")
        return path

    return find
