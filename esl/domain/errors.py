"""Everything this project raises on purpose.

EslError
├── InvalidInput          the sender must change something; names each bad field: NumberUsed
├── NotFound              UnknownStore, UnknownGateway, UnknownLabel, UnknownProduct, UnknownPanel,
│                         UnknownTemplate, UnknownTask, UnknownFlip, UnknownCommand,
│                         UnknownSource, UnknownMapping, UnknownBatch, UnknownQuarantine,
│                         UnknownProfile, UnknownSubscription
├── Conflict              IdempotencyConflict, AlreadyExists, EditConflict
├── VersionNotSaid        an edit that must name what it replaces does not
├── AccessDenied          NotSignedIn, Forbidden, TokenWorthless
├── TooOften              somebody guesses, or a program runs wild
├── RenderRefused         PriceDoesNotFit, NameDoesNotFit, MissingGlyph, CodeDoesNotFit,
│                         CodeUnreadable, LayoutDoesNotFit, TooManyProducts, TemplateUnusable,
│                         PictureNotDrawn
├── Unavailable           nothing was accepted; the same request may be sent again
└── SetupError            this installation cannot start; says what to do
"""

from collections.abc import Iterable
from dataclasses import dataclass


class EslError(Exception):
    """Base of every error raised on purpose."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FieldProblem:
    """One thing wrong in an input.

    ``path`` is a JSON pointer (RFC 6901) into what was sent, ``""`` for the whole of it.
    ``detail`` never repeats what was sent: it may be a secret, or megabytes.
    """

    path: str
    detail: str
    fix: str | None = None


class InvalidInput(EslError):
    """The outside world sent something that cannot be accepted; nothing of it was."""

    def __init__(self, problems: Iterable[FieldProblem]) -> None:
        self.problems = tuple(problems)
        super().__init__("; ".join(f"{p.path or '(body)'}: {p.detail}" for p in self.problems))

    @classmethod
    def at(cls, path: str, detail: str, *, fix: str | None = None) -> "InvalidInput":
        """Make the error for a single field."""
        return cls([FieldProblem(path=path, detail=detail, fix=fix)])


class NumberUsed(InvalidInput):
    """A source used one sequence number for two prices of a product."""


class NotFound(EslError):
    """Something was named that does not exist, or that the asker may not know of."""


class UnknownStore(NotFound):
    """No store has this id."""


class UnknownGateway(NotFound):
    """No gateway has this id."""


class UnknownLabel(NotFound):
    """No label has this id."""


class UnknownProduct(NotFound):
    """No product of this store has this SKU."""


class UnknownPanel(NotFound):
    """No panel model has this id."""


class UnknownTemplate(NotFound):
    """No template, version of one, or picture of this store has this name."""


class UnknownTask(NotFound):
    """No task of this store has this number."""


class UnknownFlip(NotFound):
    """No flip of this store has this number."""


class UnknownProfile(NotFound):
    """No law profile has this name."""


class UnknownPromotion(NotFound):
    """No promotion has this id."""


class UnknownCommand(NotFound):
    """No command of this store has this number."""


class UnknownSource(NotFound):
    """No source has this id."""


class UnknownMapping(NotFound):
    """No mapping has this name, or no such version."""


class UnknownBatch(NotFound):
    """No batch of this store has this number."""


class UnknownSubscription(NotFound):
    """No subscription has this id, or no such delivery."""


class UnknownQuarantine(NotFound):
    """No price in this store's quarantine has this number."""


class Conflict(EslError):
    """The request contradicts what is already there."""


class AlreadyExists(Conflict):
    """The id is taken by something of another store or kind."""


class IdempotencyConflict(Conflict):
    """The idempotency key was used before with another request."""


class EditConflict(Conflict):
    """Somebody else has changed it since the sender read it; ``present`` names what there is."""

    def __init__(self, words: str, *, present: str | None = None) -> None:
        self.present = present
        super().__init__(words)


class VersionNotSaid(EslError):
    """The sender does not say which version it has read, where that is asked for."""


class AccessDenied(EslError):
    """The asker may not do this."""


class NotSignedIn(AccessDenied):
    """No valid token or session came with the request."""


class Forbidden(AccessDenied):
    """The token or person is known and lacks the right."""


class TokenWorthless(AccessDenied):
    """A token to enrol with is unknown, was used, or its time is over."""


class TooOften(EslError):
    """Too many attempts; ``again_after_s`` is when the next one is looked at."""

    def __init__(self, words: str, again_after_s: int = 1) -> None:
        self.again_after_s = again_after_s
        super().__init__(words)


class RenderRefused(EslError):
    """A face cannot be shown truthfully on this panel; the label keeps its picture and is raised.

    ``code`` is stable and short, for filters and tests.
    """

    code = "refused"


class PriceDoesNotFit(RenderRefused):
    """The price is too wide at its smallest legible size; a price is never cut."""

    code = "price_does_not_fit"


class NameDoesNotFit(RenderRefused):
    """A name or another text does not fit its box at its smallest size."""

    code = "name_does_not_fit"


class MissingGlyph(RenderRefused):
    """The fonts have no picture for a character."""

    code = "missing_glyph"


class CodeDoesNotFit(RenderRefused):
    """A QR or bar code would fall below its legible module size, or has wrong content."""

    code = "code_does_not_fit"


class CodeUnreadable(RenderRefused):
    """What the finished frame shows is not the code that was meant, or no scanner reads it."""

    code = "code_unreadable"


class LayoutDoesNotFit(RenderRefused):
    """A template's boxes need more space than the panel has."""

    code = "layout_does_not_fit"


class TooManyProducts(RenderRefused):
    """The label has more products than its template shows."""

    code = "too_many_products"


class TemplateUnusable(RenderRefused):
    """The template that the rules name is not there, or can no longer be read."""

    code = "template_unusable"


class PictureNotDrawn(RenderRefused):
    """An uploaded picture cannot be drawn here: the program that dithers it is not installed."""

    code = "picture_not_drawn"


class Unavailable(EslError):
    """Nothing was accepted: the database is busy, full or closing. Send the same again."""


class SetupError(EslError):
    """This installation cannot start or go on; the message says what to do."""
