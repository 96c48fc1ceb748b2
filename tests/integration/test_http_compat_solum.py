"""SoluM's interface, as drivers written for it call it: log in, articles, links, labels."""

from datetime import timedelta
from typing import Any

import httpx2
import pytest

from api.compat.tickets import ACCESS_LASTS, Kind, issue
from api.secret_box import open_box
from esl.intake.compat import SOLUM
from tests.running_house import STORE_BODY, RunningHouse, check_headers

pytest_plugins = ["tests.shop_over_http"]

SCOPES = ("price:write", "price:read", "label:read", "label:pair")
COMMON = "/common/api/v2/common"


class Driver:
    """A driver that knows an address, a company, a store, a user and a password."""

    def __init__(self, house: RunningHouse, password: str, store: str, base: str = "") -> None:
        self.house = house
        self.password = password
        self.query = f"company=ACME&store={store}"
        self.base = f"/compat/solum{base}"
        self.token = ""
        self.logins = 0

    def log_in(self) -> None:
        self.logins += 1
        answer = self.house.ask(
            "POST",
            f"{self.base}/common/api/v2/token",
            json={"username": "a test", "password": self.password},
            token=None,
        )
        assert answer.status_code == 200, answer.text
        message = answer.json()["responseMessage"]
        assert answer.json()["responseCode"] == "200"
        assert message["token_type"] == "bearer"
        assert message["expires_in"] == ACCESS_LASTS.total_seconds()
        self.token, self.refresh_token = message["access_token"], message["refresh_token"]

    def ask(self, method: str, path: str, json: Any = None, query: str = "") -> httpx2.Response:
        """Call, and log in again where the token is no longer good, as drivers do."""
        address = f"{self.base}{path}?{self.query}{query}"
        answer = self.house.ask(method, address, json=json, token=self.token or "none")
        if answer.status_code == 401:
            self.log_in()
            answer = self.house.ask(method, address, json=json, token=self.token)
        return answer

    def done(self, method: str, path: str, json: Any = None, query: str = "") -> Any:
        answer = self.ask(method, path, json, query)
        assert answer.is_success, f"{method} {path}: {answer.status_code} {answer.text}"
        if answer.status_code == 204:
            return None
        content = answer.json()
        assert content["responseCode"] == "200"
        return content


def article(sku: str, sale: Any, listed: Any = None, **data: Any) -> dict[str, Any]:
    fields = {"SALE_PRICE": sale, "LIST_PRICE": sale if listed is None else listed} | data
    return {"articleId": sku, "articleName": f"Kruh {sku}", "nfcUrl": "", "data": fields}


@pytest.fixture(scope="module")
def guarded(house: RunningHouse) -> RunningHouse:
    """A guarded store with a gateway and three labels whose codes are as the maker prints them."""
    body = {name: value for name, value in STORE_BODY.items() if name != "guards"}
    house.done("PUT", "/api/v1/stores/s1", body)
    house.done("PUT", "/api/v1/stores/s2", body)
    house.done("PUT", "/api/v1/stores/s1/gateways/gw-s", {})
    labels = [
        {"label": f"05a1b2c3d40{n}", "panel": "bwry-296x128", "gateway": "gw-s"} for n in range(3)
    ]
    house.done("POST", "/api/v1/stores/s1/labels", labels)
    return house


@pytest.fixture
def driver(guarded: RunningHouse) -> Driver:
    guarded._http.cookies.clear()
    return Driver(guarded, guarded.token(*SCOPES, stores=("s1",)), "s1")


def price_of(driver: Driver, sku: str) -> Any:
    found = driver.house.done("GET", f"/api/v1/stores/s1/products/{sku}")
    return found["price"], found.get("was")


# -- login ---------------------------------------------------------------------------------------


