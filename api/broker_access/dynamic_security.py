"""Mosquitto's dynamic security: the same rights, told to a running broker over its control topic.

::

    $CONTROL/dynamic-security/v1             {"commands": [{"command": "createRole", …}, …]}
    $CONTROL/dynamic-security/v1/response    {"responses": [{"command": "createRole", "error": …}]}

Each login has a role of its own with literal topics (``%u`` is expanded from 2.1 on only). The
broker is asked what it knows, and told what is missing; so telling it twice changes nothing, and
one that has lost everything is told everything. It takes passwords in the clear alone.

Learned on 2.0.11: disabling a client, deleting it and giving it another password each end its
session at once; a change of its role does not, and holds from the next message on.
"""

import asyncio
import json
from collections.abc import AsyncIterator, Iterable, Mapping, Sequence
from collections.abc import Set as AbstractSet
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

from api.broker_access.rights import Login, Role, rights_of
from esl.domain.errors import SetupError
from gateway.mqtt import BrokerAddress, MqttConnection, MqttError, connect

CONTROL = "$CONTROL/dynamic-security/v1"
_RESPONSE = f"{CONTROL}/response"
_ROLE_PREFIX = "esl-"
_PATIENCE_S = 20.0
_ALL = -1  # of a list's count: no limit

Answer = Mapping[str, Any]


class DynamicSecurity:
    """The control topic of one broker; made by `open_control`."""

    def __init__(self, connection: MqttConnection) -> None:
        self._connection = connection
        self._number = 0

    async def ask(self, commands: Sequence[Mapping[str, Any]]) -> list[Answer]:
        """Send commands; return the answers in their order.

        Raises:
            MqttError: No answer came; the login may not use the control topic.
        """
        if not commands:
            return []
        self._number += 1
        marks = [f"{self._number}-{index}" for index in range(len(commands))]
        marked = [
            {**one, "correlationData": mark} for one, mark in zip(commands, marks, strict=True)
        ]
        await self._connection.publish(CONTROL, json.dumps({"commands": marked}).encode())
        found: dict[str, Answer] = {}
        try:
            async with asyncio.timeout(_PATIENCE_S):
                while len(found) < len(marks):
                    message = await self._connection.messages.get()
                    for one in json.loads(message.payload).get("responses", ()):
                        if one.get("correlationData") in marks:
                            found[one["correlationData"]] = one
        except TimeoutError:
            raise MqttError("the broker's dynamic security did not answer") from None
        return [found[mark] for mark in marks]

    async def tell(
        self,
        logins: Iterable[Login],
        passwords: Mapping[str, str],
        *,
        renewed: AbstractSet[str] = frozenset(),
    ) -> list[str]:
        """Have the broker know these logins with their rights, and disable others of ours.

        ``passwords`` are those of all of them; ``renewed`` are the logins that got another one,
        whose sessions end. Returns what was done, in the broker's words.

        Raises:
            MqttError: It refused something, or did not answer.
        """
        wanted = {one.username: one for one in logins}
        clients, roles = await self._known()
        commands: list[dict[str, Any]] = [_DENY_ALL]
        for name, login in sorted(wanted.items()):
            role = _role_of(login)
            kind = "modifyRole" if role in roles else "createRole"
            commands.append({"command": kind, "rolename": role, "acls": _acls(login)})
            held = clients.get(name)
            if held is None:
                commands.append(_new_client(login, passwords[name]))
                continue
            of_it = {"username": name}
            if name in renewed:
                new = {"command": "setClientPassword", "password": passwords[name]}
                commands.append(new | of_it)
            if role not in held.roles:
                commands.append({"command": "addClientRole", "rolename": role} | of_it)
            if held.disabled:
                commands.append({"command": "enableClient"} | of_it)
        commands += [
            {"command": "disableClient", "username": name}
            for name, held in sorted(clients.items())
            if name not in wanted and held.is_ours and not held.disabled
        ]
        _check(await self.ask(commands))
        return [f"{one['command']} {one['username']}" for one in commands if "username" in one]

    async def _known(self) -> tuple[dict[str, "_Held"], frozenset[str]]:
        clients, roles = await self.ask(
            [
                {"command": "listClients", "verbose": True, "count": _ALL},
                {"command": "listRoles", "verbose": False, "count": _ALL},
            ]
        )
        _check([clients, roles])
        held = {
            one["username"]: _Held(
                roles=frozenset(role["rolename"] for role in one.get("roles", ())),
                disabled=bool(one.get("disabled")),
            )
            for one in clients["data"]["clients"]
        }
        return held, frozenset(roles["data"]["roles"])


@dataclass(frozen=True, slots=True, kw_only=True)
class _Held:
    """A client as the broker knows it."""

    roles: frozenset[str]
    disabled: bool

    @property
    def is_ours(self) -> bool:
        return any(
            role.startswith((f"{_ROLE_PREFIX}{Role.GATEWAY}-", f"{_ROLE_PREFIX}{Role.SOURCE}-"))
            for role in self.roles
        )


_DENY_ALL: dict[str, Any] = {
    "command": "setDefaultACLAccess",
    "acls": [
        {"acltype": "publishClientSend", "allow": False},
        {"acltype": "publishClientReceive", "allow": False},
        {"acltype": "subscribe", "allow": False},
        {"acltype": "unsubscribe", "allow": True},
    ],
}


def _role_of(login: Login) -> str:
    return f"{_ROLE_PREFIX}{login.role}-{login.username}"


def _acls(login: Login) -> list[dict[str, Any]]:
    rights = rights_of(login.role, login.username)
    kinds = [("publishClientSend", topic) for topic in rights.writes]
    kinds += [("publishClientReceive", topic) for topic in rights.reads]
    # A pattern grants each subscription within it: workers subscribe to their gateways one by one.
    kinds += [("subscribePattern", topic) for topic in rights.reads]
    return [
        {"acltype": kind, "topic": topic, "priority": 10, "allow": True} for kind, topic in kinds
    ]


def _new_client(login: Login, password: str) -> dict[str, Any]:
    client: dict[str, Any] = {
        "command": "createClient",
        "username": login.username,
        "password": password,
        "roles": [{"rolename": _role_of(login), "priority": 10}],
    }
    if login.role is Role.GATEWAY:
        client["clientid"] = login.username  # nobody else's: docs/protocol.md
    return client


def _check(answers: Iterable[Answer]) -> None:
    for one in answers:
        if "error" in one:
            raise MqttError(f"dynamic security: {one.get('command')}: {one['error']}")


@asynccontextmanager
async def open_control(address: BrokerAddress) -> AsyncIterator[DynamicSecurity]:
    """Connect as an administrator of the broker's dynamic security.

    Raises:
        SetupError: The broker is not reached, or does not let the login in.
    """
    async with connect(address, "", [_RESPONSE]) as connection:
        try:
            async with asyncio.timeout(_PATIENCE_S):
                await connection.connected.wait()
        except TimeoutError:
            why = connection.refusal or "no answer"
            raise SetupError(f"the control topic of {address} is out of reach: {why}") from None
        yield DynamicSecurity(connection)
