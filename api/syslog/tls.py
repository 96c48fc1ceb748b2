"""TLS to a syslog server (RFC 5425): whom we believe, and who we say that we are.

The files are read anew for each connection, so a renewed certificate needs no restart.
"""

import ssl
from dataclasses import dataclass
from pathlib import Path

from esl.domain.errors import SetupError
from esl.settings import Settings


@dataclass(frozen=True, slots=True, kw_only=True)
class SyslogTls:
    """Files in PEM; without ``ca`` the system's authorities count, without a pair we are nobody."""

    ca: Path | None = None
    certificate: Path | None = None
    key: Path | None = None

    @classmethod
    def from_settings(cls, settings: Settings) -> "SyslogTls":
        """Take the files that the settings name.

        Raises:
            SetupError: One is named without the other, or one cannot be used.
        """
        found = cls(
            ca=settings.syslog_ca_file,
            certificate=settings.syslog_certificate_file,
            key=settings.syslog_key_file,
        )
        if (found.certificate is None) != (found.key is None):
            raise SetupError(
                "settings syslog_certificate_file and syslog_key_file belong together: "
                "give both, or neither"
            )
        try:
            found.context()
        except OSError as exc:
            named = ", ".join(
                str(file) for file in (found.ca, found.certificate, found.key) if file
            )
            why = exc.strerror or str(exc)
            raise SetupError(
                f"settings syslog_ca_file, syslog_certificate_file, syslog_key_file: {named} "
                f"cannot be used ({why}); they are files in PEM, the key without a passphrase"
            ) from exc
        return found

    def context(self) -> ssl.SSLContext:
        """Read the files as they are now.

        Raises:
            OSError: One is not there, or is no certificate or key that fits.
        """
        context = ssl.create_default_context(cafile=str(self.ca) if self.ca else None)
        context.minimum_version = ssl.TLSVersion.TLSv1_2
        if self.certificate is not None and self.key is not None:
            context.load_cert_chain(self.certificate, self.key, password=_no_passphrase)
        return context


def _no_passphrase() -> str:
    return ""