def test_a_form_the_secret_alone_and_the_cookie_log_in_too(driver: Driver) -> None:
    secret = driver.password.split("_", 2)[2]
    answer = driver.house.ask(
        "POST",
        "/compat/solum/c1/common/api/v2/token",
        content=f"username=a+test&password={secret}",
        headers={"Content-Type": "application/x-www-form-urlencoded"},
        token=None,
    )
    ticket = answer.json()["responseMessage"]["access_token"]
    assert ticket in answer.headers["set-cookie"]
    listed = driver.house.ask(
        "GET",
        f"/compat/solum{COMMON}/store",
        headers={"Cookie": f"AIMS_TOKEN={ticket}"},
        token=None,
    )
    assert [store["store"] for store in listed.json()["stores"]] == ["s1"]


def test_wrong_logins_and_tokens_get_401_in_the_makers_shape(driver: Driver) -> None:
    path = "/compat/solum/common/api/v2/token"
    assert driver.house.ask("HEAD", path, token=None).status_code == 401
    wrong: list[Any] = [
        {"username": "a test", "password": driver.password + "x"},
        {"username": "another", "password": driver.password},
        {"username": "a test", "password": ""},
        {"username": "a test", "password": "esl_" + "x" * 100},
        {"username": 1, "password": None},
        {},
        None,
    ]
    for body in wrong:
        answer = driver.house.ask("POST", path, json=body, token=None)
        assert answer.status_code == 401, body
        assert answer.json()["responseCode"] == "401"
        assert driver.password not in answer.text
        check_headers(answer)
    driver.log_in()
    bad = ["", "x", driver.refresh_token, driver.token[:-2], "AQ" * 40, "é" * 10]
    for token in bad[1:]:
        answer = driver.house.ask("GET", f"/compat/solum{COMMON}/store", token=token)
        assert answer.status_code == 401, token


def test_an_expired_ticket_is_refused_and_the_driver_logs_in_again(driver: Driver) -> None:
    house = driver.house.house
    past = house.clock.now() - ACCESS_LASTS - timedelta(seconds=1)
    token_id = driver.password.split("_")[1]
    box = open_box(house.settings.data_dir)
    driver.token = issue(box, Kind.ACCESS, token_id, door=SOLUM, now=past)
    refused = driver.house.ask("GET", f"/compat/solum{COMMON}/store", token=driver.token)
    assert refused.status_code == 401
    assert "expired" in refused.json()["responseMessage"]
    driver.done("PUT", f"{COMMON}/articles", [article("e1", "1.29")])
    assert driver.logins == 1


def test_a_refresh_token_gives_a_new_ticket_and_opens_no_other_door(driver: Driver) -> None:
    driver.log_in()
    body = {"refreshToken": driver.refresh_token}
    answer = driver.house.ask(
        "POST", "/compat/solum/common/api/v2/token/refresh", json=body, token=None
    )
    ticket = answer.json()["responseMessage"]["access_token"]
    assert driver.house.ask("GET", f"/compat/solum{COMMON}/store", token=ticket).is_success
    assert driver.house.ask("GET", "/api/v1/stores", token=ticket).status_code == 401
    pricer = "/compat/pricer/api/public/core/v1/items"
    assert driver.house.ask("GET", pricer, token=ticket).status_code == 401
    again = {"refreshToken": ticket}
    assert (
        driver.house.ask(
            "POST", "/compat/solum/common/api/v2/token/refresh", json=again, token=None
        ).status_code
        == 401
    )


def test_a_revoked_token_ends_its_logins(driver: Driver) -> None:
    driver.log_in()
    driver.house.done("DELETE", f"/api/v1/tokens/{driver.password.split('_')[1]}")
    path = f"/compat/solum{COMMON}/store"
    assert driver.house.ask("GET", path, token=driver.token).status_code == 401
    body = {"refreshToken": driver.refresh_token}
    refresh = "/compat/solum/common/api/v2/token/refresh"
    assert driver.house.ask("POST", refresh, json=body, token=None).status_code == 401


# -- stores and rights ---------------------------------------------------------------------------


