"""A folder on a real SFTP server: whom it believes, what it does to files, and what it survives."""

import os
import re
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from api.listeners.folders import sftp
from api.listeners.folders.folder import (
    DONE,
    REJECTED,
    FileGone,
    FileUnusable,
    FolderUnreachable,
    Found,
)
from api.listeners.folders.sftp import SftpFolder
from api.listeners.folders.sftp_place import SftpLogin, read_login, read_place
from api.listeners.folders.sftp_thread import SshThread
from tests.fault_proxy import FaultProxy
from tests.other_sftp_server import OtherServer, answering
from tests.running_house import Command
from tests.services import HOST, free_port
from tests.sftp_server import ED25519, RSA, SftpServer

pytest_plugins = ["tests.shop_over_http"]

LINES = b"sku;price\nA-1;1.99\n"


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SftpServer]:
    """One sshd for the tests that do it no harm; each has a folder of its own."""
    with SftpServer(tmp_path_factory.mktemp("sftp") / "sshd") as running:
        yield running


@pytest.fixture
def own_server(tmp_path: Path) -> Iterator[SftpServer]:
    with SftpServer(tmp_path / "own") as running:
        yield running


@pytest.fixture
def thread() -> Iterator[SshThread]:
    ssh = SshThread()
    yield ssh
    ssh.close()


Reach = Callable[..., SftpFolder]


@pytest.fixture
def reach(thread: SshThread) -> Iterator[Reach]:
    """Make folders, and close them after the test."""
    made: list[SftpFolder] = []

    def make(
        server: SftpServer | OtherServer, secret: SftpLogin | None = None, **settings: object
    ) -> SftpFolder:
        usual = {"host": HOST, "port": server.port, "login": server.login, "allow_private": HOST}
        given = usual | settings
        if "host_key" not in given:
            given["host_key"] = server.host_key()
        place = read_place({name: str(value) for name, value in given.items()})
        made.append(SftpFolder(place, secret or server.secret, thread))
        return made[-1]

    yield make
    for folder in made:
        folder.close()


@pytest.fixture
def inside(server: SftpServer, tmp_path: Path) -> Path:
    folder = server.folder / tmp_path.name
    folder.mkdir()
    return folder


def everything(_name: str) -> bool:
    return True


def existing(folder: SftpFolder, name: str) -> Found:
    found = folder.look(name)
    assert found is not None
    return found


def nothing(name: str) -> Found:
    return Found(name=name, size_bytes=0, modified_ns=0)


def names(folder: SftpFolder) -> list[str]:
    return [found.name for found in folder.list(everything)]


