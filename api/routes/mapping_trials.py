"""Mappings before they are saved: one proposed from a list, and one tried on it."""

import asyncio
import io
from datetime import UTC
from typing import Annotated, Any, Final

from fastapi import APIRouter, Query, Request
from pydantic import BaseModel, Field

from api import openapi_imports
from api.auth import Asker
from api.imports.multipart import Part, boundary_of, read_parts
from api.imports.trial import suggestion_json, trial_json, try_mapping
from esl.domain.access import Scope
from esl.domain.errors import InvalidInput
from esl.domain.ids import StoreId
from esl.domain.money import check_currency
from esl.intake.mapping.document import parse_mapping
from esl.intake.mapping.store_context import Place
from esl.intake.suggest.suggest import suggest_mapping

router = APIRouter(prefix="/api/v1/mappings", tags=["sources"])

_PARTS: Final = ("mapping", "file")


class Sample(BaseModel, extra="forbid"):
    """Which list it is."""

    name: str = Field(default="list", min_length=1, max_length=200, description="The file's name.")


class Trial(BaseModel, extra="forbid"):
    """How a mapping is tried."""

    name: str = Field(default="", max_length=200, description="The file's name.")
    currency: str = Field(
        default="EUR", max_length=3, description="Of the store, where the mapping declares none."
    )
    rows: int = Field(default=20, ge=0, le=200, description="Products to show.")


@router.post("/suggest", openapi_extra=openapi_imports.SUGGEST)
async def suggest(
    request: Request, who: Asker, sample: Annotated[Sample, Query()]
) -> dict[str, Any]:
    """Propose a mapping for a list, the body; of a long text its first rows are enough.

    What the list does not prove is in ``unsure``: a person decides it.
    """
    who.require(Scope.STORE_ADMIN)
    data = await request.body()
    suggestion = await asyncio.to_thread(suggest_mapping, data, name=sample.name)
    return suggestion_json(suggestion)


@router.post("/try", openapi_extra=openapi_imports.TRY)
async def try_on(request: Request, who: Asker, trial: Annotated[Trial, Query()]) -> dict[str, Any]:
    """Read a list through a mapping: its first products as they would be taken, and its faults.

    A form of two parts, ``mapping`` and ``file``. Nothing is stored.
    """
    who.require(Scope.STORE_ADMIN)
    parts = await _parts(request)
    currency = check_currency(trial.currency, path="/currency")

    def read() -> dict[str, Any]:
        mapping = parse_mapping(_text(parts["mapping"]))
        place = Place(
            store_id=StoreId("store"), currency=mapping.currency or currency, timezone=UTC
        )
        with io.BytesIO(parts["file"]) as file:
            tried = try_mapping(file, mapping, place=place, shown=trial.rows, file_name=trial.name)
        return trial_json(tried) | {"mapping": mapping.name, "currency": place.currency}

    return await asyncio.to_thread(read)


async def _parts(request: Request) -> dict[str, bytes]:
    content_type = request.headers.get("content-type", "")
    if not content_type.lower().startswith("multipart/form-data"):
        fix = "Send multipart/form-data with the parts “mapping” and “file”."
        raise InvalidInput.at("", "not a form", fix=fix)
    found: dict[str, bytearray] = {}
    name = ""
    async for each in read_parts(request.stream(), boundary_of(content_type)):
        if isinstance(each, Part):
            name = each.name
            if name not in _PARTS or name in found:
                raise InvalidInput.at("", "a part that is not asked for", fix="Leave it out.")
            found[name] = bytearray()
        else:
            found[name] += each
    for wanted in _PARTS:
        if wanted not in found:
            raise InvalidInput.at(f"/{wanted}", "missing", fix=f"Send it as the part “{wanted}”.")
    return {name: bytes(data) for name, data in found.items()}


def _text(document: bytes) -> str:
    try:
        return document.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise InvalidInput.at("/mapping", "not UTF-8", fix="Save it as UTF-8.") from None
