"""Forms of our own pages, read strictly: few fields, each once, none too long."""

from urllib.parse import parse_qsl

from fastapi import Request

from esl.domain.errors import InvalidInput

_FIELDS_MOST = 64
_LONGEST = 4096


async def read_form(request: Request) -> dict[str, str]:
    """Return what a form sent.

    Raises:
        InvalidInput: It is no form of ours.
    """
    body = await request.body()
    try:
        pairs = parse_qsl(
            body.decode("utf-8"),
            keep_blank_values=True,
            strict_parsing=bool(body),
            encoding="utf-8",
            errors="strict",
            max_num_fields=_FIELDS_MOST,
        )
    except ValueError:
        raise InvalidInput.at("", "not a form", fix="Use the form of the page.") from None
    fields = dict(pairs)
    if len(fields) != len(pairs) or any(len(value) > _LONGEST for value in fields.values()):
        raise InvalidInput.at("", "not a form of this page", fix="Use the form of the page.")
    return fields
