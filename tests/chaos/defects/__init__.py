"""Defects that are planted on purpose: a suite that catches none of them proves nothing.

A defect is a patch of product, simulator or driving code that lasts for one run; never a switch
in the product. ``caught_by`` names the invariants of which one must be found violated.
"""

from tests.chaos.defects import answers, moments, office, promotions, reports, sending, shelf
from tests.chaos.defects.defect import Defect

DEFECTS: dict[str, Defect] = {
    defect.name: defect
    for module in (answers, sending, reports, shelf, moments, promotions, office)
    for defect in module.DEFECTS
}
"""All of them, by name."""
