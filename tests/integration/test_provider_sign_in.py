"""People sign in by an OpenID provider: what its groups give, and what it cannot give."""

from collections.abc import Callable, Iterator
from typing import Any

import httpx2
import pytest

from api.auth import SESSION_COOKIE
from api.oidc.sealed_cookie import COOKIE
from tests.openid_provider import SECRET, OpenIdProvider, ec_key, running_provider
from tests.provider_sign_in import Browser, query_of, set_up
from tests.running_house import RunningHouse, check_problem

pytest_plugins = ["tests.shop_over_http"]

HERE = {"Sec-Fetch-Site": "same-origin"}
PASSWORD = "a heron stood by the weir"


@pytest.fixture
def provider() -> Iterator[OpenIdProvider]:
    with running_provider() as running:
        yield running


@pytest.fixture
def browsers(shop: RunningHouse, provider: OpenIdProvider) -> Iterator[Callable[[], Browser]]:
    """Open browsers of a shop that knows the provider."""
    set_up(shop, provider)
    opened: list[httpx2.Client] = []

    def fresh() -> Browser:
        opened.append(httpx2.Client(trust_env=False, timeout=20, headers=HERE))
        return Browser(shop, provider, opened[-1])

    yield fresh
    for one in opened:
        one.close()
    shop.app.state.provider = None


def people_named(shop: RunningHouse, name: str) -> list[tuple[Any, ...]]:
    return shop.read("SELECT person_id, mail FROM person WHERE sign_in_name = ?", name)


def audited(shop: RunningHouse, person_id: str) -> list[tuple[str, str]]:
    query = "SELECT actor, action FROM audit_entry WHERE subject = ? ORDER BY entry_id"
    return [(actor, action) for actor, action in shop.read(query, f"person/{person_id}")]


# ── Who is let in, as what ────────────────────────────────────────────────────────────────────


@pytest.mark.asvs("10.5.2", "10.2.1")
def test_groups_become_roles_in_the_stores_that_there_are(
    shop: RunningHouse, provider: OpenIdProvider, browsers: Callable[[], Browser]
) -> None:
    provider.add("ana", "shelf-hands", "everybody")
    ana = browsers()
    answer = ana.sign_in("ana")
    assert answer.status_code == 303
    assert answer.headers["location"] == "/"
    assert ana.roles() == {("main", "technician")}
    ((person_id, mail),) = people_named(shop, "ana")
    assert mail == "ana@shop.example"
    assert audited(shop, person_id) == [("provider", "person_added"), ("provider", "person_roles")]
    cookies = [one for one in answer.headers.get_list("set-cookie") if SESSION_COOKIE in one]
    assert ["HttpOnly" in one and "SameSite=strict" in one for one in cookies] == [True]

    # The same person by another name, and another by the first one's: the provider's id counts.
    provider.add("ana", "shelf-hands", sub="id-of-ana", preferred_username="ana.novak")
    again = browsers()
    assert again.sign_in("ana").status_code == 303
    assert again.me() == ana.me()
    provider.add("other", "shelf-hands", preferred_username="ana")
    refused = browsers().sign_in("other")
    assert refused.status_code == 403
    assert "name is that of another account" in refused.text
    assert len(people_named(shop, "ana")) == 1


def test_roles_follow_the_groups_at_each_sign_in(
    shop: RunningHouse, provider: OpenIdProvider, browsers: Callable[[], Browser]
) -> None:
    provider.add("bea", "shelf-managers", "shelf-admins")
    first = browsers()
    first.sign_in("bea")
    assert first.roles() == {("main", "manager"), ("*", "admin")}
    provider.add("bea", "shelf-managers")
    second = browsers()
    second.sign_in("bea")
    assert second.roles() == {("main", "manager")}
    assert first.me() is None, "who loses a role is signed out where it was held"
    # What was given here by hand does not outlast the next sign-in either.
    ((person_id, _),) = people_named(shop, "bea")
    roles = {"roles": [{"store": "*", "role": "admin"}]}
    shop.done("PUT", f"/api/v1/people/{person_id}/roles", roles)
    third = browsers()
    third.sign_in("bea")
    assert third.roles() == {("main", "manager")}
    assert audited(shop, person_id)[-1] == ("provider", "person_roles")


def test_whoever_has_no_group_of_ours_is_refused_and_loses_what_was(
    shop: RunningHouse, provider: OpenIdProvider, browsers: Callable[[], Browser]
) -> None:
    provider.add("carl", "everybody")
    refused = browsers().sign_in("carl")
    assert refused.status_code == 403
    assert "none of your groups has a role" in refused.text
    assert 'name="password"' in refused.text, "the other way in stays open"
    assert people_named(shop, "carl") == []

    provider.add("carl", "shelf-managers")
    inside = browsers()
    inside.sign_in("carl")
    provider.add("carl", "everybody")
    assert browsers().sign_in("carl").status_code == 403
    assert inside.me() is None
    ((person_id, _),) = people_named(shop, "carl")
    assert shop.read("SELECT role FROM person_role WHERE person_id = ?", person_id) == []


