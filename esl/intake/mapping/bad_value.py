"""A value that cannot be read, in words for the person who reads the report."""

_SHOWN = 40


class BadValue(Exception):
    """Raised and caught within the reading of one row; never leaves it."""

    def __init__(self, reason: str, *, fix: str | None = None) -> None:
        self.reason = reason
        self.fix = fix
        super().__init__(reason)


def shorten(text: str) -> str:
    """Quote a value for a message: at most 40 characters of it, invisible ones escaped."""
    shown = text if len(text) <= _SHOWN else f"{text[:_SHOWN]}…"
    return ascii(shown) if not shown.isprintable() else f"'{shown}'"