def test_a_driver_sees_its_own_store_alone(driver: Driver) -> None:
    stores = driver.done("GET", f"{COMMON}/store")["stores"]
    assert [(s["store"], s["company"], s["labelCount"]) for s in stores] == [("s1", "ACME", 3)]
    driver.query = "company=ACME&store=s2"
    for method, path, body in (
        ("PUT", "articles", [article("1", "1.29")]),
        ("DELETE", "articles", {"articleDeleteList": ["1"]}),
        ("GET", "articles", None),
        ("POST", "labels/link", {"labelCode": "05A1B2C3D400", "articleId": "1"}),
        ("GET", "labels", None),
        ("PUT", "labels/led", [{"labelCode": "05A1B2C3D400"}]),
        ("GET", "labels/detail", None),
    ):
        answer = driver.ask(method, f"{COMMON}/{path}", body, query="&label=05A1B2C3D400")
        assert answer.status_code == 404, path
        assert answer.json()["responseCode"] == "404"


def test_a_driver_without_a_right_is_told_so(guarded: RunningHouse) -> None:
    driver = Driver(guarded, guarded.token("label:read", stores=("s1",)), "s1")
    answer = driver.ask("PUT", f"{COMMON}/articles", [article("1", "1.29")])
    assert answer.status_code == 403
    assert "price:write" in answer.json()["responseMessage"]


def test_the_codes_of_a_registered_source_name_stores(guarded: RunningHouse) -> None:
    source = {
        "name": "Till",
        "kind": "compat",
        "settings": {"system": "solum", "stores": "0001=s1, 0002=s2", "token": "none"},
    }
    token = guarded.token(*SCOPES)
    source["settings"]["token"] = token.split("_")[1]  # type: ignore[index]
    guarded.done("PUT", "/api/v1/sources/solum-till", source)
    driver = Driver(guarded, token, "0001")
    driver.done("PUT", f"{COMMON}/articles", [article("c1", "3.29")])
    assert price_of(driver, "c1")[0] == "3.29"
    assert {s["store"] for s in driver.done("GET", f"{COMMON}/store")["stores"]} == {"0001", "0002"}
    heard = guarded.done("GET", "/api/v1/sources/solum-till")["heard_at"]
    assert heard is not None
    guarded.done("PUT", "/api/v1/sources/solum-till", source | {"disabled": True})
    answer = driver.ask("PUT", f"{COMMON}/articles", [article("c1", "3.39")])
    assert answer.status_code == 409
    guarded.done("DELETE", "/api/v1/sources/solum-till")


def test_the_mapping_of_a_registered_source_reads_its_own_names(guarded: RunningHouse) -> None:
    mapping = """\
name: own-names
format: json
decimal: ","
fields:
  sku: item.articleId
  name: item.data.Naziv
  price: item.data.Cijena
"""
    guarded.done("PUT", "/api/v1/mappings/own-names", content=mapping)
    token = guarded.token(*SCOPES, stores=("s1",))
    source = {
        "name": "Own",
        "kind": "compat",
        "store": "s1",
        "mapping": "own-names",
        "settings": {"system": "solum", "token": token.split("_")[1]},
    }
    guarded.done("PUT", "/api/v1/sources/own-till", source)
    driver = Driver(guarded, token, "s1")
    text = {"articleId": "m1", "data": {"Naziv": "Sir", "Cijena": "4,29"}}
    number = {"articleId": "m2", "data": {"Naziv": "Sir", "Cijena": 4.3}}
    driver.done("POST", f"{COMMON}/articles", [text, number])
    assert price_of(driver, "m1")[0] == "4.29"
    assert price_of(driver, "m2")[0] == "4.30"
    guarded.done("DELETE", "/api/v1/sources/own-till")


# -- articles ------------------------------------------------------------------------------------


def test_articles_come_in_with_prices_as_texts_and_as_numbers(driver: Driver) -> None:
    articles = [article("a1", "1.19"), article("a2", 0.29), article(1234, 2)]  # type: ignore[arg-type]
    answer = driver.done("POST", f"{COMMON}/articles", articles)
    assert answer["responseMessage"] == "SUCCESS"
    assert answer["customBatchId"]
    assert "articleErrors" not in answer
    assert [price_of(driver, sku)[0] for sku in ("a1", "a2", "1234")] == ["1.19", "0.29", "2.00"]


