"""The panel models of the chaos shop: one with two picture memories, and the same with one."""

from dataclasses import replace

from esl.domain.ids import PanelId
from esl.domain.panel import Panels
from tests.builders import PANEL
from tests.panels import PANELS as _ALL

TWO_SLOTS = _ALL[PANEL]
ONE_SLOT = replace(TWO_SLOTS, panel_id=PanelId("one-slot-296x128"), slots=1)

PANELS = Panels((TWO_SLOTS, ONE_SLOT))