class TestFiles:
    def test_the_oldest_come_first_and_only_those_wanted(
        self, server: SftpServer, reach: Reach, inside: Path
    ) -> None:
        for number, name in enumerate(["c.csv", "a.csv", "b.csv", "b.tmp"]):
            (inside / name).write_bytes(LINES)
            os.utime(inside / name, (1_700_000_000 + number, 1_700_000_000 + number))
        folder = reach(server, folder=inside)
        found = folder.list(lambda name: name.endswith(".csv"))
        assert [(f.name, f.size_bytes) for f in found] == [
            (name, len(LINES)) for name in ("c.csv", "a.csv", "b.csv")
        ]
        assert found[0].modified_ns == 1_700_000_000 * 10**9
        assert folder.look("c.csv") == found[0]

    def test_a_folder_may_be_named_from_where_the_login_begins(
        self, server: SftpServer, reach: Reach, inside: Path
    ) -> None:
        (inside / "a.csv").write_bytes(LINES)
        assert names(reach(server, folder=inside.name)) == ["a.csv"]
        assert inside.name not in names(reach(server))  # it is a folder there

    def test_a_thousand_files_are_listed_whole(
        self, server: SftpServer, reach: Reach, inside: Path
    ) -> None:
        for number in range(1000):
            (inside / f"{number:04}.csv").write_bytes(LINES)
        assert sorted(names(reach(server, folder=inside))) == [f"{n:04}.csv" for n in range(1000)]

    @pytest.mark.parametrize("size", [0, 1, 16_384, 262_144, 3_000_001])
    def test_a_file_is_read_byte_for_byte(
        self, server: SftpServer, reach: Reach, inside: Path, size: int
    ) -> None:
        data = os.urandom(size)
        (inside / "a.csv").write_bytes(data)
        folder = reach(server, folder=inside)
        with folder.open("a.csv") as file:
            assert file.read() == data
        with folder.open("a.csv") as file:
            assert b"".join(iter(lambda: file.read(999), b"")) == data

    def test_links_folders_and_pipes_are_no_files(
        self, server: SftpServer, reach: Reach, inside: Path, tmp_path: Path
    ) -> None:
        (tmp_path / "secret").write_bytes(b"not for a till")
        (inside / "link").symlink_to(tmp_path / "secret")
        (inside / "dangling").symlink_to(tmp_path / "nothing")
        (inside / "inner").mkdir()
        os.mkfifo(inside / "pipe")
        folder = reach(server, folder=inside)
        assert names(folder) == []
        for name in ("link", "dangling", "inner", "pipe", "nothing"):
            assert folder.look(name) is None
            with pytest.raises(FileGone):
                folder.open(name)

    @pytest.mark.parametrize("name", ["", ".", "..", "../a.csv", "done/a.csv", "/etc/passwd", "\0"])
    def test_no_name_leads_out_of_the_folder(
        self, server: SftpServer, reach: Reach, inside: Path, name: str
    ) -> None:
        folder = reach(server, folder=inside)
        doings: list[Callable[[], object]] = [
            lambda: folder.look(name),
            lambda: folder.open(name),
            lambda: folder.move(nothing(name), DONE),
            lambda: folder.write(name, LINES),
            lambda: folder.remove(name),
        ]
        for do in doings:
            with pytest.raises(FileUnusable):
                do()

    @pytest.mark.parametrize(
        "raw",
        [b"a\nb.csv", b"cijene \x9ai\xe6.csv", b"n" * 255, b"-rf.csv", "cijene š.csv".encode()],
    )
    def test_names_may_hold_anything(
        self, server: SftpServer, reach: Reach, inside: Path, raw: bytes
    ) -> None:
        Path(os.fsdecode(os.fsencode(inside) + b"/" + raw)).write_bytes(LINES)
        folder = reach(server, folder=inside)
        [found] = folder.list(everything)
        assert os.fsencode(found.name) == raw
        with folder.open(found.name) as file:
            assert file.read() == LINES
        moved = folder.move(found, DONE)
        assert os.listdir(os.fsencode(inside) + b"/done") == [os.fsencode(moved)] == [raw]  # noqa: PTH208
        assert names(folder) == []

    def test_no_file_is_moved_over_another(
        self, server: SftpServer, reach: Reach, inside: Path
    ) -> None:
        folder = reach(server, folder=inside)
        moved = []
        for number in range(12):
            (inside / "a.csv").write_text(str(number))
            moved.append(folder.move(existing(folder, "a.csv"), REJECTED))
        assert moved == ["a.csv", *(f"a.{number}.csv" for number in range(2, 13))]
        for number, name in enumerate(moved):
            assert (inside / REJECTED / name).read_text() == str(number)
        with pytest.raises(FileGone):
            folder.move(nothing("a.csv"), REJECTED)

    def test_what_took_the_place_of_a_file_is_not_moved_for_it(
        self, server: SftpServer, reach: Reach, inside: Path
    ) -> None:
        folder = reach(server, folder=inside)
        (inside / "a.csv").write_bytes(LINES)
        found = existing(folder, "a.csv")
        (inside / "a.csv").write_bytes(LINES + LINES)
        with pytest.raises(FileGone):
            folder.move(found, DONE)
        assert names(folder) == ["a.csv"]

    def test_results_are_written_whole_over_the_old_ones(
        self, server: SftpServer, reach: Reach, inside: Path
    ) -> None:
        folder = reach(server, folder=inside)
        long = os.urandom(700_000)
        for data in (LINES, long, b""):
            folder.write("a.csv.result.csv", data)
            assert (inside / "a.csv.result.csv").read_bytes() == data
        folder.write("a.csv.error.txt", LINES, REJECTED)
        assert (inside / REJECTED / "a.csv.error.txt").read_bytes() == LINES
        assert sorted(p.name for p in inside.rglob("*")) == sorted(
            [REJECTED, "a.csv.error.txt", "a.csv.result.csv"]
        )

    def test_what_is_removed_twice_is_gone(
        self, server: SftpServer, reach: Reach, inside: Path
    ) -> None:
        (inside / "a.csv").write_bytes(LINES)
        folder = reach(server, folder=inside)
        folder.remove("a.csv")
        folder.remove("a.csv")
        assert not (inside / "a.csv").exists()

    def test_a_folder_that_is_not_there_is_named(self, server: SftpServer, reach: Reach) -> None:
        with pytest.raises(FolderUnreachable, match="no-such-folder is not there"):
            reach(server, folder="no-such-folder").list(everything)

    def test_a_server_for_reading_alone_refuses_file_by_file(
        self, own_server: SftpServer, reach: Reach
    ) -> None:
        own_server.kill()
        own_server.read_only = True
        own_server.start()
        (own_server.folder / "a.csv").write_bytes(LINES)
        folder = reach(own_server)
        with folder.open("a.csv") as file:
            assert file.read() == LINES
        for change in (
            lambda: folder.move(existing(folder, "a.csv"), DONE),
            lambda: folder.write("a.csv.result.csv", LINES),
            lambda: folder.remove("a.csv"),
        ):
            with pytest.raises(FileUnusable, match="does not allow"):
                change()
        assert names(folder) == ["a.csv"]


