"""Which products a file has in several rows, found without keeping the products.

The first pass notes 38 bits of a hash a row, 6 of them by where they stand; sorted, equal ones
stand side by side, and only those are kept: a million rows cost 4 MB for as long as the pass takes,
and two of their products are alike by chance. Such wait for each other, and are told apart when
their rows come.
"""

from array import array
from bisect import bisect_left

_BUCKET_BITS = 6
_BUCKETS = 1 << _BUCKET_BITS
_KEPT = 2**32 - 1
_MOST_COUNTED = 2**31 - 1
_OPEN, _DONE, _PUT_OFF = 0, 1, 2


class Noted:
    """Hashes of the rows read so far."""

    def __init__(self) -> None:
        self._buckets = [array("I") for _ in range(_BUCKETS)]

    def add(self, key: object) -> None:
        """Note a row by whatever names its product."""
        number = hash(key)
        self._buckets[number & (_BUCKETS - 1)].append(number >> _BUCKET_BITS & _KEPT)

    def find_repeats(self) -> "Repeats":
        """Return what was noted more than once, and forget the rest."""
        repeated: list[array[int]] = []
        counts: list[array[int]] = []
        for at, bucket in enumerate(self._buckets):
            numbers, times = array("I"), array("i")
            run, before = 0, None
            for number in sorted(bucket):
                if number == before:
                    run += 1
                    if run == 2:  # noqa: PLR2004  the second time is what makes it repeated
                        numbers.append(number)
                        times.append(2)
                    else:
                        times[-1] = min(run, _MOST_COUNTED)
                else:
                    before, run = number, 1
            repeated.append(numbers)
            counts.append(times)
            self._buckets[at] = array("I")
        return Repeats(repeated, counts)


class Repeats:
    """The products with several rows, by hash, and how many rows each has."""

    def __init__(self, numbers: "list[array[int]]", counts: "list[array[int]]") -> None:
        self._numbers = numbers
        self._counts = counts
        self._states = [bytearray(len(bucket)) for bucket in numbers]
        self.count = sum(map(len, numbers))

    def find(self, key: object) -> tuple[int, int] | None:
        """Return the place of a repeated product; None for one with a single row."""
        number = hash(key)
        bucket, number = number & (_BUCKETS - 1), number >> _BUCKET_BITS & _KEPT
        numbers = self._numbers[bucket]
        at = bisect_left(numbers, number)
        if at < len(numbers) and numbers[at] == number:
            return bucket, at
        return None

    def rows_of(self, place: tuple[int, int]) -> int:
        """Return how many rows the product at a place has."""
        return self._counts[place[0]][place[1]]

    def is_open(self, place: tuple[int, int]) -> bool:
        """Say whether the product was neither handed on nor put off in this pass."""
        return self._states[place[0]][place[1]] == _OPEN

    def set_done(self, place: tuple[int, int]) -> None:
        """Note that the product was handed on."""
        self._states[place[0]][place[1]] = _DONE

    def put_off(self, place: tuple[int, int]) -> None:
        """Leave the product, with all of its rows, for another pass."""
        self._states[place[0]][place[1]] = _PUT_OFF

    def begin_pass(self) -> None:
        """Take up again what was put off."""
        for at, states in enumerate(self._states):
            self._states[at] = states.replace(bytes([_PUT_OFF]), bytes([_OPEN]))
