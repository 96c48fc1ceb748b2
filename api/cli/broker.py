"""``esl broker …``: mosquitto's rules as files, and how gateways and tills come to their logins.

``files`` works beside a running controller and without one: it only reads the database. All else
speaks to the controller that runs; ``enrol`` runs where the gateway is, and needs a token alone.
"""

import contextlib
import json
from pathlib import Path
from typing import Annotated
from urllib.parse import quote, urlsplit

import typer

from api.broker_access.address import broker_at, gateways_broker
from api.broker_access.books import known_logins
from api.broker_access.keeper import write_current_files
from api.broker_access.mosquitto_files import CONFIG, TlsFiles, config_text, write_files
from api.cli.running import running_client
from api.cli.serve import DataDir
from api.client import Client, Untrusted
from api.private_files import write_private
from esl.domain.errors import SetupError
from esl.settings import read_settings
from esl.store.database import Database
from esl.store.migrate import is_current
from gateway.wire.enrolment import from_json

app = typer.Typer(help="The broker's access rules, and gateways' logins.", no_args_is_help=True)

_GATEWAYS_PORT = 8883
_CONTROLLER_PORT = 1883
_LOOPBACK = ("127.0.0.1", "::1", "localhost")

Gateway = Annotated[str, typer.Argument(help="The gateway's id.")]
Store = Annotated[str, typer.Option(help="The store's id.")]
Certificate = Annotated[Path | None, typer.Option(help="PEM file for the configuration.")]


@app.command("files")
def write_all(
    to: Annotated[Path, typer.Option(help="Folder for the files; made if it is not there.")],
    ca: Certificate = None,
    certificate: Certificate = None,
    key: Certificate = None,
    gateways_port: Annotated[
        int | None,
        typer.Option(
            help="Of gateways and tills, with TLS.",
            show_default="that of gateway_mqtt_url, or 8883",
        ),
    ] = None,
    controller_port: Annotated[
        int | None,
        typer.Option(
            help="Of the controller, on loopback.", show_default="that of mqtt_url, or 1883"
        ),
    ] = None,
    data: DataDir = None,
) -> None:
    """Write mosquitto's passwords and access rules now, and a configuration if there is none.

    To have them kept current by the controller, set broker_files to the same folder.
    """
    settings = read_settings(data_dir=data)
    if settings.mqtt_url is None:
        raise SetupError(
            "set mqtt_url to what the controller is to use, such as "
            "mqtt://controller:PASSWORD@127.0.0.1:1883: its login is one of those written"
        )
    parts = [ca, certificate, key]
    if any(parts) and not all(parts):
        raise SetupError("name all three of --ca, --certificate and --key, or none")
    database = Database(settings.database_address)
    with contextlib.closing(database), database.read() as tx:
        if not is_current(tx):
            raise SetupError("this database was not opened by this version yet: esl serve")
        ours = broker_at(settings.mqtt_url, settings)
        known = known_logins(tx, settings, ours)
    theirs = gateways_broker(settings, ours)
    changed = write_current_files(to, known)
    tls = (
        TlsFiles(ca=ca.resolve(), certificate=certificate.resolve(), key=key.resolve())
        if ca and certificate and key
        else None
    )
    is_configured = (to / CONFIG).exists()
    if not is_configured:
        text = config_text(
            to.resolve(),
            tls=tls,
            gateways_port=gateways_port or (theirs.port if theirs.tls else _GATEWAYS_PORT),
            controller_port=controller_port or (_CONTROLLER_PORT if ours.tls else ours.port),
        )
        write_files(to, {CONFIG: text})
        print(f"wrote {to / CONFIG}: it is yours to change, and mosquitto is to use it:")
        print(f"  ln -s {(to / CONFIG).resolve()} /etc/mosquitto/conf.d/esl.conf")
        print("  systemctl restart mosquitto")
        if tls is None:
            print("No certificate was named, so nobody beyond this machine can connect yet.")
    logins = "1 login" if len(known.logins) == 1 else f"{len(known.logins)} logins"
    print(f"{logins} in {to}" + ("" if changed else ", as before"))
    if changed and is_configured:
        print("Have the broker read them again: systemctl reload mosquitto")


@app.command("token")
def make_token(
    gateway: Gateway,
    store: Store,
    hours: Annotated[float, typer.Option(help="How long it may be used.", min=0.02, max=168)] = 1,
    data: DataDir = None,
) -> None:
    """Register a gateway, and make the one-time token it enrols with. It is shown this once."""
    address = f"/api/v1/stores/{quote(store, safe='')}/gateways/{quote(gateway, safe='')}/tokens"
    with running_client(data) as client:
        made = client.post(address, {"lasts_s": max(60, round(hours * 3600))})
    print(made["token"])
    print(f"until {made['expires_at'][:16]}Z, once: esl broker enrol URL --to FILE")


@app.command("enrol")
def enrol(
    url: Annotated[str, typer.Argument(help="Of the controller: https://…")],
    to: Annotated[Path, typer.Option(help="File for the enrolment; mode 0600.")],
    token: Annotated[str, typer.Option(prompt=True, hide_input=True, help="Left out: asked.")],
    ca: Annotated[
        Path | None,
        typer.Option(help="Who signed the controller's certificate, in PEM: ca.crt of esl tls."),
    ] = None,
) -> None:
    """Fetch a gateway's enrolment file with its one-time token, where the gateway is."""
    place = urlsplit(url)
    if place.scheme != "https" and place.hostname not in _LOOPBACK:
        raise SetupError("the file holds a password: name an address that begins with https://")
    if to.exists():
        raise SetupError(f"{to} is there already; move it away first")
    try:
        authority = ca.read_text("ascii") if ca is not None else ""
        client = Client(url, "none", authority=authority)
    except (OSError, UnicodeDecodeError) as exc:  # ssl's errors are OSErrors
        raise SetupError(f"{ca} is no certificate in PEM") from exc
    with client:
        try:
            text = client.post_text("/api/v1/enrolments", {"token": token.strip()})
        except Untrusted as exc:
            if ca is not None:
                raise
            raise SetupError(f"{exc}; name who signed it with --ca: ca.crt of esl tls") from exc
    enrolment = from_json(text)
    write_private(to, text)
    print(f"{enrolment.gateway} of {enrolment.store}: written to {to}")


@app.command("revoke")
def revoke(gateway: Gateway, store: Store, data: DataDir = None) -> None:
    """Revoke a gateway's login and token; nobody listens to it from now on."""
    address = f"/api/v1/stores/{quote(store, safe='')}/gateways/{quote(gateway, safe='')}/login"
    with running_client(data) as client:
        said = client.delete(address)
    print(f"{gateway} is revoked. The broker: {said['broker']}.")


@app.command("source-login")
def source_login(
    source: Annotated[str, typer.Argument(help="The source's id; it speaks MQTT.")],
    as_json: Annotated[bool, typer.Option("--json", help="Print one line of JSON.")] = False,
    data: DataDir = None,
) -> None:
    """Give a till that speaks MQTT its login, or another password. It is shown this once."""
    with running_client(data) as client:
        made = client.post(f"/api/v1/sources/{quote(source, safe='')}/login", {})
    if as_json:
        print(json.dumps(made))
        return
    print(f"user {made['username']}, password {made['password']}")
    print(f"The broker: {made['broker']}.")
