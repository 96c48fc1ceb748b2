"""Places in natural order, walked straight or in serpentines; what no shelf is called."""

import pytest

from esl.domain.errors import InvalidInput
from esl.domain.shelf_place import (
    PLACE_LONGEST,
    Walk,
    check_place,
    hangs_in,
    natural,
    read_place,
    walk_order,
)


def walked(*places: str, is_serpentine: bool = False, first: tuple[str, ...] = ()) -> list[str]:
    order = walk_order(places, Walk(is_serpentine=is_serpentine, first=first))
    return sorted(order, key=order.__getitem__)


def test_two_comes_before_ten_and_a_bay_before_what_hangs_deeper() -> None:
    assert walked("10", "2/10", "2/2", "2/2/1", "2", "B", "a") == [
        *("2", "2/2", "2/2/1", "2/10", "10", "a", "B")
    ]


def test_every_second_aisle_is_walked_from_its_end() -> None:
    aisles = ("1/1/1/1", "1/1/1/2", "1/2", "2/1/1/1", "2/1/1/2", "2/2", "3/1", "3/2")
    assert walked(*aisles, is_serpentine=True) == [
        *("1/1/1/1", "1/1/1/2", "1/2"),
        *("2/2", "2/1/1/2", "2/1/1/1"),
        *("3/1", "3/2"),
    ]


def test_what_a_store_names_comes_first_in_its_order() -> None:
    places = ("1/1", "1/2", "2/1", "3/9/1", "3/1")
    assert walked(*places, first=("3/9", "2")) == ["3/9/1", "2/1", "1/1", "1/2", "3/1"]


def test_the_walk_does_not_depend_on_the_order_of_what_is_given() -> None:
    places = [f"{aisle}/{bay}" for aisle in range(12) for bay in range(12)]
    there, back = walked(*places, is_serpentine=True), walked(*places[::-1], is_serpentine=True)
    assert there == back
    assert len(there) == len(places)


def test_an_area_is_the_beginning_of_a_place_by_whole_parts() -> None:
    assert hangs_in("3/2/1", "3")
    assert hangs_in("3/2", "3/2")
    assert not hangs_in("31/2", "3")
    assert not hangs_in(None, "3")


def test_words_of_another_system_are_a_place_with_that_aisle() -> None:
    assert read_place("Aisle 3, low").aisle == "Aisle 3, low"
    assert read_place("1/2/3/4/5").position == "4/5"
    assert natural("Aisle 2") < natural("Aisle 10")


def test_a_place_is_kept_without_blanks_and_without_slashes_behind() -> None:
    assert check_place(" 3 / 2 /", "") == "3/2"
    assert read_place("3/2/4/11").text == "3/2/4/11"


@pytest.mark.parametrize("text", ["", "/", "3//1", "/3", "1/2/3/4/5", "x" * (PLACE_LONGEST + 1)])
def test_what_is_no_place_is_refused(text: str) -> None:
    with pytest.raises(InvalidInput):
        check_place(text, "/place")