def test_the_older_form_names_its_station(driver: Driver) -> None:
    driver.query = "company=ACME"
    body = {
        "dataList": [
            {
                "stationCode": "S1",
                "id": "o1",
                "name": "Sol",
                "nfc": "",
                "data": {"SALE_PRICE": "1.05"},
            }
        ]
    }
    driver.done("POST", f"{COMMON}/articles", body)
    assert price_of(driver, "o1") == ("1.05", None)
    body["dataList"].append(body["dataList"][0] | {"stationCode": "s2"})
    assert driver.ask("POST", f"{COMMON}/articles", body).status_code == 400


def test_a_sale_shows_both_prices_and_its_end_shows_one(driver: Driver) -> None:
    driver.done("POST", f"{COMMON}/articles", [article("b1", "1.49")])
    assert price_of(driver, "b1") == ("1.49", None)
    driver.done("PUT", f"{COMMON}/articles", [article("b1", "1.19", "1.49")])
    assert price_of(driver, "b1") == ("1.19", "1.49")
    only_sale = {"articleId": "b1", "data": {"SALE_PRICE": "1.09"}}
    driver.done("PUT", f"{COMMON}/articles", [only_sale])
    assert price_of(driver, "b1") == ("1.09", "1.49")
    only_name = {"articleId": "b1", "articleName": "Novi"}
    driver.done("PUT", f"{COMMON}/articles", [only_name])
    assert price_of(driver, "b1") == ("1.09", "1.49")
    only_list = {"articleId": "b1", "data": {"LIST_PRICE": "1.59"}}
    driver.done("PUT", f"{COMMON}/articles", [only_list])
    assert price_of(driver, "b1") == ("1.09", "1.59")
    driver.done("PUT", f"{COMMON}/articles", [article("b1", "1.59", "1.59")])
    assert price_of(driver, "b1") == ("1.59", None)


@pytest.mark.parametrize("none", ["", None, "0", "0.00", 0])
def test_an_empty_sale_price_ends_the_sale(driver: Driver, none: Any) -> None:
    sku = f"z{none!r}".replace("'", "").replace(".", "-")
    driver.done("POST", f"{COMMON}/articles", [article(sku, "1.19", "1.49")])
    assert price_of(driver, sku) == ("1.19", "1.49")
    ended = {"articleId": sku, "data": {"SALE_PRICE": none}}
    driver.done("PUT", f"{COMMON}/articles", [ended])
    assert price_of(driver, sku) == ("1.49", None)


def test_post_says_an_article_whole_and_put_in_part(driver: Driver) -> None:
    whole = article("w1", "1.19", "1.49", BRAND="Mlinar")
    driver.done("POST", f"{COMMON}/articles", [whole])
    part = {"articleId": "w1", "articleName": "Kruh", "data": {"LIST_PRICE": "1.49"}}
    driver.done("PUT", f"{COMMON}/articles", [part])
    kept = driver.house.done("GET", "/api/v1/stores/s1/products/w1")
    assert (kept["brand"], kept["price"]) == ("Mlinar", "1.19")
    driver.done("POST", f"{COMMON}/articles", [part])
    gone = driver.house.done("GET", "/api/v1/stores/s1/products/w1")
    assert (gone["brand"], gone["price"], gone["was"]) == (None, "1.49", None)


def test_a_shifted_price_is_held_back_and_the_driver_is_told(driver: Driver) -> None:
    driver.done("POST", f"{COMMON}/articles", [article("g1", "1.29"), article("g2", "1.29")])
    answer = driver.done(
        "PUT", f"{COMMON}/articles", [article("g1", "12.90"), article("g2", "1.39")]
    )
    [error] = answer["articleErrors"]
    assert (error["articleId"], error["errorCode"]) == ("g1", "QUARANTINED")
    assert "decimal point" in error["errorMessage"]
    assert price_of(driver, "g1") == ("1.29", None)
    assert price_of(driver, "g2") == ("1.39", None)
    held = driver.house.done("GET", "/api/v1/stores/s1/quarantine")["prices"]
    assert "g1" in [price["sku"] for price in held]


