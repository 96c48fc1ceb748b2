"""When a price inspection is passed: at most two wrong prices in a hundred.

Source: NIST Handbook 130, Examination Procedure for Price Verification: 98 % accuracy.
"""

from typing import Final

RIGHT_AT_LEAST_PERCENT: Final = 98


def passes_inspection(items: int, wrong: int) -> bool:
    """Say whether a sample of ``items`` with ``wrong`` prices passes.

    Raises:
        ValueError: No items, or more wrong ones than there are.
    """
    if items < 1 or not 0 <= wrong <= items:
        raise ValueError(f"{wrong} of {items} items can't be wrong")
    return (items - wrong) * 100 >= RIGHT_AT_LEAST_PERCENT * items