@pytest.mark.parametrize("groups", [None, 7, {"a": 1}, [], [["shelf-admins"]], "shelf"])
def test_groups_that_are_none_give_nothing(
    provider: OpenIdProvider, browsers: Callable[[], Browser], groups: Any
) -> None:
    provider.add("dan", groups=groups)
    assert browsers().sign_in("dan").status_code == 403


def test_groups_may_stand_within_another_claim_or_alone(
    shop: RunningHouse, provider: OpenIdProvider, browsers: Callable[[], Browser]
) -> None:
    provider.add("eve", groups=None, realm_access={"roles": ["shelf-managers"]})
    set_up(shop, provider, groups_claim="realm_access.roles")
    assert browsers().sign_in("eve").status_code == 303
    provider.add("fay", **{"https://shop.example/groups": "shelf-managers"})
    set_up(shop, provider, groups_claim="https://shop.example/groups")
    assert browsers().sign_in("fay").status_code == 303


def test_groups_that_the_provider_left_out_are_said_to_be_so(
    provider: OpenIdProvider, browsers: Callable[[], Browser], caplog: pytest.LogCaptureFixture
) -> None:
    provider.add("gus", groups=None, _claim_names={"groups": "src1"})
    assert browsers().sign_in("gus").status_code == 502
    assert "too many" in caplog.text


def test_whoever_is_closed_or_erased_here_stays_out(
    shop: RunningHouse, provider: OpenIdProvider, browsers: Callable[[], Browser]
) -> None:
    provider.add("hal", "shelf-managers")
    inside = browsers()
    inside.sign_in("hal")
    ((person_id, _),) = people_named(shop, "hal")
    shop.done("POST", f"/api/v1/people/{person_id}/disable")
    closed = browsers().sign_in("hal")
    assert closed.status_code == 403
    assert "closed" in closed.text
    assert inside.me() is None

    shop.done("POST", f"/api/v1/people/{person_id}/erase")
    erased = browsers().sign_in("hal")
    assert erased.status_code == 403
    assert "erased" in erased.text
    assert people_named(shop, "hal") == []
    kept = shop.read("SELECT * FROM person_identity WHERE person_id = ?", person_id)
    assert len(kept) == 1
    assert "hal" not in str(kept), "what keeps somebody out is a hash"


def test_nobody_is_made_where_that_is_off(
    shop: RunningHouse, provider: OpenIdProvider, browsers: Callable[[], Browser]
) -> None:
    set_up(shop, provider, creates_people=False)
    provider.add("ida", "shelf-managers")
    refused = browsers().sign_in("ida")
    assert refused.status_code == 403
    assert "has to add it" in refused.text
    assert people_named(shop, "ida") == []


def test_an_account_is_linked_by_its_name_only_where_that_is_on_and_once(
    shop: RunningHouse, provider: OpenIdProvider, browsers: Callable[[], Browser]
) -> None:
    body = {"name": "jan", "roles": [{"store": "*", "role": "admin"}]}
    person_id = shop.done("POST", "/api/v1/people", body)["id"]
    provider.add("jan", "shelf-managers")
    assert browsers().sign_in("jan").status_code == 403
    set_up(shop, provider, links_by_name=True, creates_people=False)
    jan = browsers()
    assert jan.sign_in("jan").status_code == 303
    me = jan.me()
    assert me is not None
    assert me["person"]["id"] == person_id
    assert jan.roles() == {("main", "manager")}, "the roles of the groups, not those of before"
    assert ("provider", "person_linked") in audited(shop, person_id)
    provider.add("jan", "shelf-managers", sub="somebody else")
    assert browsers().sign_in("jan").status_code == 403


def test_a_second_factor_is_the_providers_matter(
    shop: RunningHouse, provider: OpenIdProvider, browsers: Callable[[], Browser]
) -> None:
    provider.add("kim", "shelf-admins")
    kim = browsers()
    kim.sign_in("kim")
    shop.house.settings.second_factor_required = True
    try:
        assert kim.get("/api/v1/people").status_code == 200
        # By a password, the same person would need codes: the session tells the two apart.
        shop.write(lambda tx: tx.exec_driver_sql("UPDATE person_session SET by_provider = 0"))
        assert kim.get("/api/v1/people").status_code == 403
    finally:
        shop.house.settings.second_factor_required = False


# ── What is asked of the provider ─────────────────────────────────────────────────────────────


