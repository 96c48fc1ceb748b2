"""Why a shop could not be read, by what is to be done about it.

ShopError
├── ShopRefused        a person must change something: credentials, address, rights
│   └── NothingThere   404 and 410
├── ShopBusy           come again after ``wait_s``, as it asked us to
└── ShopUnreachable    come again later
"""

from esl.domain.errors import EslError


class ShopError(EslError):
    """A shop was not read; what was read before is kept. ``status`` is that of its answer."""

    status: int | None = None


class ShopRefused(ShopError):
    """It answers, and will answer the same until somebody changes something."""


class NothingThere(ShopRefused):
    """It has nothing at this address, or no longer."""


class ShopBusy(ShopError):
    """It asks us to wait."""

    def __init__(self, words: str, wait_s: float) -> None:
        self.wait_s = wait_s
        super().__init__(words)


class ShopUnreachable(ShopError):
    """No answer, or one that says that the other side is broken."""
