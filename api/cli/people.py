"""``esl people …``: accounts, from the machine itself, with the controller running or not.

Whoever can read the data folder owns the machine, and may give anybody a new password.
"""

import secrets
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, Any, TypeVar

import typer
from rich.table import Table
from sqlalchemy import Connection

from api.books import open_books
from api.cli.running import client_if_running
from api.cli.serve import DataDir
from api.cli.tables import print_table
from api.client import Client
from api.routes.people import new_person_id, person_view
from esl.domain.access import ALL_STORES, Principal, Role, Scope
from esl.domain.errors import NotFound, SetupError
from esl.domain.person import RoleHeld, fold_sign_in_name
from esl.intake.people_json import parse_person
from esl.services import people
from esl.services.people import NewPerson
from esl.settings import Settings, read_settings
from esl.store import people as rows

_ANSWERS_WITHIN_S = 5.0
_PAGE = 1000
_OPERATOR = Principal(name="operator", scopes=frozenset(Scope), stores=frozenset({ALL_STORES}))
Done = TypeVar("Done")

app = typer.Typer(help="Accounts of people, from this machine.", no_args_is_help=True)

Name = Annotated[str, typer.Argument(help="The name the person signs in with.")]
AsRole = Annotated[
    Role, typer.Option("--role", metavar="<role>", help=f"One of {', '.join(Role)}.")
]
InStore = Annotated[str, typer.Option("--store", help="A store's id, or '*' for all.")]


class _Desk:
    """What commands do: over HTTP where a controller runs, else in its books."""

    def __init__(self, settings: Settings, client: Client | None) -> None:
        self._settings = settings
        self._client = client

    def all(self) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = []
        after = ""
        while True:
            page, more = self._page(after)
            found += page
            if not more:
                return found
            after = more

    def id_of(self, name: str) -> str:
        folded = fold_sign_in_name(name)
        for one in self.all():
            if one["name"] == folded:
                return str(one["id"])
        raise NotFound("nobody signs in by this name; see: esl people list")

    def roles_of(self, person_id: str) -> list[dict[str, str]]:
        return next(one["roles"] for one in self.all() if one["id"] == person_id)

    def add(self, body: dict[str, Any]) -> str:
        if self._client is not None:
            return str(self._client.post("/api/v1/people", body)["id"])
        said = parse_person(body)
        new = NewPerson(
            sign_in_name=said.sign_in_name, display_name=said.display_name, roles=said.roles
        )
        person_id = new_person_id()
        self._write(
            lambda tx, now: people.add_person(tx, _OPERATOR, new, person_id=person_id, now=now)
        )
        return person_id

    def set_roles(self, person_id: str, roles: list[dict[str, str]]) -> None:
        if self._client is not None:
            self._client.put(f"/api/v1/people/{person_id}/roles", {"roles": roles})
            return
        held = frozenset(RoleHeld(store=one["store"], role=Role(one["role"])) for one in roles)
        self._write(lambda tx, now: people.set_roles(tx, _OPERATOR, person_id, held, now))

    def act(self, person_id: str, what: str, do: Callable[..., Any]) -> None:
        if self._client is not None:
            self._client.post(f"/api/v1/people/{person_id}/{what}", {})
            return
        self._write(lambda tx, now: do(tx, _OPERATOR, person_id, now))

    def invite(self, person_id: str) -> str:
        if self._client is not None:
            return str(self._client.post(f"/api/v1/people/{person_id}/invitation", {})["url"])
        secret = secrets.token_urlsafe(32)
        self._write(lambda tx, now: people.invite(tx, _OPERATOR, person_id, secret=secret, now=now))
        return self._link(secret)

    def set_up(self) -> str:
        if self._client is not None:
            return str(self._client.post("/api/v1/people/set-up-link", {})["url"])
        secret = secrets.token_urlsafe(32)
        self._write(lambda tx, now: people.make_set_up_link(tx, secret=secret, now=now))
        return self._link(secret)

    def _page(self, after: str) -> tuple[list[dict[str, Any]], str | None]:
        if self._client is not None:
            query: dict[str, str | int] = {"limit": _PAGE, "after": after}
            answer = self._client.get("/api/v1/people", **query)
            return answer["people"], answer["after"]
        found = self._write(
            lambda tx, _: rows.list_people(tx, stores=None, after=after, limit=_PAGE)
        )
        more = found[-1].person_id if len(found) == _PAGE else None
        return [person_view(one, _OPERATOR) for one in found], more

    def _write(self, work: Callable[[Connection, Any], Done]) -> Done:
        if not self._settings.data_dir.is_dir():
            raise SetupError(
                f"there is no controller's data in {self._settings.data_dir}; start one with: "
                "esl serve, or name its folder with --data"
            )
        with open_books(self._settings) as books:
            return books.writer.write(lambda tx: work(tx, books.clock.now()))

    def _link(self, secret: str) -> str:
        return f"http://127.0.0.1:{self._settings.port}/welcome?link={secret}"


