"""A source's settings, looked at when they are put, so that nobody learns of a mistake at night.

    kind                       settings
    poll                       its connector's: `connectors.build`
    webhook                    ``system``, ``hook_url``; with an ``address`` its connector's, too
    compat                     ``system``, ``stores``, ``token``
    hot_folder, sftp, mqtt     see `folders` and docs/mqtt-in.md
    all but poll               ``store_from``, ``unknown_stores``, ``store.NAME``: for its files

A setting that the kind does not know is refused by name: a misspelt one would be a setting that
is not there, and nobody would say so.
"""

import re
from collections.abc import Callable, Iterable, Mapping
from types import MappingProxyType

import jmespath

from api.listeners.connectors.addresses import AddressRules
from api.listeners.connectors.build import POLLED_SYSTEMS, REST, build_connector
from api.listeners.connectors.errors import ShopRefused
from api.listeners.connectors.fetch import parse_base
from api.listeners.folders.rules import check_folder_settings
from api.listeners.folders.sources import FOLDER_KINDS
from api.listeners.mqtt_in_take import RESULTS
from esl.domain.errors import FieldProblem, InvalidInput
from esl.domain.ids import check_slug
from esl.domain.mqtt_in import NOT_SOURCES
from esl.domain.source import Source, SourceKind
from esl.intake.hooks.verifiers import HookKind
from esl.intake.routing import STORE_FROM, parse_store_from
from esl.intake.strict_json import pointer
from esl.services.import_routing import IGNORED, STORE_NAME, UNKNOWN_STORES
from esl.settings import Settings

_PATHS = ("items", "next", "key")
"""JMESPath expressions among a REST source's settings."""

_HOST = re.compile(r"[\w.-]{1,253}|[0-9a-fA-F:.]{2,45}")
_HOOK_SETTINGS = frozenset({"system", "hook_url"})
_COMPAT_SETTINGS = frozenset({"system", "stores", "token"})
_COMPAT_SYSTEMS = ("pricer", "solum")
_NOT_GIVEN_YET = "not given yet"
"""A connector's secret comes after its source, so one is made up for the look."""


def check_source_settings(source: Source, settings: Settings) -> None:
    """Refuse settings that its kind does not know, or cannot work with here.

    Raises:
        InvalidInput: With the path of each.
    """

    def check() -> None:
        if source.kind in FOLDER_KINDS:
            check_folder_settings(source, settings)
        else:
            _CHECKS[source.kind](source)

    problems = list(_problems_of(check))
    if source.kind is not SourceKind.POLL:
        problems += _routing_problems(source.settings)
    if problems:
        raise InvalidInput(problems)


def _check_poll(source: Source) -> None:
    settings = source.settings
    problems = list(_problems_of(lambda: build_connector(settings, _NOT_GIVEN_YET)))
    if settings.get("address"):
        problems += _problems_of(lambda: _check_address(settings))
    if settings.get("system") == REST:
        for name in _PATHS:
            if name in settings and not _is_path(settings[name]):
                problems.append(
                    _problem(name, "not a JMESPath expression", 'Write such as "data.products".')
                )
    if problems:
        raise InvalidInput(problems)


def _check_webhook(source: Source) -> None:
    settings = source.settings
    system = settings.get("system", HookKind.GENERIC.value)
    if system not in set(HookKind) | POLLED_SYSTEMS:
        words = ", ".join(sorted({*HookKind, *POLLED_SYSTEMS}))
        raise InvalidInput([_problem("system", "no system that calls", f"Write one of {words}.")])
    if "address" in settings and system in POLLED_SYSTEMS:
        _check_poll(source)
        return
    if system == HookKind.SQUARE and not settings.get("hook_url", "").startswith("https://"):
        raise InvalidInput(
            [
                _problem(
                    "hook_url",
                    "missing: Square signs the address that it calls",
                    "Write it as you entered it there, with https://.",
                )
            ]
        )
    _refuse_unknown(settings, _HOOK_SETTINGS)


