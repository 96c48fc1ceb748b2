"""What stands around every page: who looks, which store, where one can go, what was just done.

A page that stands in the frame asks for `Framed` and draws with `show`; where it leads and who may
go there is said once, in `PLACES`.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from http import HTTPStatus
from types import MappingProxyType
from typing import Annotated, Any, Final
from urllib.parse import urlencode
from zoneinfo import ZoneInfo

from fastapi import Depends, Query, Request
from fastapi.responses import HTMLResponse

from api import doors
from api.auth import csrf_token, session_of
from api.console.acting import Said, forget_said, said_in
from api.console.languages import mark, spoken
from api.console.own_api import Api
from api.console.templates import draw
from esl.domain.access import ALL_STORES, COVERED_BY, Scope
from esl.domain.errors import UnknownStore
from esl.services.access import OWNER

THEMES: Final = ("light", "dark")
THEME_COOKIE: Final = "esl_theme"
STORE_COOKIE: Final = "esl_store"
"""The store that was looked at last; pages whose address names none are of this one."""

FORM_HEADERS: Final = MappingProxyType({"Referrer-Policy": "same-origin"})
"""Under ``no-referrer`` a form's Origin is “null”, by which nobody knows our own pages."""

_OWNER: Final = mark("Owner of this machine")
"""Who signed in by a link that was made on the machine, and has no account."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """Where one can go: an entry of the menu."""

    key: str  # names its sign, and says on a page which entry is the present one
    path: str
    word: str  # English, marked for the catalogues
    letter: str  # after "g" on the keyboard
    needs: Scope | None  # in the store; None: signed in is enough
    is_for_all: bool = False  # of the whole installation, not of a store
    is_first: bool = False  # in the bar at the foot of a phone


PLACES: Final[Sequence[Place]] = (
    Place(
        key="home", path="/", word=mark("Home"), letter="h", needs=Scope.LABEL_READ, is_first=True
    ),
    Place(
        key="wall",
        path="/wall",
        word=mark("Wall"),
        letter="w",
        needs=Scope.LABEL_READ,
        is_first=True,
    ),
    Place(
        key="pair",
        path="/pair",
        word=mark("Pair"),
        letter="q",
        needs=Scope.LABEL_PAIR,
        is_first=True,
    ),
    Place(
        key="promotions",
        path="/promotions",
        word=mark("Promotions"),
        letter="o",
        needs=Scope.PRICE_READ,
        is_first=True,
    ),
    Place(
        key="products",
        path="/products",
        word=mark("Products"),
        letter="r",
        needs=Scope.PRICE_READ,
    ),
    Place(
        key="imports",
        path="/imports",
        word=mark("Price lists"),
        letter="i",
        needs=Scope.PRICE_READ,
    ),
    Place(
        key="templates",
        path="/templates",
        word=mark("Templates"),
        letter="v",
        needs=Scope.LABEL_READ,
    ),
    Place(
        key="problems",
        path="/problems",
        word=mark("Problems"),
        letter="p",
        needs=Scope.LABEL_READ,
    ),
    Place(
        key="walk",
        path="/walk",
        word=mark("Walk and fix"),
        letter="f",
        needs=Scope.LABEL_READ,
    ),
    Place(
        key="held",
        path="/held",
        word=mark("Doubted prices"),
        letter="d",
        needs=Scope.PRICE_READ,
    ),
    Place(
        key="gateways",
        path="/gateways",
        word=mark("Gateways"),
        letter="y",
        needs=Scope.LABEL_READ,
    ),
    Place(
        key="batteries",
        path="/batteries",
        word=mark("Batteries"),
        letter="b",
        needs=Scope.LABEL_READ,
    ),
    Place(
        key="paper",
        path="/paper",
        word=mark("Paper tickets"),
        letter="k",
        needs=Scope.LABEL_READ,
    ),
    Place(
        key="shelf-report",
        path="/shelf-report",
        word=mark("Shelf = till"),
        letter="t",
        needs=Scope.PRICE_READ,
    ),
    Place(
        key="inspections",
        path="/inspections",
        word=mark("Inspections"),
        letter="n",
        needs=Scope.PRICE_READ,
    ),
    Place(key="people", path="/people", word=mark("People"), letter="e", needs=Scope.USER_ADMIN),
    Place(
        key="machines",
        path="/machines",
        word=mark("Machines"),
        letter="m",
        needs=Scope.USER_ADMIN,
        is_for_all=True,
    ),
    Place(
        key="settings",
        path="/settings",
        word=mark("Settings"),
        letter="s",
        needs=Scope.STORE_ADMIN,
    ),
    Place(
        key="health",
        path="/health",
        word=mark("Health"),
        letter="l",
        needs=Scope.STORE_ADMIN,
        is_for_all=True,
    ),
    Place(key="audit", path="/audit", word=mark("Audit"), letter="a", needs=Scope.AUDIT_READ),
)
"""The menu, in its order."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Frame:
    """Everything around one page."""

    path: str
    name: str  # who looks, or a text to be said
    is_person: bool  # has an account of their own
    has_session: bool
    csrf: str
    stores: Sequence[Mapping[str, Any]]  # as the API lists them
    store: Mapping[str, Any] | None  # the one that is looked at
    scopes: Mapping[str, frozenset[str]]  # store or `ALL_STORES` → what is held there
    theme: str | None
    said: Said | None = None  # what was just done

    @property
    def store_id(self) -> str:
        """The id of the store that is looked at.

        Raises:
            UnknownStore: There is none.
        """
        if self.store is None:
            raise UnknownStore("no store yet")
        return str(self.store["store_id"])

    def may(self, scope: Scope | str, *, everywhere: bool = False) -> bool:
        """Say whether the API would allow it: in this store, or in the whole installation."""
        held = self.scopes.get(ALL_STORES, frozenset())
        if not everywhere and self.store is not None:
            held |= self.scopes.get(str(self.store["store_id"]), frozenset())
        wider = COVERED_BY.get(Scope(scope), frozenset())
        return Scope(scope).value in held or any(one.value in held for one in wider)

    @property
    def places(self) -> list[Place]:
        """Where this reader may go."""
        return [
            place
            for place in PLACES
            if place.needs is None or self.may(place.needs, everywhere=place.is_for_all)
        ]

    def moment(self, instant: str | None) -> str:
        """Write an instant of the API's in the store's time and the reader's language."""
        if not instant:
            return ""
        zone = ZoneInfo(self.store["timezone"] if self.store is not None else "UTC")
        return spoken().moment(datetime.fromisoformat(instant).astimezone(zone))

    def at(self, path: str, **query: object) -> str:
        """Return the address of a page of this store."""
        named = {"store": self.store_id} if len(self.stores) > 1 and self.store else {}
        kept = {k: str(v) for k, v in (named | query).items() if v not in (None, "")}
        return f"{path}?{urlencode(kept)}" if kept else path