def test_bad_articles_are_told_one_by_one_and_good_ones_taken(driver: Driver) -> None:
    sent = [article("h1", "1.29"), article("h2", "1,29"), article("", "1.29"), article("h4", "NaN")]
    answer = driver.done("POST", f"{COMMON}/articles", sent)
    assert [e["articleId"] for e in answer["articleErrors"]] == ["h2", "", "h4"]
    assert price_of(driver, "h1")[0] == "1.29"
    alone = driver.ask("POST", f"{COMMON}/articles", sent[1:])
    assert alone.status_code == 400
    assert alone.json()["responseCode"] == "400"
    assert driver.ask("POST", f"{COMMON}/articles", []).status_code == 400
    assert driver.ask("POST", f"{COMMON}/articles", None).status_code == 400


def test_of_one_article_twice_in_a_call_the_last_word_counts(driver: Driver) -> None:
    twice = [article("t1", "1.29"), {"articleId": "t1", "data": {"SALE_PRICE": "1.19"}}]
    driver.done("PUT", f"{COMMON}/articles", twice)
    assert price_of(driver, "t1") == ("1.19", "1.29")


def test_a_thousand_articles_come_in_one_call_and_again_change_nothing(driver: Driver) -> None:
    sent = [article(f"k{n}", "1.29", EXTRA="x" * 200) for n in range(1000)]
    driver.done("POST", f"{COMMON}/articles", sent)
    revs = driver.house.read("SELECT max(rev) FROM price WHERE store_id = 's1'")
    driver.done("POST", f"{COMMON}/articles", sent)
    assert driver.house.read("SELECT max(rev) FROM price WHERE store_id = 's1'") == revs
    found: list[str] = []
    page = 0
    while answer := driver.done("GET", f"{COMMON}/articles", query=f"&page={page}&size=300"):
        found += [one["articleId"] for one in answer["articleList"]]
        page += 1
    assert len(found) == len(set(found)) >= 1000
    driver.done(
        "DELETE", f"{COMMON}/articles", {"articleDeleteList": [f"k{n}" for n in range(1000)]}
    )
    left = driver.house.read("SELECT count(*) FROM product WHERE sku LIKE 'k%'")
    assert left == [(0,)]


def test_an_idempotency_key_holds_for_one_store(driver: Driver) -> None:
    driver.log_in()
    address = f"/compat/solum{COMMON}/articles?store=s1"
    headers = {"Idempotency-Key": "once"}
    body = [article("i1", "1.29")]
    first, again = (
        driver.house.ask("PUT", address, json=body, token=driver.token, headers=headers)
        for _ in range(2)
    )
    assert first.json() == again.json()
    other = driver.house.ask(
        "PUT", address, json=[article("i1", "1.39")], token=driver.token, headers=headers
    )
    assert other.status_code == 409


# -- labels --------------------------------------------------------------------------------------


def test_labels_are_linked_listed_and_unlinked(driver: Driver) -> None:
    driver.done("POST", f"{COMMON}/articles", [article("l1", "1.29"), article("l2", "2.29")])
    links = {
        "assignList": [{"labelCode": "05A1B2C3D400", "articleIdList": ["l1"], "templateName": "T"}]
    }
    assert "not looked at" in driver.done("POST", f"{COMMON}/labels/link", links)["templateNote"]
    one = {"labelCode": "05a1b2c3d401", "articleId": "l2"}
    assert "templateNote" not in driver.done("POST", "/common/api/v2/labels/link", one)
    found = {x["labelCode"]: x for x in driver.done("GET", f"{COMMON}/labels")["labelList"]}
    assert len(found) == 3
    assert found["05A1B2C3D400"]["articleList"] == [{"articleId": "l1", "articleName": "Kruh l1"}]
    assert found["05A1B2C3D400"]["status"] == "TIMEOUT"  # its gateway was never on the line
    assert found["05A1B2C3D400"]["networkStatus"] == "OFFLINE"
    assert found["05A1B2C3D402"]["articleList"] == []
    assigned = driver.done("GET", f"{COMMON}/config/article/info", query="&size=1000")[
        "articleList"
    ]
    by_id = {one["articleId"]: one for one in assigned}
    assert by_id["l1"]["assignedLabel"] == ["05A1B2C3D400"]
    assert by_id["l1"]["data"]["SALE_PRICE"] == "1.29"
    unassigned = driver.done("GET", f"{COMMON}/labels/unassigned")["labelList"]
    assert [x["labelCode"] for x in unassigned] == ["05A1B2C3D402"]
    page = driver.done("GET", f"{COMMON}/labels", query="&page=2&size=1")["labelList"]
    assert [x["labelCode"] for x in page] == ["05A1B2C3D402"]
    assert driver.ask("GET", f"{COMMON}/labels", query="&page=3&size=1").status_code == 204
    assert (
        driver.ask("GET", f"{COMMON}/labels", query="&status=SUCCESS&network=ONLINE").status_code
        == 204
    )
    summary = driver.done("GET", f"{COMMON}/store/summary")
    assert (summary["totalLabelCount"], summary["totalAssignedProductCount"]) == (3, 2)
    driver.done("POST", f"{COMMON}/labels/unlink", {"unAssignList": ["05A1B2C3D400"]})
    driver.done("POST", f"{COMMON}/labels/unlink", {"labelCode": "05A1B2C3D401"})
    assert len(driver.done("GET", f"{COMMON}/labels/unassigned")["labelList"]) == 3


