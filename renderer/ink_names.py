"""Which ink of a panel a template's colour name means.

What a panel lacks is replaced so that dark stays dark and light stays light:

========== ===================================================== ==================
name       means                                                 where there is none
========== ===================================================== ==================
red        red                                                   black
yellow     yellow                                                white
accent     the most striking ink for areas: red, else yellow     black
on_accent  what reads best on it: white, on yellow black         white
emphasis   important text on white: red                          black
highlight  areas behind black text: yellow                       white
========== ===================================================== ==================

Yellow is never the ink of text on white: its measured contrast is 1.7 (field notes, standards
C.3), so `emphasis` is black on a black, white and yellow panel.
"""

from esl.domain.panel import Ink, Panel


def find_ink(name: str, panel: Panel) -> Ink:
    """Choose the ink for a colour name of the template language."""
    red, yellow = Ink.RED in panel.inks, Ink.YELLOW in panel.inks
    match name:
        case "white":
            return Ink.WHITE
        case "red" | "emphasis":
            return Ink.RED if red else Ink.BLACK
        case "yellow" | "highlight":
            return Ink.YELLOW if yellow else Ink.WHITE
        case "accent":
            return Ink.RED if red else Ink.YELLOW if yellow else Ink.BLACK
        case "on_accent":
            return Ink.BLACK if yellow and not red else Ink.WHITE
        case _:
            return Ink.BLACK


def find_opposite(ink: Ink) -> Ink:
    """Choose the ink that reads best on another."""
    return Ink.WHITE if ink in (Ink.BLACK, Ink.RED) else Ink.BLACK
