"""Edges against brute force: no promotion begins or ends twice, not at all, or is undone."""

from datetime import UTC, datetime, time, timedelta

from tests.proof.edge_oracle import Hours, Wall
from tests.proof.edges import prove_edges

DAY = timedelta(days=1)


def test_no_edge_is_missed_doubled_or_undone() -> None:
    found = prove_edges(600, 1, slots=1)
    assert found["violations"] == 0, found["first"]
    assert found["edges"] >= 600
    assert found["price_events"] > 300


def test_brute_force_knows_the_days_on_which_the_clock_is_turned() -> None:
    wall = Wall(
        "Europe/Berlin", datetime(2026, 3, 1, tzinfo=UTC), datetime(2026, 11, 30, tzinfo=UTC)
    )
    night = ((time(2, 30), time(6)),)

    def on(date: str) -> list[tuple[datetime, datetime]]:
        day = datetime.fromisoformat(date)
        hours = Hours(begins=day, ends=day + DAY, weekdays=frozenset(), hours=night)
        return wall.runs(hours)

    [(skipped, _)] = on("2026-03-29")
    assert skipped == datetime(2026, 3, 29, 1, tzinfo=UTC), "2:30 is not shown: at the turn"
    [(twice, _)] = on("2026-10-25")
    assert twice == datetime(2026, 10, 25, 0, 30, tzinfo=UTC), "2:30 is shown twice: the first"
    evening = Hours(
        begins=datetime.fromisoformat("2026-10-24"),
        ends=datetime.fromisoformat("2026-10-25T12:00"),
        weekdays=frozenset(),
        hours=((time(22), time(2)),),
    )
    end = wall.runs(evening)[-1][1]
    assert end == datetime(2026, 10, 25, 1, tzinfo=UTC), "2:00 is shown twice: the last"
    [plain] = on("2026-07-01")
    assert plain == (datetime(2026, 7, 1, 0, 30, tzinfo=UTC), datetime(2026, 7, 1, 4, tzinfo=UTC))
