"""The audit chain's arithmetic, against the words of RFC 6962 and by hand."""

from collections.abc import Sequence
from hashlib import sha256

import pytest

from esl.domain.chain import (
    GENESIS,
    Part,
    RecordKind,
    block_hash,
    gaps_between,
    leaf_hash,
    read_block,
    root_by_path,
    runs_of,
    tree_path,
    tree_root,
    write_block,
)


def by_the_rfc(leaves: Sequence[bytes]) -> bytes:
    """RFC 6962, 2.1: split at the largest power of two below the number of leaves."""
    if len(leaves) == 1:
        return leaves[0]
    split = 1 << (len(leaves) - 1).bit_length() - 1
    return sha256(b"\x01" + by_the_rfc(leaves[:split]) + by_the_rfc(leaves[split:])).digest()


@pytest.mark.parametrize("size", [*range(1, 34), 100, 1023])
@pytest.mark.asvs("11.4.3")
def test_every_leaf_leads_to_the_root_of_the_rfc(size: int) -> None:
    leaves = [leaf_hash(b"%d" % n) for n in range(size)]
    root = by_the_rfc(leaves)
    assert tree_root(leaves) == root
    for place in range(size):
        path = tree_path(leaves, place)
        assert root_by_path(leaves[place], path) == root
        assert len(path) <= (size - 1).bit_length()
        if size > 1:
            assert root_by_path(leaf_hash(b"another"), path) != root


def test_a_leaf_is_no_node() -> None:
    """Or two hashes side by side could be called a record."""
    one, other = leaf_hash(b"1"), leaf_hash(b"2")
    assert leaf_hash(one + other) != tree_root([one, other])


def test_a_block_is_written_in_one_way_only() -> None:
    part = Part(
        kind=RecordKind.PRICE,
        version=1,
        runs=((1, 3), (5, 5)),
        count=4,
        oldest="2026-01-01 12:00:00.000000",
        newest="2026-01-01 12:00:01.000000",
        root="ab" * 32,
    )
    block = write_block(7, "2026-01-01 12:00:02.000000", [part])
    assert block.content == (
        '[7,"2026-01-01 12:00:02.000000",[[2,1,[[1,3],[5,5]],4,"2026-01-01 12:00:00.000000",'
        f'"2026-01-01 12:00:01.000000","{"ab" * 32}"]]]'
    )
    assert read_block(block.content) == block
    by_hand = sha256(b"\x01" + GENESIS + block.content.encode()).digest()
    assert block_hash(GENESIS, block.content) == by_hand


@pytest.mark.parametrize(
    "content",
    [
        *("", "null", "7", "{}", "[]", "[1,2]", '[1,"a",3]', '[1,"a",[[9,1,[],0,"","",""]]]'),
        *('[1,"a",[[2,1,[[5,4]],0,"","",""]]]', '[1,"a",[[2,1,[[1,9]],8,"","",""]]]'),
        '[1,"a",[[2,1,[[1,9999999999]],9999999999,"","",""]]]',
        *('[1, "a", []]', '[1.0,"a",[]]x', '["1","a",[[2]]]', "[" * 2000),
    ],
)
def test_what_is_no_block_is_refused(content: str) -> None:
    with pytest.raises(ValueError, match="block"):
        read_block(content)


def test_runs_and_the_gaps_between_them() -> None:
    assert runs_of([]) == ()
    assert runs_of([3, 4, 5, 8, 10, 11]) == ((3, 5), (8, 8), (10, 11))
    assert gaps_between(runs_of([3, 4, 5, 8, 10, 11]), 0) == [(1, 2), (6, 7), (9, 9)]
    assert gaps_between([], 5) == []
