"""``esl init``: a data folder with keys, and a settings file that explains itself."""

import json
import os
import textwrap
from pathlib import Path
from typing import Annotated, Any

import typer
from pydantic_core import PydanticUndefined

from api.cli.serve import DataDir
from api.private_files import hold_data_folder, make_data_folder, signing_key
from api.secret_box import make_box_key
from esl.domain.errors import SetupError
from esl.settings import FILE_NAME, Settings, read_settings

_HEAD = """\
# Settings of an ESL controller: docs/operate.md. Each stands here with what holds without it.
# Environment variables (ESL_PORT=8081) come before this file, options of a command before both.
"""
_WIDTH = 98


def init(
    yes: Annotated[bool, typer.Option("--yes", help="Ask nothing.")] = False,
    data: DataDir = None,
) -> None:
    """Make the data folder, its keys and a settings file here. Overwrites nothing."""
    settings = read_settings(data_dir=data)
    file, folder = Path(FILE_NAME), settings.data_dir
    if not yes and not typer.confirm(f"Make {folder} and {file.resolve()}?", default=True):
        raise typer.Exit(1)
    make_data_folder(folder)
    with hold_data_folder(folder):
        signing = folder / "keys" / "signing.pem"
        had_key = signing.exists()
        if not had_key and not (folder / "esl.db").exists():
            signing_key(folder)
            make_box_key(folder)
    print(f"{folder}: readable by you alone; {'its keys stay' if had_key else 'keys made'}")
    print(f"{file}: {'made' if _write(file, folder) else 'is there already, and stays as it is'}")
    print("Next:")
    print("  esl tls init --name YOUR.HOST     certificates, for more than this machine")
    print("  esl serve                         start it; prints its address")
    print("  esl people set-up                 a link for the first account, while it runs")
    print("  esl sign-in                       a link to the console without an account")
    print("  esl stores put                    your first store")
    print("  esl doctor                        whether all is well, and what to do")
    print(f"Copy {folder / 'keys'} to a safe place: gateways obey these keys and no others.")


def settings_text(folder: Path) -> str:
    """Write a settings file in which everything but the data folder is a comment."""
    parts = [_HEAD]
    for name, field in Settings.model_fields.items():
        words = textwrap.wrap(field.description or "", _WIDTH)
        lines = [f"# {line}" for line in words]
        if name == "data_dir":
            lines.append(f"{name} = {json.dumps(str(folder))}")
        else:
            lines.append(f"# {name} = {_toml(field.default)}")
        parts.append("\n".join(lines) + "\n")
    return "\n".join(parts)


def _toml(value: Any) -> str:
    """Write a default as TOML would; what has none stands as an empty text."""
    if value is None or value is PydanticUndefined:
        return '""'
    return json.dumps(str(value) if isinstance(value, Path) else value)


def _write(file: Path, folder: Path) -> bool:
    try:
        descriptor = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        return False
    except OSError as exc:
        raise SetupError(f"{file} cannot be written: {exc.strerror}") from exc
    with os.fdopen(descriptor, "w", encoding="utf-8") as opened:
        opened.write(settings_text(folder))
    return True