async def frame_of(
    request: Request, api: Api, store: Annotated[str, Query(max_length=64)] = ""
) -> Frame:
    """Gather what stands around a page.

    Raises:
        ApiProblem: Nobody is signed in.
        InvalidInput: The address names no store at all.
        UnknownStore: The address names a store the reader may not know of.
    """
    if store:
        doors.store_id(store)
    me = await api.get("/api/v1/me")
    stores = (await api.get("/api/v1/stores"))["stores"]
    chosen = _chosen(stores, store, request.cookies.get(STORE_COOKIE, ""))
    session = session_of(request)
    theme = request.cookies.get(THEME_COOKIE)
    person = me["person"]
    return Frame(
        path=request.url.path if request.method == "GET" else _place_of(request.url.path),
        name=person["display_name"]
        if person
        else _OWNER
        if me["name"] == f"person:{OWNER}"
        else me["name"],
        is_person=person is not None,
        has_session=session is not None,
        csrf=csrf_token(session) if session else "",
        stores=stores,
        store=chosen,
        scopes=MappingProxyType({at: frozenset(held) for at, held in me["scopes"].items()}),
        theme=theme if theme in THEMES else None,
        said=said_in(request),
    )


def _place_of(path: str) -> str:
    """Return where in the menu a form was sent to: what it draws has no address of its own."""
    return next((one.path for one in PLACES if f"{path}/".startswith(f"{one.path}/")), "/")


Framed = Annotated[Frame, Depends(frame_of)]


def _chosen(stores: Sequence[Mapping[str, Any]], named: str, last: str) -> Mapping[str, Any] | None:
    by_id = {one["store_id"]: one for one in stores}
    if named:
        if named not in by_id:
            raise UnknownStore(f"no store {named}")
        return by_id[named]
    return by_id.get(last) or next(iter(stores), None)


def show(name: str, frame: Frame, *, status: int = HTTPStatus.OK, **values: object) -> HTMLResponse:
    """Draw a page in its frame."""
    page = HTMLResponse(draw(name, frame=frame, **values), status, dict(FORM_HEADERS))
    if frame.said is not None:
        forget_said(page)
    if frame.store is not None and len(frame.stores) > 1:
        page.set_cookie(STORE_COOKIE, frame.store_id, httponly=True, samesite="strict")
    return page
