"""The HTTP server's side of TLS: its context, and a certificate that was renewed while it runs."""

import asyncio
import ssl
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import structlog

from api.tls.authority import read_certificate
from api.tls.files import SERVER, tls_folder
from esl.domain.errors import SetupError
from esl.settings import Settings

LOOK_S: Final = 30.0

log = structlog.get_logger()


@dataclass(frozen=True, slots=True, kw_only=True)
class ServerTls:
    """A certificate with its key, loaded into a context that new connections use."""

    context: ssl.SSLContext
    certificate: Path
    key: Path

    def certificate_text(self) -> str:
        """Return the certificate itself in PEM, without those that signed it."""
        from_file = self.certificate.read_text("ascii")
        end = "-----END CERTIFICATE-----"
        return from_file.partition(end)[0] + end + "\n"

    async def keep(self) -> None:
        """Load the files again whenever they change, until cancelled."""
        before = self._stamp()
        while True:
            await asyncio.sleep(LOOK_S)
            stamp = self._stamp()
            if stamp != before:
                before = stamp
                self.reload()

    def reload(self) -> None:
        """Load the files again; what cannot be used leaves the old ones in place."""
        try:
            # Tried apart first: a key that does not fit would break the context in use.
            ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER).load_cert_chain(self.certificate, self.key)
            self.context.load_cert_chain(self.certificate, self.key)
        except (OSError, ssl.SSLError) as exc:
            log.warning("the new certificate cannot be used", reason=type(exc).__name__)
        else:
            log.info("the certificate was renewed")

    def _stamp(self) -> tuple[int, ...]:
        files = (self.certificate, self.key)
        return tuple(file.stat().st_mtime_ns if file.exists() else 0 for file in files)


def server_tls(settings: Settings) -> ServerTls | None:
    """Open the server's certificate; None where it shall speak plain HTTP.

    Raises:
        SetupError: It cannot be used, or others may read its key; says what to do.
    """
    if not settings.tls:
        return None
    folder = tls_folder(settings.data_dir)
    certificate = settings.tls_certificate_file or folder / f"{SERVER}.crt"
    key = settings.tls_key_file or folder / f"{SERVER}.key"
    for path in (certificate, key):
        if not path.is_file():
            raise SetupError(
                f"{path} is missing: make certificates with: esl tls init, or name yours with "
                f"tls_certificate_file and tls_key_file"
            )
    if key.stat().st_mode & 0o077:
        raise SetupError(f"others may read {key}; run: chmod 600 {key}")
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.set_ciphers("ECDHE+AESGCM:ECDHE+CHACHA20")  # of TLS 1.2; 1.3 has its own
    context.set_alpn_protocols(["http/1.1"])
    try:
        read_certificate(certificate.read_text("ascii"))
        context.load_cert_chain(certificate, key)
    except (OSError, ssl.SSLError, UnicodeDecodeError) as exc:
        raise SetupError(f"{certificate} and {key} are no certificate and its key") from exc
    return ServerTls(context=context, certificate=certificate, key=key)