def test_unknown_labels_and_articles_are_told_and_nothing_is_linked(driver: Driver) -> None:
    driver.done("POST", f"{COMMON}/articles", [article("u1", "1.29")])
    before = driver.house.read("SELECT * FROM pairing ORDER BY label_id")
    good = {"labelCode": "05A1B2C3D402", "articleIdList": ["u1"]}
    for bad, status in (
        ({"labelCode": "FFFFFFFF0000", "articleIdList": ["u1"]}, 404),
        ({"labelCode": "05A1B2C3D401", "articleIdList": ["nobody"]}, 400),
        ({"labelCode": "05A1B2C3D401", "articleIdList": ["u1", "u1"]}, 400),
        ({"labelCode": "no/label", "articleIdList": ["u1"]}, 400),
        ({"labelCode": "05A1B2C3D401"}, 400),
        ("05A1B2C3D401", 400),
    ):
        answer = driver.ask("POST", f"{COMMON}/labels/link", {"assignList": [good, bad]})
        assert answer.status_code == status, (bad, answer.text)
        assert answer.json()["responseCode"] == str(status)
    assert driver.house.read("SELECT * FROM pairing ORDER BY label_id") == before


def test_labels_blink_and_pages_are_refused_in_words(driver: Driver) -> None:
    count = "SELECT count(*) FROM command WHERE kind = 'led'"
    [(before,)] = driver.house.read(count)
    lights = [{"labelCode": "05A1B2C3D400", "color": "RED", "duration": "30s", "patternId": 0}]
    driver.done("PUT", f"{COMMON}/labels/led", lights)
    driver.done("POST", "/common/api/v1/labels/contents/led", {"ledBlinkList": lights})
    driver.done("POST", f"{COMMON}/labels/blink", {"labelCode": "05A1B2C3D400"})
    assert driver.house.read(count) == [(before + 3,)]
    purple = [lights[0] | {"color": "PURPLE"}]
    assert driver.ask("PUT", f"{COMMON}/labels/led", purple).status_code == 400
    forever = [lights[0] | {"duration": "soon"}]
    assert driver.ask("PUT", f"{COMMON}/labels/led", forever).status_code == 400
    page = {"labels": [{"labelCode": "05A1B2C3D400", "displayPage": 2}]}
    answer = driver.ask("POST", "/common/api/v2/labels/page", page)
    assert answer.status_code == 400
    assert "one page" in answer.json()["responseMessage"]
    nowhere = driver.ask("GET", f"{COMMON}/labels/history")
    assert nowhere.status_code == 404
    assert nowhere.json()["responseCode"] == "404"


def test_a_label_that_shows_nothing_yet_has_no_picture(driver: Driver) -> None:
    view = driver.done("GET", f"{COMMON}/labels/detail", query="&label=05A1B2C3D402")
    assert view["labelCode"] == "05A1B2C3D402"
    assert view["displayImageList"] == []
