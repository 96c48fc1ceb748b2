"""End with the parent: a pipe on standard input that closes when the parent does."""

import os
import signal
import threading


def end_with_parent() -> None:
    """Send ourselves SIGTERM when standard input closes, whatever closed it."""

    def watch() -> None:
        while os.read(0, 4096):  # not sys.stdin: its lock would be held when Python ends
            pass
        os.kill(os.getpid(), signal.SIGTERM)

    threading.Thread(target=watch, name="parent watch", daemon=True).start()
