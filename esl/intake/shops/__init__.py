"""Mappings for shop systems and tills that many have: files beside this one, one a system.

They are where a source starts from. Whoever needs another field exports one, changes it and saves
it under a name of their own.
"""

from functools import cache
from importlib.resources import files

from esl.intake.hooks.verifiers import HookKind
from esl.intake.mapping.document import parse_mapping
from esl.intake.mapping.model import Mapping

MAGENTO = "magento"
OWN = "own"

SHOPS = (
    *("shopify", "woocommerce", "bigcommerce", MAGENTO, "odoo", "erpnext"),
    *("square", "clover", "loyverse", "lightspeed", OWN),
)
"""Every mapping there is."""


@cache
def shop_mapping(name: str) -> Mapping:
    """Return one of `SHOPS`."""
    return parse_mapping(shop_mapping_text(name))


def shop_mapping_text(name: str) -> str:
    """Return the document of one of `SHOPS`, with what is to be known about it."""
    return files(__name__).joinpath(f"{name}.yaml").read_text(encoding="utf-8")


def mapping_of_hooks(kind: HookKind) -> str:
    """Name the mapping that reads a system's events unless its source has another."""
    return OWN if kind in {HookKind.GENERIC, HookKind.STANDARD} else kind.value
