"""The HTTP server's side of TLS: its context, and the files that it is loaded from."""

import ssl
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from api.tls.authority import read_certificate
from api.tls.files import SERVER, tls_folder
from esl.domain.errors import SetupError
from esl.settings import Settings


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

    def reload(self, now: datetime) -> None:
        """Load the files again; what cannot be used leaves the old ones in place.

        Raises:
            SetupError: They cannot be used; says why.
        """
        check_pair(self.certificate, self.key, now)
        try:
            self.context.load_cert_chain(self.certificate, self.key)
        except (OSError, ssl.SSLError) as exc:  # they were replaced since they were checked
            raise SetupError("its files change right now") from exc

    def stamp(self) -> tuple[int, ...]:
        """Return what differs as soon as one of the files was replaced."""
        files = (self.certificate, self.key)
        stamps: list[int] = []
        for file in files:
            try:
                found = file.stat()
            except OSError:
                stamps += (0, 0)
            else:
                stamps += (found.st_mtime_ns, found.st_ino)
        return tuple(stamps)


def check_pair(certificate: Path, key: Path, now: datetime) -> None:
    """See that a certificate holds now and that the key is its own.

    Raises:
        SetupError: One of that is not so; says what.
    """
    try:
        read = read_certificate(certificate.read_text("ascii"))
        ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER).load_cert_chain(certificate, key)
    except FileNotFoundError as exc:
        raise SetupError(f"{Path(exc.filename or key).name} is missing") from exc
    except ssl.SSLError as exc:
        raise SetupError(f"{key.name} is not the key of {certificate.name}") from exc
    except (OSError, UnicodeDecodeError) as exc:
        raise SetupError(f"{certificate.name} and {key.name} cannot be read") from exc
    if read.not_valid_after_utc <= now:
        raise SetupError(f"{certificate.name} ended on {read.not_valid_after_utc:%Y-%m-%d}")
    if read.not_valid_before_utc > now:
        raise SetupError(f"{certificate.name} begins on {read.not_valid_before_utc:%Y-%m-%d}")


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
