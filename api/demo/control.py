"""The control address of a simulated shop, and the file that tells it to those who may use it."""

import contextlib
import json
import secrets
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

from api.private_files import write_private
from esl.domain.errors import SetupError
from simulator.control import ControlServer
from simulator.shop import Shop


@contextlib.asynccontextmanager
async def serve_control(shop: Shop, path: Path) -> AsyncIterator[None]:
    """Serve a shop's fault buttons; ``path`` holds address and token while the block runs.

    Raises:
        SetupError: The file cannot be written, or is somebody else's.
    """
    _refuse_foreign(path)
    token = secrets.token_urlsafe(32)
    async with ControlServer(shop, token).serve() as url:
        with _control_file(path, json.dumps({"url": url, "token": token})):
            yield


@contextlib.contextmanager
def _control_file(path: Path, text: str) -> Iterator[None]:
    write_private(path, text)
    try:
        yield
    finally:
        path.unlink(missing_ok=True)


def _refuse_foreign(path: Path) -> None:
    """Never write over a file that no simulator left behind: it might be an enrolment file."""
    try:
        left = json.loads(path.read_text())
    except FileNotFoundError:
        return
    except (OSError, ValueError):
        left = None
    if not isinstance(left, dict) or set(left) != {"url", "token"}:
        raise SetupError(f"{path} exists and is no control file; give --control a new name")
