"""The straightforward road, written as a first version would be: the yardstick of every figure.

A price change is an ORM row at a time with a commit each; the label is drawn as `api.bench.naive`
does, compressed, published, and its acknowledgement awaited before the next; every report is
loaded and committed by itself. Nothing in it is slowed down on purpose.
"""

import json
import queue
import socket
import threading
import time
import zlib
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import paho.mqtt.client as paho
from paho.mqtt.enums import CallbackAPIVersion
from sqlalchemy import Engine, create_engine, select
from sqlalchemy.orm import DeclarativeBase, Mapped, Session, mapped_column

from api.bench.naive import NaiveLabel, render
from gateway.mqtt import BrokerAddress, put_away


class _Base(DeclarativeBase):
    pass


class _Product(_Base):
    __tablename__ = "product"
    sku: Mapped[str] = mapped_column(primary_key=True)
    name: Mapped[str]
    price_minor: Mapped[int]
    was_minor: Mapped[int]
    version: Mapped[int] = mapped_column(default=0)


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
    acked: Mapped[int] = mapped_column(default=0)


@dataclass
class NaiveRun:
    """What a run measured."""

    labels: int = 0
    seconds: float = 0.0
    cpu_seconds: float = 0.0
    to_publish_s: list[float] = field(default_factory=list)

    @property
    def labels_per_s(self) -> float:
        """Labels from change to report in a second."""
        return self.labels / self.seconds


def run(
    labels: list[NaiveLabel], broker: BrokerAddress, folder: Path, *, longest_s: float
) -> NaiveRun:
    """Change the price of each label in turn until the time is up; count what came back."""
    engine = create_engine(f"sqlite:///{folder / 'naive.db'}")
    _Base.metadata.create_all(engine)
    with Session(engine) as session:
        for label in labels:
            session.add(
                _Product(sku=label.sku, name=label.name, price_minor=1, was_minor=label.was_minor)
            )
            session.add(_Label(id=label.label_id, sku=label.sku))
        session.commit()
    acks: queue.Queue[str] = queue.Queue()
    gateway = _client(broker, "naive-gateway", "naive/put/#", None)

    def acknowledge(client: paho.Client, _: object, message: paho.MQTTMessage) -> None:
        client.publish("naive/ack", json.dumps({"id": message.topic.rsplit("/", 1)[1]}), 1)

    gateway.on_message = acknowledge
    controller = _client(broker, "naive-controller", "naive/ack", acks)
    result = NaiveRun()
    began_s, cpu_s = time.perf_counter(), time.process_time()
    acked = 0
    try:
        for label in labels:
            result.to_publish_s.append(_change(engine, controller, label))
            result.labels += 1
            acked += _take_acks(engine, acks, wait=False)
            if time.perf_counter() - began_s > longest_s:
                break
        while acked < result.labels:
            acked += _take_acks(engine, acks, wait=True)
        result.seconds = time.perf_counter() - began_s
        result.cpu_seconds = time.process_time() - cpu_s
    finally:
        for client in (gateway, controller):
            client.disconnect()
            put_away(client)
        engine.dispose()
    return result


def _change(engine: Engine, controller: paho.Client, label: NaiveLabel) -> float:
    began_s = time.perf_counter()
    with Session(engine) as session:
        product = session.get_one(_Product, label.sku)
        product.price_minor = label.price_minor
        product.version += 1
        session.add(_History(sku=label.sku, price_minor=label.price_minor, at=time.time()))
        found = session.scalars(select(_Label).where(_Label.sku == label.sku)).all()
        for row in found:
            row.desired += 1
        session.commit()
        label_ids = [row.id for row in found]
    payload = zlib.compress(render(label))
    for label_id in label_ids:
        controller.publish(f"naive/put/{label_id}", payload, 1).wait_for_publish(5)
    return time.perf_counter() - began_s


def _take_acks(engine: Engine, acks: "queue.Queue[str]", *, wait: bool) -> int:
    taken = 0
    while True:
        try:
            label_id = acks.get(timeout=10) if wait and not taken else acks.get_nowait()
        except queue.Empty:
            return taken
        with Session(engine) as session:
            row = session.get_one(_Label, label_id)
            row.acked = row.desired
            session.commit()
        taken += 1


def _client(
    broker: BrokerAddress, name: str, topic: str, acks: "queue.Queue[str] | None"
) -> paho.Client:
    client = paho.Client(CallbackAPIVersion.VERSION2, name, protocol=paho.MQTTv5)
    client.username_pw_set(broker.username, broker.password)
    subscribed = threading.Event()

    def send_at_once(_client: paho.Client, _: object, sock: Any) -> None:
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    client.on_socket_open = send_at_once
    client.on_connect = lambda c, *_: c.subscribe(topic, 1)
    client.on_subscribe = lambda *_: subscribed.set()
    if acks is not None:
        client.on_message = lambda _c, _u, message: acks.put(json.loads(message.payload)["id"])
    client.connect(broker.host, broker.port)
    client.loop_start()
    if not subscribed.wait(10):
        raise TimeoutError("the broker did not grant the subscription")
    return client
