"""SFTP sources in a whole house: registered over HTTP, pulled from a real sshd, and pushed."""

import contextlib
import os
import re
import secrets
import shutil
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import asyncssh
import pytest

from api.listeners.folders import pickup, runner
from esl.domain.ids import StoreId
from esl.services.intake_problems import find_intake_problems
from tests.fault_proxy import FaultProxy
from tests.running_house import STORE_BODY, RunningHouse, check_problem, running_house
from tests.services import HOST
from tests.sftp_server import SftpServer

MAPPING = """
name: till-list
format: csv
delimiter: ";"
decimal: "."
currency: EUR
fields: {sku: sku, name: name, price: price}
"""
DOCUMENT = Path(__file__).parents[2] / "docs" / "sftp.md"
PATIENCE_S = 60.0
MANY = 25


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningHouse]:
    folder = tmp_path_factory.mktemp("sftp-sources")
    roots = [folder / "till", *([CHROOTS] if os.geteuid() == 0 else [])]
    with (
        pytest.MonkeyPatch.context() as patch,
        running_house(folder / "data", with_worker=True, hot_folder_roots=roots) as running,
    ):
        patch.setattr(pickup, "BACK_OFF_FIRST_S", 0.5)  # tests try again sooner
        running.done("PUT", "/api/v1/stores/main", STORE_BODY)
        saved = running.ask("PUT", "/api/v1/mappings/till-list", content=MAPPING)
        assert saved.is_success, saved.text
        yield running


CHROOTS = Path("/run/sshd/tests")
"""Folders that sshd shuts sessions in: they and all above are root's. The test removes them."""


@pytest.fixture
def server(tmp_path: Path) -> Iterator[SftpServer]:
    with SftpServer(tmp_path / "sshd") as running:
        yield running


def lines(*pairs: tuple[str, str]) -> bytes:
    rows = (f"{sku};Milk;{price}" for sku, price in pairs)
    return "\n".join(["sku;name;price", *rows, ""]).encode()


def until(say: Callable[[], Any], wanted: Any) -> None:
    found: Any = None
    deadline = time.monotonic() + PATIENCE_S
    while time.monotonic() < deadline:
        found = say()
        if found == wanted:
            return
        time.sleep(0.05)
    raise AssertionError(f"{found!r} in place of {wanted!r}")


def settings_of(server: SftpServer, **more: str) -> dict[str, str]:
    usual = {
        "host": HOST,
        "port": str(server.port),
        "login": server.login,
        "host_key": server.host_key(),
        "allow_private": HOST,
        "pickup": "rename",
        "every_s": "1",
    }
    return usual | more


class Pulled:
    """A registered SFTP source."""

    def __init__(self, house: RunningHouse, server: SftpServer, **settings: str) -> None:
        self._house = house
        self.name = f"sftp-{secrets.token_hex(4)}"
        self.put(settings_of(server, **settings))
        made = house.done("POST", f"/api/v1/sources/{self.name}/secrets", {"kind": "ssh_key"})
        assert "secret" not in made
        server.authorize(made["public_key"])

    def put(self, settings: dict[str, str]) -> None:
        body = {
            "name": "Till",
            "store": "main",
            "kind": "sftp",
            "mapping": "till-list",
            "settings": settings,
        }
        self._house.done("PUT", f"/api/v1/sources/{self.name}", body)

    def delete(self) -> None:
        self._house.done("DELETE", f"/api/v1/sources/{self.name}")

    def price(self, sku: str) -> int | None:
        rows = self._house.read("SELECT price_minor FROM price WHERE sku = ?", f"{sku}")
        return int(rows[0][0]) if rows else None

    def problem(self) -> str:
        found = self._house.read("SELECT problem FROM connector WHERE source = ?", self.name)
        return str(found[0][0]) if found else ""

    def jobs(self) -> int:
        [(many,)] = self._house.read("SELECT count(*) FROM seen_file WHERE source = ?", self.name)
        return int(many)


