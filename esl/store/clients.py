"""Machine clients and their secrets, of which only hashes are stored."""

from collections import defaultdict
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, delete, insert, select, update

from esl.domain.access import Scope
from esl.store.columns import AnyRow
from esl.store.tables import client_secrets, machine_clients

_C, _S = machine_clients.c, client_secrets.c


@dataclass(frozen=True, slots=True, kw_only=True)
class ClientSecret:
    """A secret as the database knows it: its hash."""

    secret_id: str
    sha256: str
    created_at: datetime
    revoked_at: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class MachineClient:
    """A machine that fetches short-lived tokens, with its secrets, the oldest first."""

    client_id: str
    name: str
    scopes: frozenset[Scope]
    stores: frozenset[str]  # store ids, or `ALL_STORES`
    created_at: datetime
    disabled_at: datetime | None
    secrets: Sequence[ClientSecret] = ()

    @property
    def active_secrets(self) -> list[ClientSecret]:
        """Those that open the door; none of a client that was disabled."""
        open_ones = [one for one in self.secrets if one.revoked_at is None]
        return open_ones if self.disabled_at is None else []


def add_client(tx: Connection, client: MachineClient) -> None:
    """Store a new client, without its secrets."""
    tx.execute(
        insert(machine_clients).values(
            client_id=client.client_id,
            name=client.name,
            scopes=" ".join(sorted(client.scopes)),
            stores=" ".join(sorted(client.stores)),
            created_at=client.created_at,
            disabled_at=client.disabled_at,
        )
    )


def change_client(
    tx: Connection, client_id: str, *, name: str, scopes: Collection[str], stores: Collection[str]
) -> None:
    """Store what a client is called now, and what it may do where."""
    tx.execute(
        update(machine_clients)
        .where(_C.client_id == client_id)
        .values(name=name, scopes=" ".join(sorted(scopes)), stores=" ".join(sorted(stores)))
    )


def disable_client(tx: Connection, client_id: str, now: datetime) -> None:
    """Let a client in no more."""
    tx.execute(update(machine_clients).where(_C.client_id == client_id).values(disabled_at=now))


def client_named(
    tx: Connection, client_id: str, *, to_change: bool = False
) -> MachineClient | None:
    """Look a client up, a disabled one too; ``to_change`` holds its row until the commit."""
    query = select(machine_clients).where(_C.client_id == client_id)
    row = tx.execute(query.with_for_update() if to_change else query).one_or_none()
    if row is None:
        return None
    return _client(row, _secrets_of(tx, [client_id])[client_id])


def list_clients(tx: Connection, *, after: str, limit: int) -> list[MachineClient]:
    """List clients by id."""
    query = select(machine_clients).where(_C.client_id > after).order_by(_C.client_id)
    rows = tx.execute(query.limit(limit)).all()
    secrets = _secrets_of(tx, [row.client_id for row in rows])
    return [_client(row, secrets[row.client_id]) for row in rows]


def add_secret(tx: Connection, client_id: str, secret: ClientSecret) -> None:
    """Store a client's new secret, and drop those that were revoked before."""
    tx.execute(delete(client_secrets).where(_S.client_id == client_id, _S.revoked_at.is_not(None)))
    tx.execute(
        insert(client_secrets).values(
            secret_id=secret.secret_id,
            client_id=client_id,
            sha256=secret.sha256,
            created_at=secret.created_at,
            revoked_at=secret.revoked_at,
        )
    )


def revoke_secret(tx: Connection, client_id: str, secret_id: str, now: datetime) -> bool:
    """Make a secret worthless from now on; return whether there was one to revoke."""
    found = tx.execute(
        update(client_secrets)
        .where(_S.client_id == client_id, _S.secret_id == secret_id, _S.revoked_at.is_(None))
        .values(revoked_at=now)
    )
    return bool(found.rowcount)


def _secrets_of(tx: Connection, client_ids: Sequence[str]) -> dict[str, list[ClientSecret]]:
    query = (
        select(client_secrets)
        .where(_S.client_id.in_(client_ids))
        .order_by(_S.created_at, _S.secret_id)
    )
    found: defaultdict[str, list[ClientSecret]] = defaultdict(list)
    for row in tx.execute(query):
        found[row.client_id].append(
            ClientSecret(
                secret_id=row.secret_id,
                sha256=row.sha256,
                created_at=row.created_at,
                revoked_at=row.revoked_at,
            )
        )
    return found


def _client(row: AnyRow, secrets: Sequence[ClientSecret]) -> MachineClient:
    return MachineClient(
        client_id=row.client_id,
        name=row.name,
        scopes=frozenset(Scope(scope) for scope in row.scopes.split()),
        stores=frozenset(row.stores.split()),
        created_at=row.created_at,
        disabled_at=row.disabled_at,
        secrets=secrets,
    )
