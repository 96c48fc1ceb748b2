"""TLS to a broker: its certificate and name are checked, by the authorities as they are now."""

import ssl
from pathlib import Path
from typing import Any

import structlog

from esl.domain.errors import SetupError

log = structlog.get_logger()


def tls_context(ca_pem: str | None, ca_file: Path | None = None) -> ssl.SSLContext:
    """TLS 1.2 or newer; ``ca_pem`` are the authorities, None: the system's.

    With ``ca_file`` each connection goes by the file as it is then, so a renewed authority needs no
    restart. A file that cannot be used changes nothing, and is told in the log.

    Raises:
        SetupError: The authorities are no certificates.
    """
    try:
        first = _context(ca_pem)
    except (ssl.SSLError, ValueError) as exc:
        raise SetupError("the broker's authority is no certificate in PEM") from exc
    if ca_pem is None or ca_file is None:
        return first
    renewing = _RenewingContext(ssl.PROTOCOL_TLS_CLIENT)
    renewing.begin(first, ca_pem, ca_file)
    return renewing


def _context(ca_pem: str | None) -> ssl.SSLContext:
    context = ssl.create_default_context(cadata=ca_pem)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.sslsocket_class = _ClosedWhenRefused
    return context


class _ClosedWhenRefused(ssl.SSLSocket):
    """Closes itself where TLS comes to nothing; paho forgets such a socket and leaves it open."""

    def do_handshake(self, block: bool = False) -> None:  # noqa: FBT001, FBT002  the library's own
        try:
            super().do_handshake(block)
        except OSError:
            self.close()
            raise


class _RenewingContext(ssl.SSLContext):
    """Looks at its file before each connection; paho keeps one context for good."""

    def begin(self, first: ssl.SSLContext, ca_pem: str, ca_file: Path) -> None:
        """Say what holds until the file changes."""
        self._now, self._pem, self._file = first, ca_pem, ca_file

    def wrap_socket(self, *arguments: Any, **named: Any) -> ssl.SSLSocket:
        """Begin TLS on a connection, by the authorities as they are now."""
        self._look()
        return self._now.wrap_socket(*arguments, **named)

    def _look(self) -> None:
        try:
            pem = self._file.read_text("ascii")
            if pem == self._pem:
                return
            self._now = _context(pem)
        except (OSError, ValueError) as exc:  # of ssl, too, and of what is not ASCII
            log.warning(
                "the broker's authority stays as it was", file=str(self._file), why=str(exc)
            )
            return
        self._pem = pem
        log.info("the broker's authority is renewed", file=str(self._file))