@contextlib.contextmanager
def pulled(house: RunningHouse, server: SftpServer, **settings: str) -> Iterator[Pulled]:
    source = Pulled(house, server, **settings)
    try:
        yield source
    finally:
        source.delete()


def test_a_file_is_pulled_answered_and_put_aside(house: RunningHouse, server: SftpServer) -> None:
    (server.folder / "list.csv").write_bytes(lines(("P-1", "1.99"), ("P-2", "free")))
    with pulled(house, server) as source:
        until(lambda: source.price("P-1"), 199)
        until((server.folder / "done" / "list.csv").exists, wanted=True)
        assert not (server.folder / "list.csv").exists()
        result = (server.folder / "list.csv.result.csv").read_text()
        assert re.search(r"^2;P-1;accepted;", result, re.MULTILINE), result
        assert re.search(r"^3;P-2;rejected;", result, re.MULTILINE), result
        (server.folder / "second.csv").write_bytes(lines(("P-1", "2.49")))
        until(lambda: source.price("P-1"), 249)  # by the same connection, while it lasts
    assert server.log.count("Accepted publickey") == 1


def test_the_folders_within_a_folder_are_pulled_from_on_one_connection(
    house: RunningHouse, server: SftpServer
) -> None:
    for name in ("0007", "0008"):
        (server.folder / name).mkdir()
        (server.folder / name / "list.csv").write_bytes(lines((f"IN-{name}", "1.99")))
    (server.folder / "link").symlink_to(server.folder / "0007")
    with pulled(house, server, subfolders="true") as source:
        for name in ("0007", "0008"):
            done = server.folder / name / "done" / "list.csv"
            until(done.is_file, wanted=True)
            assert (server.folder / name / "list.csv.result.csv").is_file()
            assert source.price(f"IN-{name}") == 199
        assert source.jobs() == 2


def test_a_changed_host_key_is_a_problem_until_a_person_pins_the_new_one(
    house: RunningHouse, server: SftpServer
) -> None:
    pinned = server.fingerprint()
    with pulled(house, server) as source:
        (server.folder / "before.csv").write_bytes(lines(("K-1", "1.00")))
        until(lambda: source.price("K-1"), 100)
        server.kill()
        server.change_host_key()
        server.start()
        (server.folder / "after.csv").write_bytes(lines(("K-1", "2.00")))
        until(lambda: server.fingerprint() in source.problem(), wanted=True)
        assert pinned in source.problem()
        assert (server.folder / "after.csv").exists()
        assert source.price("K-1") == 100

        def said() -> list[str]:
            now = house.house.clock.now()
            found = house.write(lambda tx: list(find_intake_problems(tx, StoreId("main"), now)))
            return [reason for _, subject, reason in found if source.name in subject]

        until(lambda: [server.fingerprint() in reason for reason in said()], [True])
        source.put(settings_of(server))
        until(lambda: source.price("K-1"), 200)
        until(said, [])


def test_a_login_that_is_refused_is_a_problem_in_words(
    house: RunningHouse, server: SftpServer
) -> None:
    with pulled(house, server, login="nobody-here") as source:
        until(lambda: "refuses the login nobody-here" in source.problem(), wanted=True)


def test_a_server_for_reading_alone_is_read_once(house: RunningHouse, server: SftpServer) -> None:
    server.kill()
    server.read_only = True
    server.start()
    (server.folder / "list.csv").write_bytes(lines(("R-1", "3.00")))
    with pulled(house, server) as source:
        until(lambda: source.price("R-1"), 300)
        until(lambda: "cannot be moved" in source.problem(), wanted=True)
        (server.folder / "next.csv").write_bytes(lines(("R-2", "4.00")))
        until(lambda: source.price("R-2"), 400)  # so it looked again, and
        assert source.jobs() == 2  # took the first no second time
        assert (server.folder / "list.csv").exists()


