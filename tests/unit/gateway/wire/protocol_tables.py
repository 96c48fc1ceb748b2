"""How a field's type and range are written in the tables of `docs/protocol.md`."""

from msgspec import inspect

from gateway.wire import fields

_TEXTS = {
    inspect.type_info(alias).pattern: words
    for alias, words in (
        (fields.Id, "id"),
        (fields.Code, "code"),
        (fields.KeyId, "8 hex digits"),
        (fields.Line, "≤ 64 characters"),
        (fields.Detail, "≤ 256 characters"),
    )
}
_TYPES = {
    inspect.StrType: "str",
    inspect.BytesType: "bin",
    inspect.BoolType: "bool",
    inspect.ListType: "array",
    inspect.DictType: "map",
}
_ITEMS = {inspect.StrType: "ids", inspect.TupleType: "pairs"}
_ROUND = {fields.MAX_INT: "2⁵³−1", fields.MAX_FRAME_BYTES: "2²⁴"}


def type_of(kind: inspect.Type) -> str:
    """Name the MessagePack type of a field."""
    kind = _without_none(kind)
    if isinstance(kind, inspect.IntType):
        return "uint" if kind.ge is not None and kind.ge >= 0 else "int"
    return _TYPES[type(kind)]


def range_of(kind: inspect.Type) -> str:
    """Say what a field may hold, as its decoder checks it."""
    match _without_none(kind):
        case inspect.IntType(ge=least, le=int(most)):
            words = f"{least}…{_ROUND.get(most, most)}"
        case inspect.IntType(ge=least, lt=int(behind)):
            words = f"{least}…{behind - 1}"
        case inspect.StrType(pattern=pattern):
            words = _TEXTS[pattern]
        case inspect.BytesType(min_length=None, max_length=int(most)):
            words = f"0 or {most} bytes"
        case inspect.BytesType(max_length=int(most)):
            words = f"{most} bytes"
        case inspect.ListType(item_type=item, max_length=most):
            words = f"≤ {most} {_ITEMS.get(type(item), 'entries')}"
        case inspect.DictType(max_length=most):
            words = f"≤ {most} pairs"
        case _:
            words = ""
    return words


def _without_none(kind: inspect.Type) -> inspect.Type:
    if not isinstance(kind, inspect.UnionType):
        return kind
    (only,) = (one for one in kind.types if not isinstance(one, inspect.NoneType))
    return only
