"""Templates and their pictures as a store keeps them: named, numbered, never overwritten.

A save makes the next version, and the highest version is in use; going back is saving an old
text again. What a template looks like is the renderer's business: here it is a text whose
``digest`` stands for its meaning, pictures included.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from esl.domain.ids import StoreId, TemplateName


@dataclass(frozen=True, slots=True, kw_only=True)
class TemplateRef:
    """The template a label is drawn with.

    Without ``version`` and ``digest`` it is one of the gallery, which every store has.
    """

    store_id: StoreId
    name: TemplateName
    version: int | None = None
    digest: str | None = None

    def __str__(self) -> str:
        """Write it as people see it: "promotion" of the gallery, "own@3" of the store."""
        return self.name if self.version is None else f"{self.name}@{self.version}"


@dataclass(frozen=True, slots=True, kw_only=True)
class NewTemplate:
    """A template to save, parsed and checked; ``pictures`` are their names and digests."""

    name: TemplateName
    title: str
    text: str
    digest: str
    pictures: Mapping[str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class SavedTemplate:
    """One version of a template, without its text."""

    store_id: StoreId
    name: TemplateName
    version: int
    title: str
    digest: str
    pictures: tuple[str, ...]
    saved_by: str
    saved_at: datetime
    is_deleted: bool

    @property
    def ref(self) -> TemplateRef:
        """Name it for whoever draws with it."""
        return TemplateRef(
            store_id=self.store_id, name=self.name, version=self.version, digest=self.digest
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class TemplateSource:
    """What a template is made of: its text, and the PNG bytes of the pictures it names."""

    text: str
    pictures: Mapping[str, bytes]


@dataclass(frozen=True, slots=True, kw_only=True)
class SavedPicture:
    """An uploaded picture, without its bytes."""

    name: TemplateName
    digest: str
    width_px: int
    height_px: int
    saved_by: str
    saved_at: datetime