def _check_compat(source: Source) -> None:
    settings = source.settings
    problems: list[FieldProblem] = []
    if settings.get("system") not in _COMPAT_SYSTEMS:
        fix = f"Write one of {', '.join(_COMPAT_SYSTEMS)}."
        problems.append(_problem("system", "no maker whose interface is spoken here", fix))
    for pair in filter(None, (p.strip() for p in settings.get("stores", "").split(","))):
        code, sign, store = pair.partition("=")
        if not sign or not code.strip() or not _is_store(store.strip()):
            problems.append(
                _problem("stores", "not pairs of code and store", "0001=main, 0002=pula")
            )
            break
    problems += _problems_of(lambda: _refuse_unknown(settings, _COMPAT_SETTINGS))
    if problems:
        raise InvalidInput(problems)


def _check_plain(source: Source) -> None:
    _refuse_unknown(source.settings, frozenset())


def _check_mqtt(source: Source) -> None:
    if source.settings.get(RESULTS, "true") not in ("true", "false"):
        raise InvalidInput([_problem(RESULTS, "not a word it may be", "Write true or false.")])
    if source.source_id in NOT_SOURCES:
        words = "the gateways' topics have a part of this name, so nobody would hear it"
        raise InvalidInput.at("/source", words, fix="Give the source another name.")
    _refuse_unknown(source.settings, frozenset({RESULTS}))


_CHECKS: Mapping[SourceKind, Callable[[Source], None]] = MappingProxyType(
    {
        SourceKind.HTTP: _check_plain,
        SourceKind.FILE: _check_plain,
        SourceKind.MQTT: _check_mqtt,
        SourceKind.WEBHOOK: _check_webhook,
        SourceKind.POLL: _check_poll,
        SourceKind.COMPAT: _check_compat,
    }
)


def _check_address(settings: Mapping[str, str]) -> None:
    rules = AddressRules.of_text(settings.get("allow_private", ""))
    try:
        url = parse_base(settings["address"], rules)
    except ShopRefused as exc:
        fix = "Write it such as https://my-shop.example."
        raise InvalidInput([_problem("address", str(exc), fix)]) from None
    if not _HOST.fullmatch(url.host):
        fix = "Write it such as https://my-shop.example."
        raise InvalidInput([_problem("address", "names no host", fix)])
    if url.userinfo or url.query or url.fragment:
        fix = "Leave it out; credentials are the source's login and secret."
        raise InvalidInput([_problem("address", "holds more than an address", fix)])


def _routing_problems(settings: Mapping[str, str]) -> list[FieldProblem]:
    problems: list[FieldProblem] = []
    if STORE_FROM in settings:
        problems += _problems_of(lambda: parse_store_from(settings[STORE_FROM]))
    if settings.get(UNKNOWN_STORES, IGNORED) != IGNORED:
        problems.append(_problem(UNKNOWN_STORES, "not a word it may be", f"Write {IGNORED}."))
    for name, value in settings.items():
        if name.startswith(STORE_NAME) and not (name != STORE_NAME and _is_store(value)):
            fix = "Write such as store.0007: pula, the id of a store."
            problems.append(_problem(name, "not the source's name of a store and the store", fix))
    return problems


def _refuse_unknown(settings: Mapping[str, str], known: frozenset[str]) -> None:
    routing = {STORE_FROM, UNKNOWN_STORES}
    unknown = [
        _problem(name, "unknown for a source of this kind", "Leave it out, or check its spelling.")
        for name in sorted(set(settings) - known - routing)
        if not name.startswith(STORE_NAME)
    ]
    if unknown:
        raise InvalidInput(unknown)


def _problems_of(check: Callable[[], object]) -> Iterable[FieldProblem]:
    try:
        check()
    except InvalidInput as exc:
        return exc.problems
    return ()


def _problem(name: str, detail: str, fix: str) -> FieldProblem:
    return FieldProblem(path=pointer("/settings", name), detail=detail, fix=fix)


def _is_path(text: str) -> bool:
    try:
        jmespath.compile(text)
    except (jmespath.exceptions.JMESPathError, RecursionError):
        return False
    return True


def _is_store(text: str) -> bool:
    try:
        check_slug(text, path="", what="store")
    except InvalidInput:
        return False
    return True
