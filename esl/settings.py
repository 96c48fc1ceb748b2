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

from pydantic import AfterValidator, Field, ValidationError
from pydantic_settings import (
    BaseSettings,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
    TomlConfigSettingsSource,
)

from esl.domain.addresses import network_named
from esl.domain.errors import SetupError
from esl.domain.fleet import BEACONS_MISSED_MOST
from esl.domain.keeping import AUDIT_LEAST, PRICES_LEAST, Keeping
from esl.provider_settings import ProviderSettings

FILE_NAME = "esl.toml"
PREFIX = "ESL_"
_DAY_S = 86_400
_DAYS_MOST = 36_600  # a century
_RATE_MOST = 1_000_000
_WITHIN = "__"
"""Parts the name of a table from that of a setting in it: ESL_OIDC__CLIENT_SECRET."""

_OTHER_VARIABLES = ("ESL_LOG_", "ESL_TEST_")
"""Environment variables of ours that are no settings."""


def _checked_network(text: str) -> str:
    return str(network_named(text))


class Settings(BaseSettings):
    """Everything an installation may set."""

    model_config = SettingsConfigDict(
        env_prefix=PREFIX, env_nested_delimiter=_WITHIN, extra="forbid"
    )

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
    worker_port: int | None = Field(
        default=None,
        ge=0,
        le=65535,
        description="Port of this machine alone on which a worker answers /healthz, /readyz and "
        "/metrics; 0 takes a free one. Each worker of a machine needs its own; without it, none.",
    )
    plain_http_allowed: bool = Field(
        default=False,
        description="Let the server bind beyond this machine without TLS; tokens travel readable.",
    )
    trusted_proxies: list[Annotated[str, AfterValidator(_checked_network)]] = Field(
        default=["127.0.0.1/32", "::1/128"],
        description="Networks of the proxies whose word about the visitor's address and scheme is "
        "believed; nobody else's is. See docs/operate.md.",
    )
    proxy_header: Literal["x-forwarded-for", "forwarded"] = Field(
        default="x-forwarded-for",
        description="The header in which they say it: X-Forwarded-For and X-Forwarded-Proto, or "
        "Forwarded (RFC 7239). The other one is never looked at.",
    )
    client_requests_per_s: int = Field(
        default=1000,
        ge=0,
        le=_RATE_MOST,
        description="Requests a second of one token, client or person, over which it is told to "
        "wait; twice as many at once. 0: as many as it likes. See docs/operate.md.",
    )
    stranger_requests_per_s: int = Field(
        default=200,
        ge=0,
        le=_RATE_MOST,
        description="The same for one address whose token is not known, or that shows none (/64 of "
        "IPv6); five times as many at once.",
    )
    api_processes: int = Field(
        default=1,
        ge=1,
        le=100,
        description="Processes of the API behind one load balancer: each allows its share of the "
        "bounds on requests, so that together they allow what is set. See docs/scaling.md.",
    )
    sign_ins_per_minute: int = Field(
        default=600,
        ge=0,
        le=_RATE_MOST,
        description="Sign-ins, enrolments and fetched tokens of one address; 0: no bound but that "
        "on wrong ones.",
    )
    drawings_per_minute: int = Field(
        default=1800,
        ge=0,
        le=_RATE_MOST,
        description="Pictures drawn for one token, client or person: renderings and previews.",
    )
    exports_per_minute: int = Field(
        default=60,
        ge=0,
        le=_RATE_MOST,
        description="Whole lists, reports and proofs for one token, client or person.",
    )
    second_factor_required: bool = Field(
        default=False,
        description="Approvers and admins need codes from their phone: without, they may only do "
        "what their other roles allow. See docs/accounts.md.",
    )
    oidc: ProviderSettings | None = Field(
        default=None,
        description="Table [oidc]: the OpenID provider by which people may sign in beside names "
        "and passwords. See docs/accounts.md.",
    )
    tls: bool = Field(
        default=False,
        description="Speak HTTPS, TLS 1.2 or newer, by the certificate of esl tls init or by the "
        "two files that follow.",
    )
    tls_certificate_file: Path | None = Field(
        default=None, description="PEM file of the server's certificate and what signed it."
    )
    tls_key_file: Path | None = Field(default=None, description="PEM file of its key, mode 0600.")
    mqtt_url: str | None = Field(
        default=None,
        description="mqtt://user:password@host:port of the broker; without it, the embedded one.",
    )
    mqtt_in_url: str | None = Field(
        default=None,
        description="Broker on which sources publish price changes (esl/v1/in/…); without it, the "
        "one of mqtt_url.",
    )
    mqtt_ca_file: Path | None = Field(
        default=None,
        description="PEM file of the authority that signed the broker's certificate, for mqtts://; "
        "gateways are given it with their enrolment. Without it, the system's authorities count.",
    )
    gateway_mqtt_url: str | None = Field(
        default=None,
        description="mqtts://host:port of the broker as gateways reach it; without it, that of "
        "mqtt_url.",
    )
    broker_files: Path | None = Field(
        default=None,
        description="Folder in which mosquitto's passwords and access rules are kept current; see "
        "docs/broker.md.",
    )
    broker_pid_file: Path | None = Field(
        default=None,
        description="File with mosquitto's process id: it gets SIGHUP when the rules have changed.",
    )
    broker_reload_command: str | None = Field(
        default=None,
        description="Command that has the broker read its rules again, such as: systemctl reload "
        "mosquitto. Run without a shell.",
    )
    broker_control_url: str | None = Field(
        default=None,
        description="mqtt://admin:password@host:port of mosquitto's dynamic security, which is "
        "then told the logins and their rights.",
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

    syslog_url: str | None = Field(
        default=None,
        description="unix:///path, udp://host:514, tcp://host:601 or tls://host:6514 of a syslog "
        "server: log lines go there too, in RFC 5424, and checkpoints of the audit chain. See "
        "docs/operate.md.",
    )
    syslog_ca_file: Path | None = Field(
        default=None,
        description="PEM file of the authority that signed the syslog server's certificate, for "
        "tls://. Without it, the system's authorities count.",
    )
    syslog_certificate_file: Path | None = Field(
        default=None,
        description="PEM file of the certificate that a syslog server asks of us, for tls://.",
    )
    syslog_key_file: Path | None = Field(
        default=None,
        description="PEM file of that certificate's key, without a passphrase.",
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
    law_dir: Path | None = Field(
        default=None,
        description="Folder with law profiles of your own (NAME.toml, docs/law.md), which stores "
        "may then name as their law; read at start.",
    )
    prices_kept_days: int = Field(
        default=1100,
        ge=PRICES_LEAST.days,
        le=_DAYS_MOST,
        description="Days for which it is kept what every price was and by whose word, at least "
        f"{PRICES_LEAST.days}; what holds stays. They go by whole months. See docs/operate.md.",
    )
    audit_kept_days: int = Field(
        default=3660,
        ge=AUDIT_LEAST.days,
        le=_DAYS_MOST,
        description="Days for which it is kept who did what and why, at least "
        f"{AUDIT_LEAST.days}. They go by whole months.",
    )
    backup_folder: Path | None = Field(
        default=None,
        description="Folder into which the controller backs itself up once a day; without it, it "
        "does not. See docs/backup.md.",
    )
    backup_hour: int = Field(
        default=2, ge=0, le=23, description="Hour of the day at which it does, by this machine."
    )
    backup_keep: int = Field(
        default=14, ge=1, le=10_000, description="How many backups stay in the folder."
    )
    backup_passphrase_file: Path | None = Field(
        default=None,
        description="File (mode 0600) whose first line is the passphrase under which keys are put "
        "into backups; without it they hold no keys.",
    )
    backup_copy_command: str | None = Field(
        default=None,
        description="Command that copies a backup to another machine; the file is added as its "
        "last word. Run without a shell.",
    )
    backup_sftp: str | None = Field(
        default=None,
        description="sftp://user@host:22/folder into which each backup is copied as well; the "
        "newest backup_keep stay there.",
    )
    backup_sftp_key_file: Path | None = Field(
        default=None, description="Private SSH key that opens it, without a passphrase."
    )
    backup_sftp_known_hosts: Path | None = Field(
        default=None, description="Its host key, as a line of ssh's known_hosts."
    )

    @property
    def keeping(self) -> Keeping:
        """How long history is kept."""
        return Keeping(
            prices=timedelta(days=self.prices_kept_days), audit=timedelta(days=self.audit_kept_days)
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
    if not (settings.tls or settings.plain_http_allowed or is_loopback(settings.host)):
        raise SetupError(
            f"binding to {settings.host} without TLS would send tokens readable over the network; "
            f"use --tls, put a TLS proxy in front, or set plain_http_allowed if you know what you "
            f"do"
        )
    if (settings.tls_certificate_file is None) != (settings.tls_key_file is None):
        raise SetupError("tls_certificate_file and tls_key_file belong together: set both")
    return settings


def _refuse_unknown_variables() -> None:
    """Refuse a misspelt setting in the environment: it would be without effect, in silence."""
    known = {f"{PREFIX}{name}".upper() for name in Settings.model_fields}
    for name in os.environ:
        upper = name.upper()
        if upper.startswith(PREFIX) and upper.partition(_WITHIN)[0] not in known:
            if upper.startswith(_OTHER_VARIABLES):
                continue
            close = difflib.get_close_matches(upper.partition(_WITHIN)[0], known, 1)
            fix = f"; did you mean {close[0]}?" if close else ""
            raise SetupError(f"environment variable {name}: no such setting{fix}")


def is_loopback(host: str) -> bool:
    """Say whether an address to bind to is reached from this machine alone."""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
