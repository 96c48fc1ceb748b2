"""End with the parent: a pipe on standard input that closes when the parent does."""

import os
import signal
import sys
import threading


def end_with_parent() -> None:
    """Send ourselves SIGTERM when standard input closes, whatever closed it."""

    def watch() -> None:
        while sys.stdin.buffer.read(4096):
            pass
        os.kill(os.getpid(), signal.SIGTERM)

    threading.Thread(target=watch, name="parent watch", daemon=True).start()