def test_a_server_killed_in_the_middle_of_a_file_has_it_taken_once_when_it_is_back(
    house: RunningHouse, server: SftpServer
) -> None:
    rows = (f"M-{number};Milk;7.77;{'x' * 1000}" for number in range(6_000))
    (server.folder / "long.csv").write_text("\n".join(["sku;name;price;note", *rows, ""]))
    with FaultProxy(server.port).running() as line:
        line.slow_s = 0.1
        with pulled(house, server, port=str(line.port)) as source:
            until(lambda: line.met["slowed"] > 40, wanted=True)
            server.kill()
            line.cut()
            assert (server.folder / "long.csv").exists()
            assert source.price("M-5999") is None
            line.heal()
            server.start()
            until(lambda: source.price("M-5999"), 777)
            assert source.jobs() == 1


def test_a_server_that_hangs_holds_up_no_other(
    house: RunningHouse, server: SftpServer, tmp_path: Path
) -> None:
    with (
        FaultProxy(server.port).running() as line,
        SftpServer(tmp_path / "second") as second,
        pulled(house, server, port=str(line.port)) as hung,
        pulled(house, second) as other,
    ):
        (server.folder / "a.csv").write_bytes(lines(("H-1", "1.00")))
        until(lambda: hung.price("H-1"), 100)
        line.swallows = True
        (server.folder / "b.csv").write_bytes(lines(("H-1", "2.00")))
        until(lambda: line.met["swallowed bytes"] > 0, wanted=True)
        (second.folder / "c.csv").write_bytes(lines(("H-2", "3.00")))
        until(lambda: other.price("H-2"), 300)
        assert hung.price("H-1") == 100
        line.heal()
        until(lambda: hung.price("H-1"), 200)


