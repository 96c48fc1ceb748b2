"""What was signed of payloads: kept, sealed, proven offline, pruned; on both databases."""

import asyncio
import io
import json
import subprocess
import sys
import zipfile
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import func, insert, select, text
from sqlalchemy.exc import DatabaseError

from api.audit import keeper as keeper_module
from api.audit.files import AuditFolder, is_signed_by
from api.audit.proof import verifier
from esl.domain.chain import RecordKind
from esl.domain.errors import Unavailable
from esl.domain.published import published_bytes
from esl.services.retention import HISTORY_KEPT, Forgetting
from esl.services.sealing import Sealing
from esl.services.shown import Certainty, ShownThen, sealed_record, shown_then
from esl.services.verifying import verify_chain
from esl.store.columns import instant_text
from esl.store.database import Database
from esl.store.tables import display_log, published_payloads
from gateway import ledger as ledger_module
from gateway import worker as worker_module
from gateway.ledger import Ledger
from gateway.link import Outgoing
from gateway.wire.enrolment import from_json
from gateway.wire.signing import PublicKeys
from tests.builders import (
    GATEWAY,
    KEY,
    STORE,
    Controller,
    FakeGateway,
    SimulatedClock,
    a_change,
    build_shelf,
    count_rows,
    label_id,
)
from tests.panels import PANELS
from tests.running_house import STORE_BODY, RunningHouse, running_house
from tests.shelf import lively_shop, until

PANEL = PANELS.named("bwry-296x128")
LABELS = ("l-0", "l-1", "l-2")


class Shop(Controller):
    """A controller with a ledger, and a gateway that obeys."""

    def __init__(self, database: Database) -> None:
        super().__init__(database, SimulatedClock())
        self.gateway = FakeGateway(GATEWAY, self.clock)
        self.hear(self.gateway.state(online=True), self.gateway.hello())
        self.ledger = Ledger(writer=self.writer, clock=self.time, key=KEY)
        self.sealing = Sealing(database=database, writer=self.writer, clock=self.time)

    def publish(self) -> tuple[Outgoing, ...]:
        """Send what is due; labels show it a second later."""
        outgoing = self.dispatcher.step().outgoing
        for one in outgoing:
            self.ledger.note(one)
        self.clock.pass_s(1)
        for put in self.gateway.obey(outgoing):
            self.hear(self.gateway.paint(put))
        return outgoing

    def forget(self) -> None:
        forgetting = Forgetting(database=self.database, writer=self.writer)
        while forgetting.step(self.clock.wall(), self.clock.wall()):
            pass
        self.sealing.forget_leaves(self.clock.wall())


@pytest.fixture
def shop(either_database: Database) -> Iterator[Shop]:
    with either_database.writing.begin() as tx:
        build_shelf(tx, labels_count=3)
    controller = Shop(either_database)
    yield controller
    controller.close()


def test_what_was_signed_of_a_payload_is_found_by_what_it_told_a_label(shop: Shop) -> None:
    [payload] = shop.publish()
    with shop.database.read() as tx:
        assert shown_then(tx, label_id(0), shop.clock.wall(), shop.clock.wall()).published is None
    shop.ledger.write()
    shop.sealing.seal_all()
    now = shop.clock.wall()
    with shop.database.read() as tx:
        [row] = tx.execute(select(published_payloads)).all()
        for n in range(3):
            found = shown_then(tx, label_id(n), now, now).published
            assert found is not None
            assert (found.payload_id, found.commands) == (row.payload_id, 3)
        sealed = sealed_record(tx, RecordKind.PUBLISHED, row.payload_id)
        before = shown_then(tx, label_id(0), now - timedelta(seconds=5), now)
        assert before.published is None, "it had not been sent yet"
    assert sealed is not None
    assert json.loads(sealed.record)[7] == sha256(payload.payload).hexdigest() == row.sha256
    lines = (row.gateway_id, row.session, row.counter, row.sha256, row.root, row.commands)
    signed = published_bytes(*lines, instant_text(row.sent_at))
    signature = bytes.fromhex(row.signature)
    PublicKeys.of(KEY).verify(row.key_id, signature=signature, signed=signed)
    assert len(shop.ledger) == 0
    shop.ledger.write()
    with shop.database.read() as tx:
        assert count_rows(tx, published_payloads) == 1, "nothing is written twice"


