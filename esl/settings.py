"""Settings: a TOML file, then ``ESL_…`` environment variables, then the command line.

Only composition roots read them; everything below gets its values passed in.
"""

import difflib
import ipaddress
import os
import tomllib
from datetime import timedelta
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import Field, ValidationError
from pydantic_settings import (
    BaseSettings,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
    TomlConfigSettingsSource,
)

from esl.domain.errors import SetupError
from esl.domain.fleet import BEACONS_MISSED_MOST

FILE_NAME = "esl.toml"
PREFIX = "ESL_"
_DAY_S = 86_400
_OTHER_VARIABLES = ("ESL_LOG_LEVEL", "ESL_TEST_")
"""Environment variables of ours that are no settings."""


class Settings(BaseSettings):
    """Everything an installation may set."""

    model_config = SettingsConfigDict(env_prefix=PREFIX, extra="forbid")

    data_dir: Path = Field(
        default=Path("esl-data"),
        description="Folder of the database, keys and login files; made with mode 0700.",
    )
    database_url: str | None = Field(
        default=None,
        description="sqlite:///… or postgresql://…; without it, esl.db in the data folder.",
    )
    host: str = Field(default="127.0.0.1", description="Address the HTTP server binds to.")
    port: int = Field(default=8080, ge=0, le=65535, description="0 takes a free port.")
    plain_http_allowed: bool = Field(
        default=False,
        description="Let the server bind beyond this machine without TLS; tokens travel readable.",
    )
    mqtt_url: str | None = Field(
        default=None,
        description="mqtt://user:password@host:port of the broker; without it, the embedded one.",
    )
    mqtt_in_url: str | None = Field(
        default=None,
        description="Broker on which sources publish price changes (esl/v1/in/…); without it, the "
        "one of mqtt_url.",
    )
    patience_s: float = Field(
        default=45.0,
        gt=0,
        le=_DAY_S,
        description="How long a label may take to answer before it is sent again; above its "
        "check-in interval, transfer and refresh. Doubles with each attempt.",
    )
    patience_longest_s: float = Field(
        default=60.0,
        gt=0,
        le=_DAY_S,
        description="The longest pause between two attempts, if above patience_s. A shelf that "
        "missed a picture is right again this long after a fault has ended, at most.",
    )
    beacon_s: float = Field(
        default=60.0,
        gt=0,
        le=_DAY_S,
        description="The longest a label takes from one beacon to the next; one that misses three "
        "is reported as silent.",
    )
    window: int = Field(
        default=256, ge=1, description="Most labels under way through one gateway at once."
    )
    render_workers: Literal["auto"] | Annotated[int, Field(ge=0, le=64)] = Field(
        default="auto",
        description="Processes that help with drawing when many labels need new pictures; "
        "auto: two less than the machine has cores, 0: none.",
    )

    fonts_folder: Path | None = Field(
        default=None,
        description="Folder with fonts of your own (.ttf, .otf, .ttc), for characters that the "
        "fonts of this package lack; read in the order of their names.",
    )
    simulator_control: Path | None = Field(
        default=None,
        description="Control file of a simulated shop (esl simulate --control FILE): the live "
        "page offers its fault buttons. Not for real shops.",
    )
    import_largest_mib: int = Field(
        default=512, ge=1, le=16_384, description="The largest price list that may be imported."
    )
    hot_folder_roots: list[Path] = Field(
        default=[],
        description="Folders below which hot folders of sources may lie, beside hot in the data "
        "folder.",
    )
    panels_file: Path | None = Field(
        default=None,
        description="TOML file with panel models of your own; an example: esl panels example.",
    )

    @property
    def silent_after(self) -> timedelta:
        """How long a label may be unheard before it is missed."""
        return BEACONS_MISSED_MOST * timedelta(seconds=self.beacon_s)

    @property
    def database_address(self) -> str:
        """The database's SQLAlchemy address."""
        return self.database_url or f"sqlite:///{self.data_dir / 'esl.db'}"

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Put the TOML file below the environment; no .env and no secrets folder."""
        del dotenv_settings, file_secret_settings
        return init_settings, env_settings, TomlConfigSettingsSource(settings_cls, Path(FILE_NAME))


def read_settings(**given: Any) -> Settings:
    """Read the settings; ``given`` overrides file and environment where it is not None.

    Raises:
        SetupError: A setting is unknown or out of range; names it.
    """
    _refuse_unknown_variables()
    try:
        settings = Settings(**{k: v for k, v in given.items() if v is not None})
    except ValidationError as exc:
        first = exc.errors(include_input=False)[0]
        name = ".".join(str(part) for part in first["loc"])
        raise SetupError(f"setting {name}: {first['msg']}") from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as exc:
        raise SetupError(f"{FILE_NAME} is not TOML in UTF-8: {exc}") from None
    except OSError as exc:
        raise SetupError(f"{FILE_NAME} cannot be read: {exc.strerror}") from None
    if not settings.plain_http_allowed and not _is_loopback(settings.host):
        raise SetupError(
            f"binding to {settings.host} without TLS would send tokens readable over the network; "
            f"put a TLS proxy in front, or set plain_http_allowed if you know what you do"
        )
    return settings


def _refuse_unknown_variables() -> None:
    """Refuse a misspelt setting in the environment: it would be without effect, in silence."""
    known = {f"{PREFIX}{name}".upper() for name in Settings.model_fields}
    for name in os.environ:
        upper = name.upper()
        if upper.startswith(PREFIX) and upper not in known:
            if upper.startswith(_OTHER_VARIABLES):
                continue
            close = difflib.get_close_matches(upper, known, 1)
            fix = f"; did you mean {close[0]}?" if close else ""
            raise SetupError(f"environment variable {name}: no such setting{fix}")


def _is_loopback(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