@app.command("list")
def list_all(data: DataDir = None) -> None:
    """List the people."""
    with _desk(data) as desk:
        found = desk.all()
    if not found:
        print("There are no people yet; make the first admin with: esl people set-up")
        return
    table = Table("id", "signs in as", "name", "roles", "codes", "closed")
    for one in found:
        roles = " ".join(f"{held['role']}@{held['store']}" for held in one["roles"])
        table.add_row(
            one["id"],
            one["name"],
            one["display_name"],
            roles,
            "yes" if one["has_second_factor"] else "",
            (one["disabled_at"] or "")[:16],
        )
    print_table(table)


@app.command("set-up")
def set_up(data: DataDir = None) -> None:
    """Print a link that makes the first admin, once, within 24 hours, on this machine."""
    with _desk(data) as desk:
        print(desk.set_up())


@app.command("add")
def add(
    name: Name,
    role: AsRole,
    store: InStore,
    display_name: Annotated[str | None, typer.Option("--name", help="For people.")] = None,
    data: DataDir = None,
) -> None:
    """Add somebody, and print the link by which the person chooses a password."""
    body: dict[str, Any] = {"name": name, "roles": [{"store": store, "role": role.value}]}
    if display_name is not None:
        body["display_name"] = display_name
    with _desk(data) as desk:
        print(desk.invite(desk.add(body)))


@app.command("reset-password")
def reset_password(
    name: Name,
    codes: Annotated[
        bool, typer.Option("--codes", help="The phone is lost as well: ask for codes no more.")
    ] = False,
    data: DataDir = None,
) -> None:
    """Print a link by which a person chooses a new password, once, within three days."""
    with _desk(data) as desk:
        person_id = desk.id_of(name)
        if codes:
            desk.act(person_id, "reset-second-factor", people.reset_second_factor)
        print(desk.invite(person_id))


@app.command("disable")
def disable(name: Name, data: DataDir = None) -> None:
    """Close an account; who is signed in with it is out at once."""
    with _desk(data) as desk:
        desk.act(desk.id_of(name), "disable", people.close)
    print(f"{name} can sign in no more")


@app.command("enable")
def enable(name: Name, data: DataDir = None) -> None:
    """Open a closed account again."""
    with _desk(data) as desk:
        desk.act(desk.id_of(name), "enable", people.reopen)
    print(f"{name} can sign in again")


@app.command("erase")
def erase(
    name: Name,
    is_sure: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
    data: DataDir = None,
) -> None:
    """Forget a person whose account is closed. What was decided stays, under a mere number."""
    with _desk(data) as desk:
        person_id = desk.id_of(name)
        if not is_sure:
            typer.confirm(f"Forget {name}, with name, mail and roles, for good?", abort=True)
        desk.act(person_id, "erase", people.erase)
    print(f"{name} is forgotten; the audit knows {person_id}")


@app.command("grant")
def grant(name: Name, role: AsRole, store: InStore, data: DataDir = None) -> None:
    """Give a person a role in a store."""
    with _desk(data) as desk:
        person_id = desk.id_of(name)
        held = desk.roles_of(person_id)
        desk.set_roles(person_id, [*held, {"store": store, "role": role.value}])
    print(f"{name} is {role.value} in {store}")


@app.command("revoke")
def revoke(name: Name, role: AsRole, store: InStore, data: DataDir = None) -> None:
    """Take a role from a person, who is signed out everywhere."""
    with _desk(data) as desk:
        person_id = desk.id_of(name)
        held = desk.roles_of(person_id)
        desk.set_roles(person_id, [r for r in held if r != {"store": store, "role": role.value}])
    print(f"{name} is {role.value} in {store} no more")


@contextmanager
def _desk(data: Path | None) -> Iterator[_Desk]:
    settings = read_settings(data_dir=data)
    with client_if_running(settings.data_dir, patience_s=_ANSWERS_WITHIN_S) as client:
        yield _Desk(settings, client)