def test_the_first_of_several_payloads_with_a_picture_counts(shop: Shop) -> None:
    outgoing = shop.dispatcher.step().outgoing
    shop.clock.pass_s(400)  # it was lost: the same revision is sent again
    again = shop.dispatcher.step().outgoing
    for one in (*outgoing, *again):
        shop.ledger.note(one)
    shop.ledger.write()
    for put in shop.gateway.obey(again):
        shop.hear(shop.gateway.paint(put))
    with shop.database.read() as tx:
        assert count_rows(tx, published_payloads) == 2
        found = shown_then(tx, label_id(1), shop.clock.wall(), shop.clock.wall()).published
        first = tx.execute(select(func.min(published_payloads.c.payload_id))).scalar_one()
    assert found is not None
    assert found.payload_id == first


def test_what_was_not_written_before_the_process_died_is_said_to_be_missing(shop: Shop) -> None:
    shop.publish()
    died = shop.ledger
    assert len(died) == 1
    shop.ledger = Ledger(writer=shop.writer, clock=shop.time, key=KEY)  # of the next process
    shop.ledger.write()
    now = shop.clock.wall()
    with shop.database.read() as tx:
        found = shown_then(tx, label_id(0), now, now)
    assert found.reported is not None
    assert found.told is not None
    assert found.published is None
    assert shop.label().settled_rev == shop.label().shown_rev, "the picture came all the same"


