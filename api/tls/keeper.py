"""Takes up certificates that were renewed on the disk, and says when somebody has to renew one.

::

    files changed ──▶ a pair that holds now ──▶ shown to new connections, and told to commands
                  └─▶ anything else ──────────▶ the old pair stays; a problem, if it is still so
                                                at the next look: a renewal writes two files
    nothing changed ──▶ fewer than 30 days left ──▶ a problem
"""

import asyncio
from datetime import datetime, timedelta
from pathlib import Path
from typing import Final

import structlog

from api.clock import MachineClock
from api.private_files import note_certificate as tell_commands
from api.tls.authority import ends_at
from api.tls.server_side import ServerTls
from esl.domain.errors import EslError, SetupError
from esl.store.certificate_state import certificate_problem, note_certificate
from esl.store.database import Database
from esl.store.write_group import Priority
from esl.store.writer import Writer

LOOK_S: Final = 5.0
WARN_BEFORE: Final = timedelta(days=30)

log = structlog.get_logger()


class CertificateKeeper:
    """Looks after the certificate of a server that runs; used by one thread at a time.

    Several processes on one database each have a certificate. One that has nothing to say takes
    back only what was said before it began, or what it said itself.
    """

    def __init__(
        self, tls: ServerTls | None, *, database: Database, writer: Writer, data_dir: Path
    ) -> None:
        self._tls = tls
        self._database = database
        self._writer = writer
        self._data_dir = data_dir
        self._stamp = tls.stamp() if tls is not None else ()
        self._shown = tls.certificate_text() if tls is not None else ""
        self._refused: str | None = None
        self._noted: str | None = None
        self._began = False

    async def run(self) -> None:
        """Look until cancelled; without TLS there is nothing to look after."""
        while True:
            await asyncio.to_thread(self.step, MachineClock().wall())
            if self._tls is None:
                await asyncio.Event().wait()
            await asyncio.sleep(LOOK_S)

    def step(self, now: datetime) -> None:
        """Look once."""
        words = self._look(self._tls, now) if self._tls is not None else None
        try:
            if not self._began:
                with self._database.read() as tx:
                    self._noted = certificate_problem(tx)
            if words != self._noted:
                self._writer.write(
                    lambda tx: note_certificate(tx, words), priority=Priority.HOUSEKEEPING
                )
        except EslError as exc:
            log.warning("the certificate's state is not noted", why=str(exc))
            return
        self._began = True
        self._noted = words

    def _look(self, tls: ServerTls, now: datetime) -> str | None:
        """Return what is wrong, in words; None: nothing."""
        stamp, refused_before = tls.stamp(), self._refused
        if stamp != self._stamp or refused_before is not None:
            try:
                tls.reload(now)
                self._shown = tls.certificate_text()
                tell_commands(self._data_dir, self._shown)
            except (SetupError, OSError, UnicodeDecodeError) as exc:
                self._refused = str(exc)
                if stamp != self._stamp:
                    log.warning("the new certificate cannot be used", reason=self._refused)
            else:
                self._refused = None
                log.info("the certificate was renewed", until=ends_at(self._shown).isoformat())
            is_new = stamp != self._stamp
            self._stamp = stamp
            if self._refused is not None and not is_new:
                return f"The new certificate cannot be used: {self._refused}. The old one is shown."
        return self._ending(now)

    def _ending(self, now: datetime) -> str | None:
        ends = ends_at(self._shown)
        if ends <= now:
            return f"The certificate ended on {ends:%Y-%m-%d}: browsers and tills refuse it."
        return f"The certificate ends on {ends:%Y-%m-%d}." if ends - now < WARN_BEFORE else None
