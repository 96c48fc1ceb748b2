"""What other makers' drivers send, read into our words; a default mapping beside each reader.

The members that a customer names (SoluM's ``data``, Pricer's ``properties``) are read through a
mapping: that of the registered source, or the one that comes along.
"""

from functools import cache
from importlib.resources import files

from esl.intake.mapping.document import parse_mapping
from esl.intake.mapping.model import Mapping

SOLUM = "solum"
PRICER = "pricer"


@cache
def default_mapping(system: str) -> Mapping:
    """Return the mapping that comes along for `SOLUM` or `PRICER`."""
    return parse_mapping(files(__name__).joinpath(f"{system}.yaml").read_text(encoding="utf-8"))
