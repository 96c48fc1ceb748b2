"""The tools all painters of one renderer share: fonts, money, codes, icons."""

from dataclasses import dataclass

from renderer.codes.place import CodeWriter
from renderer.money_text import MoneyWriter
from renderer.pictures.dither import InkedPictures
from renderer.pictures.icons import Icons
from renderer.text.fonts import Fonts


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Kit:
    """Owned by a `Renderer`; each tool has its own bounded caches."""

    fonts: Fonts
    money: MoneyWriter
    codes: CodeWriter
    icons: Icons
    pictures: InkedPictures