@pytest.mark.asvs("10.2.3")
def test_the_provider_is_asked_for_what_the_settings_say_and_no_more(
    shop: RunningHouse, provider: OpenIdProvider, browsers: Callable[[], Browser]
) -> None:
    set_up(shop, provider, scopes=["openid", "groups"])
    browser = browsers()
    address = browser.begin()
    assert address.startswith(f"{provider.issuer}/authorize?")
    query = query_of(address)
    assert query["scope"] == "openid groups"
    assert query["redirect_uri"] == f"{shop.url}/sign-in/oidc/return"
    assert len({query["state"], query["nonce"], query["code_challenge"]}) == 3
    other = query_of(browsers().begin())
    for name in ("state", "nonce", "code_challenge"):
        assert len(query[name]) == 43, "256 bits"
        assert query[name] != other[name]
    cookie = browser.http.cookies.get(COOKIE)
    assert cookie is not None
    assert query["state"] not in cookie
    assert SECRET not in address


@pytest.mark.parametrize(
    ("name", "where", "other"),
    [
        ("lea", {}, {}),
        ("lia", {"posts_secret": True}, {}),
        ("lou", {"public_client": True}, {"client_secret": None}),
    ],
    ids=["basic", "post", "without a secret"],
)
def test_the_client_shows_itself_as_the_provider_wants(
    shop: RunningHouse,
    provider: OpenIdProvider,
    browsers: Callable[[], Browser],
    name: str,
    where: dict[str, bool],
    other: dict[str, None],
) -> None:
    for attribute, value in where.items():
        setattr(provider, attribute, value)
    set_up(shop, provider, **other)
    provider.add(name, "shelf-managers")
    assert browsers().sign_in(name).status_code == 303


def test_a_provider_may_sign_by_an_elliptic_curve(
    provider: OpenIdProvider, browsers: Callable[[], Browser]
) -> None:
    provider.key = ec_key("curve")
    provider.shown = [provider.key]
    provider.add("max", "shelf-managers")
    assert browsers().sign_in("max").status_code == 303


def test_nobody_is_led_astray(
    shop: RunningHouse, provider: OpenIdProvider, browsers: Callable[[], Browser]
) -> None:
    """There is no parameter for where to go, and no header that says where we are."""
    evil = {"Host": "evil.example", "X-Forwarded-Host": "evil.example"}
    began = browsers().get(
        "/sign-in/oidc?next=https://evil.example&redirect_uri=https://evil.example", headers=evil
    )
    assert query_of(began.headers["location"])["redirect_uri"].startswith(shop.url)
    assert "evil" not in began.headers["location"]
    provider.add("ned", "shelf-managers")
    provider.sins_in_answer = {"next": "https://evil.example"}
    assert browsers().sign_in("ned").headers["location"] == "/"
    foreign = browsers().get("/sign-in/oidc", headers={"Sec-Fetch-Site": "cross-site"})
    assert foreign.headers["location"] == "/sign-in", "another site's page begins no sign-in"


# ── Beside it, and without it ─────────────────────────────────────────────────────────────────


def test_signing_out_offers_to_sign_out_of_the_provider_as_well(
    shop: RunningHouse, provider: OpenIdProvider, browsers: Callable[[], Browser]
) -> None:
    provider.add("ola", "shelf-managers")
    ola = browsers()
    ola.sign_in("ola")
    page = ola.http.post(f"{shop.url}/sign-out")
    assert page.status_code == 200
    assert 'href="/sign-out/oidc"' in page.text
    assert ola.me() is None
    there = ola.get("/sign-out/oidc").headers["location"]
    assert there.startswith(f"{provider.issuer}/sign-out?")
    assert query_of(there) == {
        "client_id": "esl",
        "post_logout_redirect_uri": f"{shop.url}/sign-in",
    }
    provider.offers_sign_out = False
    set_up(shop, provider)
    ola.sign_in("ola")
    assert ola.http.post(f"{shop.url}/sign-out").status_code == 303
    assert ola.get("/sign-out/oidc").headers["location"] == "/sign-in"


def test_without_a_provider_there_is_no_button_and_no_door(shop: RunningHouse) -> None:
    assert shop.app.state.provider is None
    assert "oidc" not in shop.ask("GET", "/sign-in", token=None).text
    for path in ("/sign-in/oidc", "/sign-in/oidc/return", "/sign-out/oidc"):
        check_problem(shop.ask("GET", path, token=None), 404)


def test_with_one_the_button_stands_below_the_form(browsers: Callable[[], Browser]) -> None:
    page = browsers().get("/sign-in").text
    assert "Sign in by your Vrsar account" in page
    assert page.index('name="password"') < page.index('href="/sign-in/oidc"')


def test_whoever_turns_back_at_the_provider_is_told_so(browsers: Callable[[], Browser]) -> None:
    answer = browsers().sign_in("nobody there")
    assert answer.status_code == 403
    assert "did not let you in" in answer.text
