"""``esl backup`` and ``esl restore``: one file with everything, and the way back."""

from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Any

import typer
import typer.core
from rich.console import Console

from api.audit.files import AuditFolder
from api.backup.archive import check_backup, write_backup
from api.backup.manifest import Manifest
from api.backup.restore import Restored
from api.backup.restore import restore as put_back
from api.backup.sealed_keys import check_passphrase, read_keys, read_passphrase, seal_keys
from api.cli.serve import DataDir
from api.cli.way_back import go_back, send_list_again
from api.clock import MachineClock
from esl.domain.errors import SetupError
from esl.settings import Settings, read_settings
from esl.store.database import Database

DatabaseUrl = Annotated[
    str | None,
    typer.Option("--database", help="sqlite:///… or postgresql://…", show_default="in --data"),
]
PassphraseFile = Annotated[
    Path | None,
    typer.Option(
        help="File whose first line is the passphrase of the keys.", show_default="it is asked for"
    ),
]
WithoutKeys = Annotated[
    bool, typer.Option("--without-keys", help="Leave the keys out; none is asked for.")
]


class _BackupGroup(typer.core.TyperGroup):
    """Lets ``esl backup FILE`` stand beside ``esl backup verify FILE``."""

    def resolve_command(self, ctx: Any, args: list[str]) -> Any:
        """Take what is no command for the file of ``write``."""
        if args and args[0] not in self.commands:
            args = ["write", *args]
        return super().resolve_command(ctx, args)

    def parse_args(self, ctx: Any, args: list[str]) -> Any:
        """Take options before the file for those of ``write``."""
        if args and args[0].startswith("-") and args[0] != "--help":
            args = ["write", *args]
        return super().parse_args(ctx, args)


app = typer.Typer(
    help="Write a backup (esl backup FILE), or check one.",
    cls=_BackupGroup,
    no_args_is_help=True,
)


@app.command("write")
def write(
    file: Annotated[Path, typer.Argument(help="The file to write; it must not be there.")],
    passphrase_file: PassphraseFile = None,
    without_keys: WithoutKeys = False,
    data: DataDir = None,
    database: DatabaseUrl = None,
) -> None:
    """Write everything into one file, while the controller runs or not; then read it back.

    The keys are in it under a passphrase only. `esl backup FILE` is the same.
    """
    settings = read_settings(data_dir=data, database_url=database)
    opened = Database(settings.database_address)
    try:
        if opened.path is not None and not Path(opened.path).is_file():
            raise SetupError(f"there is no database at {opened.path}; name its folder with --data")
        sealed = None
        if not without_keys:
            sealed = seal_keys(_keys(settings), _passphrase(passphrase_file, twice=True))
        manifest = write_backup(
            opened,
            file,
            MachineClock().wall(),
            sealed_keys=sealed,
            audit_keys=AuditFolder(settings.data_dir).signed_here(),
            progress=_progress(),
        )
    finally:
        opened.close()
    print(f"{file}: {_words(manifest)}; read back, and whole")


@app.command("verify")
def verify(file: Annotated[Path, typer.Argument(help="A backup.")]) -> None:
    """Read a backup from the first byte to the last; status 1 names the part that is damaged."""
    print(f"{file}: {_words(check_backup(file))}; whole")


def restore(
    file: Annotated[
        Path | None,
        typer.Argument(
            help="A backup; with --before-upgrade what was made before one.",
            show_default="with --before-upgrade the newest",
        ),
    ] = None,
    passphrase_file: PassphraseFile = None,
    without_keys: WithoutKeys = False,
    keep_keys: Annotated[
        bool, typer.Option("--keep-keys", help="The keys in --data were not lost: keep them.")
    ] = False,
    before_upgrade: Annotated[
        bool, typer.Option("--before-upgrade", help="Go back to before the last upgrade.")
    ] = False,
    list_since: Annotated[
        Path | None,
        typer.Option(
            help="Where to list what was accepted since the upgrade.", show_default="in --data"
        ),
    ] = None,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Only say what --before-upgrade would do.")
    ] = False,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
    send_again: Annotated[
        Path | None,
        typer.Option(help="Send such a list to the controller that runs; nothing is restored."),
    ] = None,
    data: DataDir = None,
    database: DatabaseUrl = None,
) -> None:
    """Put a backup back, into an empty folder and database, of either kind.

    Every label is then told its picture anew. Without the keys every gateway needs a new enrolment
    file; what else is lost with them is said one by one.

    With --before-upgrade the database of --data goes back to what it was before its last upgrade,
    and what was accepted since is listed; --send-again sends that list.
    """
    settings = read_settings(data_dir=data, database_url=database)
    if send_again is not None:
        send_list_again(data, send_again)
        return
    if before_upgrade:
        go_back(settings, file, list_since, dry_run=dry_run, yes=yes, progress=_progress())
        return
    if list_since is not None or dry_run or yes:
        raise SetupError("--list-since, --dry-run and --yes go with --before-upgrade")
    if file is None:
        raise SetupError("name the backup: esl restore FILE, or say --before-upgrade")
    passphrase = None
    if not (without_keys or keep_keys):
        passphrase = _passphrase(passphrase_file, twice=False)
    restored = put_back(
        file,
        settings,
        MachineClock().wall(),
        passphrase=passphrase,
        keeps_keys=keep_keys,
        progress=_progress(),
    )
    print(f"restored {_words(restored.manifest)}")
    _tell_lost(restored)
    print("Start the controller. Every label is told its picture anew.")
    print("Have tills send again what has changed since the backup.")


def _tell_lost(restored: Restored) -> None:
    if restored.is_new_key:
        print(f"The keys are lost: {restored.key_id} signs from now on, which no gateway obeys.")
        print("Start the controller; what each gateway needs then says: esl keys missing")
    for secret in restored.lost:
        print(f"lost: {secret.what}; {secret.what_to_do}")


def _keys(settings: Settings) -> dict[str, bytes]:
    keys = read_keys(settings.data_dir)
    if not keys:
        raise SetupError(f"{settings.data_dir / 'keys'} holds no keys; write it --without-keys")
    return keys


def _passphrase(path: Path | None, *, twice: bool) -> str:
    if path is not None:
        return read_passphrase(path)
    asked: str = typer.prompt(
        "Passphrase of the keys", hide_input=True, confirmation_prompt=twice, err=True
    )
    return check_passphrase(asked)


def _progress() -> Callable[[str, int], None]:
    console = Console(stderr=True)

    def tell(table: str, rows: int) -> None:
        if console.is_terminal and rows:
            console.print(f"{table}: {rows:,} rows", end="\x1b[K\r", highlight=False)

    return tell


def _words(manifest: Manifest) -> str:
    keys = "with its keys" if manifest.has_keys else "without keys"
    kind = "SQLite" if manifest.database == "sqlite" else "PostgreSQL"
    return (
        f"{manifest.rows:,} rows of {manifest.made_at:%Y-%m-%d %H:%M} UTC "
        f"({kind}, version {manifest.product}, schema {manifest.schema}), {keys}"
    )
