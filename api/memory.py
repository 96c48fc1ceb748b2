"""How a process that delivers uses memory: what it asks of the garbage collector and of malloc.

Only whole processes ask for it, at their start.
"""

import contextlib
import ctypes
import gc

COLLECTED_EVERY = (50_000, 10, 10)
"""Thresholds of the collector. A batch makes tens of thousands of objects that end by themselves
with it; with Python's own 700 the collector looked at them hundreds of times in between: 60 µs a
label, against 20 with these (5,000 labels, three rounds)."""

_M_ARENA_MAX = -8  # of glibc's malloc.h


def share_one_heap() -> None:
    """Let all threads share one heap of the C library; to be called before they begin.

    glibc gives each thread its own, and what one of them frees no other takes: with 25,000 labels
    404 MB, and more with each label, against 370 with one. Other C libraries have one anyway.
    """
    with contextlib.suppress(OSError, AttributeError, TypeError):
        ctypes.CDLL(None).mallopt(_M_ARENA_MAX, 1)


def spare_what_stays() -> None:
    """Take what was made so far out of the collector's rounds, and make these rare.

    Modules, schemas and templates are some 250,000 objects that live as long as the process; a
    full round over them stops all threads for 60 ms and more, in the midst of a delivery. None is
    made here first: it takes 0.15 s of a start, and finds nothing.
    """
    gc.freeze()
    gc.set_threshold(*COLLECTED_EVERY)
