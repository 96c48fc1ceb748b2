"""The panel models that come with the project, for tests."""

from esl.domain.ids import PanelId
from esl.domain.panel import Panels
from esl.domain.panel_file import load_panels

PANELS = load_panels()

FIRST_PANELS = Panels(
    PANELS[PanelId(name)] for name in ("bwry-296x128", "bwry-250x122", "bwry-400x300")
)
"""Three sizes that differ in shape and resolution, where all models would take too long."""
