"""Run a controller: the worker and the HTTP server, until a signal or a fault ends both."""

import asyncio
import contextlib
import os
import signal
import socket

import structlog
import uvicorn

from api.app import create_app
from api.connections import PatientProtocol
from api.house import House, open_house
from api.listening import QuietServer, listen_on, server_log
from api.memory import share_one_heap, spare_what_stays
from api.private_files import RuntimeFile, runtime_file
from api.tls.keeper import CertificateKeeper
from api.tls.server_side import ServerTls, server_tls
from esl.settings import Settings

_BROKER_CHECK_S = 1.0
_SHUTDOWN_S = 2
"""A request whose body never comes would hold the shutdown for as long as it stays open."""

log = structlog.get_logger()


async def serve(settings: Settings, *, delivers: bool = True) -> None:
    """Run until SIGTERM or SIGINT; stops within five seconds of it.

    Without ``delivers``, workers send and listen, in processes of their own.

    Raises:
        SetupError: It cannot start; says what to do.
    """
    share_one_heap()
    tls = server_tls(settings)
    listener = listen_on(settings.host, settings.port, fix="choose another port with --port")
    with contextlib.closing(listener):
        async with open_house(settings, delivers=delivers) as house:
            host, port = listener.getsockname()[:2]
            scheme = "http" if tls is None else "https"
            url = f"{scheme}://{f'[{host}]' if ':' in host else host}:{port}"
            runtime = RuntimeFile(
                url=url,
                token=house.operator_token,
                pid=os.getpid(),
                key_id=house.key.key_id,
                certificate=tls.certificate_text() if tls is not None else "",
            )
            server = QuietServer(
                uvicorn.Config(
                    create_app(house),
                    http=PatientProtocol,
                    log_config=None,
                    access_log=False,
                    server_header=False,
                    proxy_headers=False,  # api.proxies decides whom to believe
                    timeout_graceful_shutdown=_SHUTDOWN_S,
                    ssl_context_factory=None if tls is None else lambda *_: tls.context,
                )
            )
            spare_what_stays()
            with runtime_file(settings.data_dir, runtime), server_log():
                _announce(house, url)
                await _run(server, house, listener, tls)


async def _run(
    server: QuietServer, house: House, listener: socket.socket, tls: ServerTls | None
) -> None:
    loop = asyncio.get_running_loop()
    certificates = CertificateKeeper(
        tls, database=house.database, writer=house.writer, data_dir=house.settings.data_dir
    )

    def stop() -> None:
        server.should_exit = True
        house.live.close()

    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop)
    async with asyncio.TaskGroup() as tasks:
        running = [
            tasks.create_task(house.run(), name="house"),
            tasks.create_task(_keep_broker(house), name="broker keeper"),
            tasks.create_task(certificates.run(), name="certificate keeper"),
        ]
        for task in running:
            task.add_done_callback(lambda _: stop())  # a fault of ours ends the server too
        await server.serve(sockets=[listener])
        for task in running:
            task.cancel()


async def _keep_broker(house: House) -> None:
    """Start the embedded broker again should it ever end by itself."""
    if house.embedded is None:
        await asyncio.Event().wait()
        return
    while True:
        await asyncio.sleep(_BROKER_CHECK_S)
        if await asyncio.to_thread(house.embedded.revive):
            log.warning("the embedded broker had ended and was started again")


def _announce(house: House, url: str) -> None:
    broker = f"embedded broker {house.broker}" if house.broker_is_embedded else str(house.broker)
    database = "SQLite" if house.database.is_sqlite else "PostgreSQL"
    parts = f"{broker}, {database}" if house.delivery is not None else f"{database}, no delivery"
    print(f"ESL controller listens on {url} ({parts})", flush=True)  # noqa: T201
