"""Taking prices in as a first version would: the yardstick of ``esl bench intake``.

FastAPI, a pydantic model, an ORM session a request, a row of history and a commit a change. No
guards, no order of sources, no audit, no keys. Nothing in it is slowed down on purpose.

    python -m api.bench.naive_intake FOLDER PRODUCTS   serves; prints its port
"""

import socket
import subprocess
import sys
import time
from pathlib import Path
from typing import Any, Self

import uvicorn
from fastapi import FastAPI
from pydantic import BaseModel
from sqlalchemy import create_engine, event, select
from sqlalchemy.orm import DeclarativeBase, Mapped, Session, mapped_column

_CENTS = 100


class _Base(DeclarativeBase):
    pass


class _Product(_Base):
    __tablename__ = "product"
    sku: Mapped[str] = mapped_column(primary_key=True)
    price_minor: Mapped[int]


class _History(_Base):
    __tablename__ = "history"
    id: Mapped[int] = mapped_column(primary_key=True)
    sku: Mapped[str]
    price_minor: Mapped[int]
    at: Mapped[float]


class _Label(_Base):
    __tablename__ = "label"
    id: Mapped[str] = mapped_column(primary_key=True)
    sku: Mapped[str] = mapped_column(index=True)
    desired: Mapped[int] = mapped_column(default=0)


class _Change(BaseModel):
    sku: str
    price: str


class NaiveIntake:
    """The naive controller as a process of its own; a block ends it."""

    def __init__(self, folder: Path, products: int) -> None:
        self._process = subprocess.Popen(  # noqa: S603  our own interpreter and arguments
            [sys.executable, "-m", "api.bench.naive_intake", str(folder), str(products)],
            stdout=subprocess.PIPE,
        )
        if self._process.stdout is None:
            raise AssertionError("the process was started with a pipe")
        told = self._process.stdout.readline()
        if not told:
            self.__exit__()
            raise RuntimeError("the naive controller of the benchmark did not start")
        self.port = int(told)

    @property
    def pid(self) -> int:
        """The process."""
        return self._process.pid

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_exc: object) -> None:
        self._process.terminate()
        self._process.wait()
        if self._process.stdout is not None:
            self._process.stdout.close()


def make_app(folder: Path, products: int) -> FastAPI:
    """Build it, with a label for each product."""
    # One connection: where each request has its own, SQLite refuses most writers as locked.
    engine = create_engine(
        f"sqlite:///{folder / 'naive.db'}", pool_size=1, max_overflow=0, pool_timeout=60
    )

    @event.listens_for(engine, "connect")
    def _prepare(connection: Any, _record: Any) -> None:
        connection.execute("PRAGMA journal_mode=WAL")
        connection.execute("PRAGMA synchronous=FULL")

    _Base.metadata.create_all(engine)
    with Session(engine) as session:
        for number in range(products):
            session.add(_Product(sku=f"sku-{number}", price_minor=1000))
            session.add(_Label(id=f"label-{number}", sku=f"sku-{number}"))
        session.commit()
    app = FastAPI(openapi_url=None)

    @app.post("/price-changes")
    def change(body: _Change) -> dict[str, Any]:
        whole, _, cents = body.price.partition(".")
        minor = int(whole) * _CENTS + int(cents)
        with Session(engine) as session:
            session.get_one(_Product, body.sku).price_minor = minor
            session.add(_History(sku=body.sku, price_minor=minor, at=time.time()))
            labels = session.scalars(select(_Label).where(_Label.sku == body.sku)).all()
            for label in labels:
                label.desired += 1
            session.commit()
        decided = {"sku": body.sku, "decision": "accepted", "labels": len(labels)}
        return {"results": [decided]}

    return app


def main(folder: str, products: str) -> None:
    """Serve on a free port until told to end."""
    app = make_app(Path(folder), int(products))
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP) as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen(1024)
        print(listener.getsockname()[1], flush=True)  # noqa: T201
        config = uvicorn.Config(app, log_config=None, access_log=False)
        uvicorn.Server(config).run(sockets=[listener])


if __name__ == "__main__":
    main(*sys.argv[1:])