class TestWhomItBelieves:
    def test_a_key_or_its_fingerprint_pins_the_server(
        self, server: SftpServer, reach: Reach
    ) -> None:
        for kind in (ED25519, RSA):
            for pin in (server.host_key(kind), server.fingerprint(kind)):
                reach(server, host_key=pin).list(everything)

    @pytest.mark.parametrize("kind", [ED25519, RSA])
    def test_a_changed_key_is_refused_with_both_fingerprints(
        self, own_server: SftpServer, reach: Reach, kind: str
    ) -> None:
        pinned, before = own_server.host_key(kind), own_server.fingerprint(kind)
        reach(own_server, host_key=pinned).list(everything)
        own_server.kill()
        own_server.change_host_key(kind)
        own_server.start()
        logged = len(own_server.log)
        for pin in (pinned, before):
            with pytest.raises(FolderUnreachable) as refused:
                reach(own_server, host_key=pin).list(everything)
            assert not refused.value.may_pass  # it is a problem at once
            assert before in str(refused.value)
            assert own_server.fingerprint(kind) in str(refused.value)
            assert "nothing was sent" in str(refused.value)
        assert "user" not in own_server.log[logged:]  # the name of the login was not said
        reach(own_server, host_key=own_server.host_key(kind)).list(everything)

    def test_a_server_that_lost_the_pinned_kind_of_key_is_refused(
        self, own_server: SftpServer, reach: Reach
    ) -> None:
        pinned = own_server.host_key(ED25519)
        own_server.kill()
        del own_server.host_keys[ED25519]
        own_server.start()
        with pytest.raises(FolderUnreachable) as refused:
            reach(own_server, host_key=pinned).list(everything)
        assert own_server.fingerprint(RSA) in str(refused.value)

    def test_the_files_of_whoever_runs_it_let_nobody_in(
        self,
        own_server: SftpServer,
        reach: Reach,
        tmp_path: Path,
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        ssh = tmp_path / "home" / ".ssh"
        ssh.mkdir(parents=True)
        (ssh / "id_ed25519").write_text(own_server.private_key)
        (ssh / "id_ed25519").chmod(0o600)
        known = f"[{HOST}]:{own_server.port} {own_server.host_key()}\n"
        (ssh / "known_hosts").write_text(known)
        monkeypatch.setenv("HOME", str(tmp_path / "home"))
        with pytest.raises(FolderUnreachable, match="not the server that was pinned"):
            reach(own_server, host_key=f"SHA256:{'A' * 43}").list(everything)
        with pytest.raises(FolderUnreachable, match="refuses the login"):
            reach(own_server, read_login([("password", "none of it")])).list(everything)

    def test_a_private_address_must_be_named(self, server: SftpServer, reach: Reach) -> None:
        folder = reach(server, host="localhost", allow_private="10.0.0.0/8")
        with pytest.raises(FolderUnreachable, match="private address"):
            folder.list(everything)
        reach(server, host="localhost", allow_private="localhost").list(everything)


class TestLogin:
    def test_a_key_that_the_server_does_not_know_is_refused_in_words(
        self, server: SftpServer, own_server: SftpServer, reach: Reach
    ) -> None:
        foreign = read_login([("ssh_key", own_server.private_key)])
        with pytest.raises(FolderUnreachable, match=f"refuses the login {server.login}"):
            reach(server, foreign).list(everything)
        with pytest.raises(FolderUnreachable, match="refuses the login nobody-here"):
            reach(server, login="nobody-here").list(everything)

    def test_the_old_key_still_opens_while_a_new_one_is_brought_in(
        self, server: SftpServer, own_server: SftpServer, reach: Reach
    ) -> None:
        newest, old = own_server.private_key, server.private_key
        both = read_login([("ssh_key", newest), ("ssh_key", old)])
        reach(server, both).list(everything)

    @pytest.mark.parametrize("by_keyboard", [False, True])
    def test_a_password_opens_and_another_does_not(
        self, tmp_path: Path, reach: Reach, *, by_keyboard: bool
    ) -> None:
        (tmp_path / "a.csv").write_bytes(LINES)
        other = OtherServer(folder=tmp_path, passwords=["right"], by_keyboard=by_keyboard)
        with other.running():
            for tried in (["right"], ["newest", "right"]):
                login = read_login(("password", word) for word in tried)
                assert names(reach(other, login)) == ["a.csv"]
            other.tried.clear()
            with pytest.raises(FolderUnreachable, match="refuses the login till"):
                reach(other, read_login([("password", "wrong")])).list(everything)
            assert other.tried == ["wrong"]  # not again and again: such logins get locked

    def test_a_password_is_not_said_to_another_server(self, tmp_path: Path, reach: Reach) -> None:
        other = OtherServer(folder=tmp_path, passwords=["right"])
        with other.running():
            folder = reach(other, host_key=f"SHA256:{'B' * 43}")
            with pytest.raises(FolderUnreachable, match="not the server that was pinned"):
                folder.list(everything)
        assert other.tried == []


class TestFaults:
    def test_a_server_killed_in_the_middle_is_back_for_the_next_folder(
        self, own_server: SftpServer, reach: Reach
    ) -> None:
        data = os.urandom(20_000_000)
        (own_server.folder / "a.csv").write_bytes(data)
        folder = reach(own_server)
        with folder.open("a.csv") as file:
            assert file.read(1000) == data[:1000]
            own_server.kill()
            with pytest.raises(FolderUnreachable):
                file.read()
        with pytest.raises(FolderUnreachable):
            folder.list(everything)
        with pytest.raises(FolderUnreachable, match="cannot be reached") as gone:
            reach(own_server).list(everything)
        assert gone.value.may_pass
        own_server.start()
        with reach(own_server).open("a.csv") as file:
            assert file.read() == data

    def test_a_write_that_breaks_off_leaves_the_old_result(
        self, own_server: SftpServer, reach: Reach
    ) -> None:
        result = own_server.folder / "a.csv.result.csv"
        result.write_bytes(LINES)
        with FaultProxy(own_server.port).running() as line:
            folder = reach(own_server, port=line.port)
            folder.list(everything)
            line.slow_s = 0.05
            breaker = threading.Timer(0.3, line.cut)
            breaker.start()
            with pytest.raises(FolderUnreachable):
                folder.write("a.csv.result.csv", bytes(30_000_000))
            breaker.join()
        assert result.read_bytes() == LINES
        assert [found.name for found in reach(own_server).list(lambda n: n[0] != ".")] == [
            "a.csv.result.csv"
        ]

    def test_a_server_that_hangs_stops_neither_others_nor_the_end(
        self,
        own_server: SftpServer,
        reach: Reach,
        thread: SshThread,
    ) -> None:
        (own_server.folder / "a.csv").write_bytes(LINES)
        with FaultProxy(own_server.port).running() as line:
            hung = reach(own_server, port=line.port)
            hung.list(everything)
            line.swallows = True
            said: list[str] = []

            def ask() -> None:
                try:
                    hung.list(everything)
                except FolderUnreachable as exc:
                    said.append(str(exc))

            asker = threading.Thread(target=ask)
            asker.start()
            assert names(reach(own_server)) == ["a.csv"]
            assert asker.is_alive()
            thread.close()
            asker.join(20)
            assert not asker.is_alive()
            assert len(said) == 1

    def test_a_server_that_hangs_is_given_up(
        self, own_server: SftpServer, reach: Reach, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(sftp, "ANSWER_S", 0.5)
        (own_server.folder / "a.csv").write_bytes(LINES)
        with FaultProxy(own_server.port).running() as line:
            folder = reach(own_server, port=line.port)
            folder.list(everything)
            line.swallows = True
            with pytest.raises(FolderUnreachable, match="does not answer"):
                folder.look("a.csv")
            monkeypatch.setattr(sftp, "CONNECT_S", 0.5)
            with pytest.raises(FolderUnreachable, match="does not answer"):
                reach(own_server, port=line.port).list(everything)

    def test_what_lies_behind_a_gap_is_never_put_before_it(
        self, tmp_path: Path, reach: Reach
    ) -> None:
        data = os.urandom(2_000_000)
        (tmp_path / "a.csv").write_bytes(data)
        step = 256 * 1024
        other = OtherServer(folder=tmp_path, passwords=["right"], ends={step, 3 * step})
        with other.running():
            folder = reach(other)
            with folder.open("a.csv") as file:
                assert data.startswith(file.read())
        assert not other.ends & {step}

    def test_listed_names_that_lead_elsewhere_are_left_out(
        self, tmp_path: Path, reach: Reach
    ) -> None:
        (tmp_path / "a.csv").write_bytes(LINES)
        bad = [b"../../etc/passwd", b"..", b"", b"/etc/passwd", b"x\0y", b"inner/a.csv"]
        other = OtherServer(folder=tmp_path, passwords=["right"], listed=bad)
        with other.running():
            folder = reach(other)
            assert names(folder) == ["a.csv"]

    @pytest.mark.parametrize(
        "answer",
        [
            b"",
            b"HTTP/1.1 400 Bad Request\r\n\r\n",
            b"SSH-1.5-old\r\n",
            b"SSH-2.0-x\r\n" + b"\xff" * 4096,
            b"SSH-2.0-x\r\n" + bytes(4096),
            b"SSH-2.0-x\r\n\x00\x00\x00\x0c\x0a\x14" + bytes(10),
            b"x" * 100_000,
            b"line\r\n" * 5000,
        ],
    )
    def test_what_is_no_ssh_is_refused_in_words(
        self, server: SftpServer, reach: Reach, answer: bytes
    ) -> None:
        with (
            answering(lambda connection: connection.sendall(answer)) as port,
            pytest.raises(FolderUnreachable),
        ):
            reach(server, port=port).list(everything)

    def test_nobody_there_is_said_at_once(self, server: SftpServer, reach: Reach) -> None:
        began_s = time.monotonic()
        with pytest.raises(FolderUnreachable, match="cannot be reached"):
            reach(server, port=free_port()).list(everything)
        assert time.monotonic() - began_s < 15


class TestCommand:
    def test_it_shows_what_to_compare_and_pin(self, server: SftpServer, command: Command) -> None:
        said = command("sources", "host-key", HOST, "--port", str(server.port))
        assert said.status == 0, said.stderr
        for kind in (ED25519, RSA):
            assert f"{server.fingerprint(kind)}  {kind}" in said.stdout
        pins = re.findall(r"host_key: (.+)", said.stdout)
        assert pins == [" ".join(server.host_key(kind).split()[:2]) for kind in (ED25519, RSA)]

    def test_it_says_why_it_cannot(self, command: Command) -> None:
        with answering(lambda connection: connection.sendall(b"HTTP/1.1 400 No\r\n\r\n")) as port:
            asked = [[HOST, "--port", str(port)], [HOST, "--port", str(free_port())]]
            for words in (*asked, ["no-such-host.invalid"]):
                said = command("sources", "host-key", *words)
                assert said.status == 1
                assert said.stderr.startswith("esl: ")
                assert len(said.stderr.splitlines()) == 1