def test_a_database_that_does_not_answer_loses_nothing(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    shop.publish()

    def away(*_: object, **__: object) -> None:
        raise Unavailable("no database")

    with monkeypatch.context() as down:
        down.setattr(shop.writer, "write", away)
        with pytest.raises(Unavailable):
            shop.ledger.write()
    assert len(shop.ledger) == 1
    shop.ledger.write()
    with shop.database.read() as tx:
        assert count_rows(tx, published_payloads) == 1


def test_what_waits_is_bounded_and_the_oldest_goes(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ledger_module, "WAIT_MOST", 5)
    monkeypatch.setattr(ledger_module, "PAYLOADS_A_WRITE", 2)
    [payload] = shop.publish()
    manifest = payload.manifest
    assert manifest is not None
    for n in range(7):
        shop.ledger.note(Outgoing(
            gateway_id=payload.gateway_id,
            payload=b"%d" % n,
            label_ids=(),
            manifest=manifest,
        ))  # fmt: skip
    shop.ledger.note(Outgoing(gateway_id=payload.gateway_id, payload=b"x", label_ids=()))
    shop.ledger.write()
    with shop.database.read() as tx:
        query = select(published_payloads.c.sha256).order_by(published_payloads.c.payload_id)
        kept = tx.execute(query).scalars().all()
    assert kept == [sha256(b"%d" % n).hexdigest() for n in range(2, 7)]


def test_what_a_label_showed_400_days_ago_is_known_however_long_it_had_hung(shop: Shop) -> None:
    day = timedelta(days=1)
    began = shop.clock.wall()
    for minor in (210, 220, 230):
        shop.price(a_change(price_minor=minor))
        shop.publish()
        shop.clock.pass_s((60 * day).total_seconds())
    shop.clock.pass_s((320 * day).total_seconds())
    now = shop.clock.wall()  # 210 came 500 days ago, 220 440 days, 230 380 days
    shop.forget()

    def at(days: int) -> ShownThen:
        with shop.database.read() as tx:
            return shown_then(tx, label_id(0), now - days * day, now)

    for known, minor in ((399, 220), (370, 230), (1, 230)):
        found = at(known)
        assert (found.certainty, found.may_be_pruned) == (Certainty.REPORTED, False)
        assert found.told is not None
        assert [price.price_minor for price in found.prices] == [minor]
    old = at(430)
    assert (old.certainty, old.may_be_pruned) == (Certainty.REPORTED, True)
    older = at(490)
    assert (older.certainty, older.may_be_pruned) == (Certainty.UNKNOWN, True)
    assert older.reported is None
    assert began < now - 490 * day


def test_signatures_go_after_400_days_and_the_chain_verifies(shop: Shop) -> None:
    shop.publish()
    shop.ledger.write()
    shop.sealing.seal_all()
    shop.sealing.checkpoint(KEY.sign, KEY.public_key)

    def verify() -> Any:
        return verify_chain(shop.database, is_trusted=lambda _: True, now=shop.clock.wall())

    assert verify().wrong is None
    with shop.database.writing.begin() as tx, pytest.raises(DatabaseError, match="append only"):
        tx.execute(text("UPDATE published_payload SET counter = 7"))
    with shop.database.writing.begin() as tx:
        kept = tx.execute(select(published_payloads)).one()
        tx.execute(published_payloads.delete())
    assert verify().wrong == "published_payload 1: it is missing", "it is young"
    with shop.database.writing.begin() as tx:
        tx.execute(insert(published_payloads).values(**kept._mapping))
    shop.clock.pass_s((HISTORY_KEPT + timedelta(days=2)).total_seconds())
    shop.forget()
    verdict = verify()
    assert (verdict.wrong, verdict.pruned) == (None, 1)
    with shop.database.read() as tx:
        assert count_rows(tx, published_payloads) == 0
        assert count_rows(tx, display_log) == 3, "of each label its newest stays"
        now = shop.clock.wall()
        assert shown_then(tx, label_id(0), now, now).published is None


# ── Over HTTP, with a gateway and a broker ──────────────────────────────────────────────────


@pytest.fixture(params=["sqlite", "postgresql"])
def house(
    request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[RunningHouse]:
    monkeypatch.setattr(keeper_module, "LOOK_EVERY_S", 0.05)
    monkeypatch.setattr(worker_module, "HOUSEKEEPING_S", 0.2)
    where: dict[str, Any] = {}
    if request.param == "postgresql":
        where["database_url"] = request.getfixturevalue("fresh_postgres_url")
    with running_house(tmp_path / "data", with_worker=True, **where) as running:
        yield running


async def shown(house: RunningHouse) -> dict[str, Any]:
    """Let a store's labels show prices, until the last of them is proven; return the answer."""
    house.done("PUT", f"/api/v1/stores/{STORE}", STORE_BODY)
    enrolment = from_json(house.ask("PUT", f"/api/v1/stores/{STORE}/gateways/gw-1", json={}).text)
    stock = f"/api/v1/stores/{STORE}"
    products = [{"sku": x, "name": f"Kruh {x}", "price": "1.29"} for x in LABELS]
    house.done("POST", f"{stock}/products", products)
    labels = [{"label": x, "panel": PANEL.panel_id, "gateway": "gw-1"} for x in LABELS]
    house.done("POST", f"{stock}/labels", labels)
    house.done("POST", f"{stock}/pairings", [{"label": x, "sku": x} for x in LABELS])

    def answer() -> dict[str, Any]:
        found: dict[str, Any] = house.done("GET", "/api/v1/labels/l-0/shown")
        return found

    def said() -> dict[str, Any]:
        return answer()["shown"] or {}

    async with lively_shop(enrolment, list(LABELS), PANEL) as simulated:
        await simulated.connected()
        await until(lambda: said().get("published") is not None, 60, "the signature")
        house.house.audit._sealing._waits_most_s = 0.0
        await until(lambda: said()["published"]["chain"] is not None, 60, "its seal")
        await until(lambda: said()["checkpoint"] is not None, 60, "a checkpoint")
    return answer()


def ran(folder: Path, made: bytes, *more: str) -> subprocess.CompletedProcess[str]:
    script, file = folder / "verify_proof.py", folder / "proof.zip"
    script.write_bytes(verifier())
    file.write_bytes(made)
    return subprocess.run(
        [sys.executable, "-I", str(script), str(file), *more],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def files_of(made: bytes) -> dict[str, bytes]:
    with zipfile.ZipFile(io.BytesIO(made)) as bundle:
        return {name: bundle.read(name) for name in bundle.namelist()}


def zipped(files: dict[str, bytes]) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as bundle:
        for name, data in files.items():
            bundle.writestr(name, data)
    return out.getvalue()


Files = dict[str, bytes]


def _flip(name: str) -> Callable[[Files], None]:
    def change(files: Files) -> None:
        data = files[name]
        files[name] = data[:-9] + bytes([data[-9] ^ 1]) + data[-8:]

    return change


def _say(change: Callable[[dict[str, Any]], None]) -> Callable[[Files], None]:
    def changed(files: Files) -> None:
        statement = json.loads(files["statement.json"])
        change(statement["answer"]["shown"])
        files["statement.json"] = json.dumps(statement).encode()

    return changed


def _sign_as(place: int, name: str, value: str) -> Callable[[Files], None]:
    """Change what was signed, and the answer with it, so that only the signature can tell."""

    def changed(files: Files) -> None:
        _say(lambda shown: shown["published"].update({name: value}))(files)
        made = json.loads(files["published.json"])
        record = json.loads(made["record"])
        record[place] = value
        made["record"] = json.dumps(record, separators=(",", ":"))
        files["published.json"] = json.dumps(made).encode()

    return changed


TAMPERED: dict[str, tuple[Callable[[Files], None], str]] = {
    "picture": (_flip("frame.bin"), "the picture is another than the label reported"),
    "picture for people": (_flip("picture.png"), "picture.png is not the one that was signed"),
    "other picture": (
        _say(lambda shown: shown.update(rev=shown["rev"] + 1)),
        "the record is of another label or picture",
    ),
    "price": (
        _say(lambda shown: shown["prices"][0].update(price="1.19")),
        "the price of l-0 (price) is another than its record says",
    ),
    "time of the price": (
        _say(lambda shown: shown["prices"][0].update(received_at="2026-01-01T00:00:00Z")),
        "the time of the price of l-0 is another",
    ),
    "time of the report": (
        _say(lambda shown: shown.update(reported_at="2026-01-01T00:00:00Z")),
        "the time of the report is another",
    ),
    "time of sending": (
        _say(lambda shown: shown["published"].update(sent_at="2026-01-01T00:00:00Z")),
        "the time at which the payload was sent is another",
    ),
    "signature in the answer": (
        _say(lambda shown: shown["published"].update(signature="ab" * 64)),
        "the answer names another signature",
    ),
    "signature": (
        _sign_as(10, "signature", "ab" * 64),
        "the signature of the published payload is wrong",
    ),
    "payload": (
        _sign_as(7, "sha256", "ab" * 32),
        "the signature of the published payload is wrong",
    ),
    "key": (_sign_as(6, "key_id", "abcdef01"), "with a key that is not the shop's"),
    "way to the root": (
        _sign_as(8, "root", "ab" * 32),
        "the published payload did not tell this label to show this picture",
    ),
    "the bundle's key": (
        lambda files: files.update({"public_key.txt": b"ab" * 32}),
        "the key in it is not one of the shop's",
    ),
    "certainty": (
        lambda files: files.update(
            {"statement.json": files["statement.json"].replace(b'"reported"', b'"believed"', 1)}
        ),
        "the signature of the statement is wrong",
    ),
    "no signature": (lambda files: files.pop("published.json"), "published.json is missing"),
}


async def test_a_bundle_proves_what_was_signed_and_every_change_of_it_is_named(
    house: RunningHouse, tmp_path: Path
) -> None:
    answer = await shown(house)
    sent = answer["shown"]["published"]
    key = house.house.key
    assert (sent["key_id"], sent["gateway"]) == (key.key_id, "gw-1")
    assert len(sent["signature"]) == 128
    assert sent["sent_at"] <= answer["shown"]["reported_at"]
    assert sent["chain"]["record"] == sent["record"]
    with house.house.database.read() as tx:
        row = tx.execute(
            select(published_payloads).where(published_payloads.c.payload_id == sent["record"])
        ).one()
    assert (row.sha256, row.signature) == (sent["sha256"], sent["signature"])
    assert datetime.now(UTC) - row.written_at < timedelta(minutes=5)

    made = house.ask("GET", "/api/v1/labels/l-0/shown/bundle").content
    proven = ran(tmp_path, made, key.public_key.hex())
    assert (proven.returncode, proven.stderr) == (0, "")
    assert f"was signed by key {key.key_id} and is sealed in the chain" in proven.stdout
    for what, (change, words) in TAMPERED.items():
        files = files_of(made)
        change(files)
        refused = ran(tmp_path, zipped(files))
        assert refused.returncode == 1, what
        assert refused.stderr.startswith("NOT PROVEN: "), (what, refused.stderr)
        assert words in refused.stderr, (what, refused.stderr)

    folder = AuditFolder(house.house.settings.data_dir)
    verdict = await asyncio.to_thread(
        verify_chain,
        house.house.database,
        is_trusted=lambda one: is_signed_by(one, folder.trusted()),
        now=house.house.clock.now(),
    )
    assert verdict.wrong is None


async def test_a_controller_that_stops_writes_down_what_waits(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Only force loses what was published in the last seconds."""
    monkeypatch.setattr(worker_module, "HOUSEKEEPING_S", 3600.0)
    with running_house(tmp_path / "data", with_worker=True) as house:
        house.done("PUT", f"/api/v1/stores/{STORE}", STORE_BODY)
        path = f"/api/v1/stores/{STORE}"
        enrolment = from_json(house.ask("PUT", f"{path}/gateways/gw-1", json={}).text)
        house.done("POST", f"{path}/products", [{"sku": "l-0", "name": "Kruh", "price": "1.29"}])
        label = {"label": "l-0", "panel": PANEL.panel_id, "gateway": "gw-1"}
        house.done("POST", f"{path}/labels", [label])
        house.done("POST", f"{path}/pairings", [{"label": "l-0", "sku": "l-0"}])

        def is_shown() -> bool:
            return house.done("GET", "/api/v1/labels/l-0/shown")["shown"] is not None

        async with lively_shop(enrolment, ["l-0"], PANEL) as simulated:
            await simulated.connected()
            await until(is_shown, 60, "the label")
        assert house.done("GET", "/api/v1/labels/l-0/shown")["shown"]["published"] is None
    with running_house(tmp_path / "data") as again:
        assert again.done("GET", "/api/v1/labels/l-0/shown")["shown"]["published"] is not None
