"""``esl keys missing`` and ``esl keys enrol``: gateways that do not know the key that signs."""

from pathlib import Path
from typing import Annotated, Any

import typer

from api.cli.running import running_client, running_controller
from api.cli.serve import DataDir
from api.client import Client
from api.private_files import write_private
from esl.domain.errors import SetupError

Gateways = dict[str, dict[str, Any]]  # by id: what the API says, and the store's id


def missing(data: DataDir = None) -> None:
    """Name each gateway that was not given the key that signs now, with the one command for it.

    After a restore without keys, that is all of them.
    """
    key = running_controller(data).key_id
    with running_client(data) as client:
        left = sorted(
            gateway
            for gateway, known in _gateways(client).items()
            if key not in known["enrolled_keys"]
        )
    if not left:
        print(f"Every gateway was given an enrolment file with {key}, which signs.")
        return
    where = f" --data {data}" if data is not None else ""
    print(f"{key} signs, which these gateways do not know. Write a file for each, and carry it:")
    for gateway in left:
        print(f"  esl keys enrol {gateway} {gateway}.json{where}")


def enrol(
    gateway: Annotated[str, typer.Argument(help="Id of the gateway.")],
    file: Annotated[Path, typer.Argument(help="The enrolment file to write.")],
    data: DataDir = None,
) -> None:
    """Write a new enrolment file for a gateway: broker, login, and the keys to believe."""
    if file.exists():
        raise SetupError(f"{file} is there already; name another file")
    with running_client(data) as client:
        known = _gateways(client).get(gateway)
        if known is None:
            raise SetupError(f"there is no gateway {gateway}; see: esl keys show")
        text = client.put_text(f"/api/v1/stores/{known['store_id']}/gateways/{gateway}", {})
    write_private(file, text)
    print(f"{file}: carry it to {gateway}, and delete it here; it holds a password")


def _gateways(client: Client) -> Gateways:
    found: Gateways = {}
    for store in client.listed("/api/v1/stores", "stores"):
        known = client.listed(f"/api/v1/stores/{store['store_id']}/gateways", "gateways")
        found.update({one["gateway"]: one | {"store_id": store["store_id"]} for one in known})
    return found
