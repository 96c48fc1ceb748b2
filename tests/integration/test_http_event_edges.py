"""The stream of events at its edges: after a restart, a pruning, and with rights that shrink."""

import base64
import time
from datetime import timedelta
from pathlib import Path

from api import event_stream
from esl.services import retention
from esl.store import happenings
from tests.integration.test_http_event_stream import (
    MAIN,
    all_now,
    happen,
    now_id,
    price,
    streaming,
)
from tests.running_house import STORE_BODY, RunningHouse, running_house

pytest_plugins = ["tests.shop_over_http"]


def test_after_a_restart_a_reader_goes_on_where_it_was(tmp_path: Path) -> None:
    folder = tmp_path / "data"
    with running_house(folder) as before:
        before.done("PUT", MAIN, STORE_BODY)
        before.done("POST", f"{MAIN}/products", [{"sku": "1001", "name": "x", "price": "1.00"}])
        begin = now_id(before)
        price(before, "2.01")
        happen(before, "main")
        price(before, "2.02")
        heard = all_now(before, begin)
    assert len(heard) == 3
    with running_house(folder) as after:
        assert [one.data for one in all_now(after, begin)] == [one.data for one in heard]
        price(after, "2.03")
        mark = heard[1].id
        assert mark is not None
        rest = all_now(after, mark)
    assert rest[0].data == heard[2].data
    assert [one.data["data"].get("price") for one in rest] == ["2.02", "2.03"]


def test_what_is_pruned_behind_a_reader_takes_nothing_from_before_it(shop: RunningHouse) -> None:
    happen(shop, "main")
    happen(shop, "main")
    begin = now_id(shop)
    ahead = shop.house.clock.now() + timedelta(seconds=1)
    gone = shop.write(lambda tx: happenings.forget_happenings(tx, ahead, most=1_000_000))
    assert gone, "there was nothing to prune"
    happen(shop, "main")
    price(shop, "5.01")
    heard = all_now(shop, begin)
    assert sorted(one.event for one in heard) == ["gateway.offline", "price.changed"]
    assert len({one.data["id"] for one in heard}) == 2


def test_whatever_is_kept_is_kept_longer_than_an_id_is_good_for() -> None:
    shortest = min(kept for _, kept in retention._BY_AGE)
    assert shortest > event_stream.RESUMED_WITHIN, "a reader would miss what was pruned"


def test_a_right_that_is_taken_in_one_store_leaves_the_others(shop: RunningHouse) -> None:
    shop.done("PUT", "/api/v1/stores/pula", STORE_BODY)
    grant = {"name": "Board", "scopes": ["price:read", "label:read"], "stores": ["main", "pula"]}
    made = shop.done("POST", "/api/v1/clients", grant)
    basic = base64.b64encode(f"{made['id']}:{made['secret']}".encode()).decode()
    form = {
        "Authorization": f"Basic {basic}",
        "Content-Type": "application/x-www-form-urlencoded",
    }
    asked = "grant_type=client_credentials"
    fetched = shop.ask("POST", "/oauth/token", token=None, content=asked, headers=form)
    with streaming(shop, fetched.json()["access_token"]) as sent:
        next(sent)
        happen(shop, "pula")
        heard = next(one for one in sent if one.event)
        assert heard.data["store"] == "pula"

        shop.done("PUT", f"/api/v1/clients/{made['id']}", grant | {"stores": ["main"]})
        time.sleep(event_stream.RIGHTS_EVERY_S + 2 * event_stream.GAP_S)
        happen(shop, "pula")
        happen(shop, "main")
        after = next(one for one in sent if one.event)
        assert after.data["store"] == "main", "it hears of a store that is closed to it by now"
        assert heard.data["id"] != after.data["id"]