def test_a_house_ends_while_a_server_hangs(
    tmp_path: Path, server: SftpServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(runner, "STOP_S", 1.0)
    with FaultProxy(server.port).running() as line:
        with running_house(tmp_path / "data", with_worker=True) as house:
            house.done("PUT", "/api/v1/stores/main", STORE_BODY)
            assert house.ask("PUT", "/api/v1/mappings/till-list", content=MAPPING).is_success
            source = Pulled(house, server, port=str(line.port))
            (server.folder / "a.csv").write_bytes(lines(("E-1", "1.00")))
            until(lambda: source.price("E-1"), 100)
            line.swallows = True
            until(lambda: line.met["swallowed bytes"] > 0, wanted=True)
            began_s = time.monotonic()
        took_s = time.monotonic() - began_s
    assert took_s < 25  # not the half minute that an answer may take


def test_many_files_are_taken_in_the_order_of_their_times(
    house: RunningHouse, server: SftpServer
) -> None:
    for number in range(MANY):
        file = server.folder / f"{(number * 37) % MANY:03}.csv"
        file.write_bytes(lines(("O-1", f"{number + 1}.00")))
        os.utime(file, (1_700_000_000 + number, 1_700_000_000 + number))
    with pulled(house, server) as source:
        until(lambda: len(list((server.folder / "done").glob("???.csv"))), MANY)
        assert source.price("O-1") == MANY * 100
        assert source.jobs() == MANY


class TestSettings:
    @pytest.mark.parametrize(
        ("settings", "pointers"),
        [
            ({}, ["host", "login", "host_key"]),
            ({"host": "sftp://x.example"}, ["host"]),
            ({"host": "127.0.0.1", "allow_private": "10.0.0.0/8"}, ["host"]),
            ({"host": "a b"}, ["host"]),
            ({"port": "0"}, ["port"]),
            ({"port": "65536"}, ["port"]),
            ({"port": "٢٢"}, ["port"]),
            ({"login": "r" * 200}, ["login"]),
            ({"folder": "a\x00b"}, ["folder"]),
            ({"host_key": "SHA256:short"}, ["host_key"]),
            ({"host_key": "MD5:16:27:ac:a5:76:28:2d:36:63:1b:56:4d:eb:df:a6:48"}, ["host_key"]),
            ({"host_key": "ssh-ed25519 AAAA"}, ["host_key"]),
            ({"host_key": "ssh-dss AAAAB3NzaC1kc3MAAACBAP1="}, ["host_key"]),
            ({"host_key": "ecdsa-sha2-nistp256 {ed25519}"}, ["host_key"]),
            ({"host_key": "yes"}, ["host_key"]),
            ({"pikup": "rename"}, ["pikup"]),
            ({"every_s": "0"}, ["every_s"]),
        ],
    )
    def test_wrong_ones_are_refused_when_they_are_put(
        self, house: RunningHouse, settings: dict[str, str], pointers: list[str]
    ) -> None:
        key = asyncssh.generate_private_key("ssh-ed25519").export_public_key().decode().split()
        good = {"host": "sftp.example", "login": "till", "host_key": " ".join(key[:2])}
        given = {
            name: text.replace("{ed25519}", key[1]) for name, text in (good | settings).items()
        }
        body = {
            "name": "Till",
            "store": "main",
            "kind": "sftp",
            "mapping": "till-list",
            "settings": given if settings else {},
        }
        answer = house.ask("PUT", "/api/v1/sources/wrong", json=body)
        check_problem(answer, 422, *(f"/settings/{name}" for name in pointers))

    @pytest.mark.parametrize(
        "secret",
        [
            "no key at all, though long enough",
            "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIJ till@shop",
            "PuTTY-User-Key-File-3: ssh-ed25519\nEncryption: none\n",
            "-----BEGIN OPENSSH PRIVATE KEY-----\nAAAA\n-----END OPENSSH PRIVATE KEY-----",
            "locked",
        ],
    )
    def test_what_is_no_private_key_is_refused_when_it_is_given(
        self, house: RunningHouse, server: SftpServer, secret: str
    ) -> None:
        if secret == "locked":
            key = asyncssh.generate_private_key("ssh-rsa")
            secret = key.export_private_key("pkcs8-pem", passphrase="word").decode()
        with pulled(house, server) as source:
            answer = house.ask(
                "POST",
                f"/api/v1/sources/{source.name}/secrets",
                json={"kind": "ssh_key", "secret": secret},
            )
            check_problem(answer, 422, "/secret")


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can shut SFTP sessions in a folder")
async def test_a_till_pushes_into_a_hot_folder_by_sftp(house: RunningHouse) -> None:
    jail = CHROOTS / secrets.token_hex(6)
    jail.mkdir(parents=True)
    [recipe] = re.findall(r"```text sshd\n(.*?)```", DOCUMENT.read_text(), re.DOTALL)
    for said, meant in [
        ("User till", "User {login}"),
        ("/srv/till", str(jail)),
        ("/etc/ssh/till.pub", "{keys}"),
    ]:
        assert said in recipe
        recipe = recipe.replace(said, meant)
    try:
        with SftpServer(jail.parent / f"{jail.name}-sshd", chroot=jail, match=recipe) as server:
            body = {
                "name": "Till",
                "store": "main",
                "kind": "hot_folder",
                "mapping": "till-list",
                "settings": {"folder": str(server.folder), "pickup": "rename", "every_s": "1"},
            }
            house.done("PUT", "/api/v1/sources/pushed", body)
            till = await asyncssh.connect(
                HOST,
                server.port,
                username=server.login,
                client_keys=list(server.secret.keys),
                known_hosts=([server.host_keys["ssh-ed25519"].convert_to_public()], [], []),
                config=None,
            )
            async with till, till.start_sftp_client() as sftp:
                assert await sftp.realpath(".") == "/in"
                assert not await sftp.exists("/etc/passwd")  # it sees nothing but its folder
                async with sftp.open("list.csv.part", "wb") as file:
                    await file.write(lines(("S-1", "9.99")))
                await sftp.rename("list.csv.part", "list.csv")
                until(
                    lambda: house.read("SELECT price_minor FROM price WHERE sku = 'S-1'"), [(999,)]
                )
                deadline = time.monotonic() + PATIENCE_S
                while not await sftp.exists("list.csv.result.csv"):
                    assert time.monotonic() < deadline
                async with sftp.open("list.csv.result.csv") as file:
                    assert "S-1" in await file.read()
            house.done("DELETE", "/api/v1/sources/pushed")
    finally:
        shutil.rmtree(CHROOTS)
