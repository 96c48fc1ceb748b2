"""The controller that runs on a data folder, for commands that speak to it."""

import contextlib
from collections.abc import Iterator
from pathlib import Path

from api.client import Client
from api.private_files import RuntimeFile, read_runtime_file
from esl.domain.errors import SetupError
from esl.settings import read_settings


def running_client(data: Path | None) -> Client:
    """Speak to the controller that runs on a data folder; None: that of the settings.

    Raises:
        SetupError: None does.
    """
    running = running_controller(data)
    return Client(running.url, running.token, certificate=running.certificate)


def running_controller(data: Path | None) -> RuntimeFile:
    """Say how the controller that runs on a data folder is reached.

    Raises:
        SetupError: None does.
    """
    settings = read_settings(data_dir=data)
    running = read_runtime_file(settings.data_dir)
    if running is None:
        raise SetupError(
            f"no controller runs on {settings.data_dir}; start one with: esl serve, "
            f"or name its folder with --data"
        )
    return running


@contextlib.contextmanager
def client_if_running(data_dir: Path, *, patience_s: float) -> Iterator[Client | None]:
    """Speak to the controller that runs on a data folder; None where none answers.

    One that was killed leaves its runtime file behind. What cannot be opened because one runs all
    the same is told by the lock of its books.
    """
    running = read_runtime_file(data_dir)
    if running is None:
        yield None
        return
    with Client(
        running.url, running.token, certificate=running.certificate, patience_s=patience_s
    ) as client:
        yield client if _answers(client) else None


def _answers(client: Client) -> bool:
    try:
        client.get("/healthz")
    except SetupError:
        return False
    return True
