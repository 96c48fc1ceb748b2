"""One label as a first version would draw it: the yardstick of the drawing figures.

RGB with fonts opened anew, a QR code with full mask search and a bar code picture, then quantised
and packed by a Python loop. Nothing in it is slowed down on purpose, and nothing is kept from one
label to the next.
"""

from dataclasses import dataclass
from importlib import resources

import qrcode
import zxingcpp
from PIL import Image, ImageDraw, ImageFont

SIZE_PX = (296, 128)
_FONTS = resources.files("renderer") / "fonts"
_BOLD = str(_FONTS / "RobotoCondensed-Bold.ttf")
_REGULAR = str(_FONTS / "RobotoCondensed-Regular.ttf")
_BLACK, _WHITE, _YELLOW, _RED = (0, 0, 0), (255, 255, 255), (255, 255, 0), (255, 0, 0)
_PALETTE = Image.new("P", (1, 1))
_PALETTE.putpalette([part for ink in (_BLACK, _WHITE, _YELLOW, _RED) for part in ink] + [0] * 756)


@dataclass(frozen=True)
class NaiveLabel:
    """What one label says."""

    label_id: str
    sku: str
    name: str
    price_minor: int
    was_minor: int
    unit_price: str
    badge: str
    gtin: str
    link: str


def render(label: NaiveLabel, size_px: tuple[int, int] = SIZE_PX) -> bytes:
    """Draw, quantise and pack one label; other sizes scale what 296x128 has."""
    width, height = size_px
    x, y = width / SIZE_PX[0], height / SIZE_PX[1]
    letters = min(x, y)
    module_px = max(int(letters), 1)
    image = Image.new("RGB", size_px, "white")
    draw = ImageDraw.Draw(image)
    draw.rectangle((0, 0, width - 1, round(20 * y) - 1), fill=_RED)
    badge_font = ImageFont.truetype(_BOLD, round(14 * letters))
    draw.text((width // 2, 10 * y), label.badge, font=badge_font, fill="white", anchor="mm")
    _draw_name(draw, label.name, x, y)
    old = f"{label.was_minor / 100:.2f} €"
    old_font = ImageFont.truetype(_REGULAR, round(15 * letters))
    draw.text((6 * x, 80 * y), old, font=old_font, fill="black", anchor="ls")
    end = 6 * x + draw.textlength(old, font=old_font)
    draw.line((6 * x, 75 * y, end, 75 * y), fill=_RED, width=1)
    price_font = ImageFont.truetype(_BOLD, round(44 * letters))
    price = f"{label.price_minor / 100:.2f} €"
    draw.text((4 * x, 122 * y), price, font=price_font, fill=_RED, anchor="ls")
    unit_font = ImageFont.truetype(_REGULAR, round(11 * letters))
    draw.text((112 * x, 94 * y), label.unit_price, font=unit_font, fill="black", anchor="ls")
    code = qrcode.QRCode(
        error_correction=qrcode.constants.ERROR_CORRECT_M, border=0, box_size=2 * module_px
    )
    code.add_data(label.link)
    code.make(fit=True)
    image.paste(code.make_image().convert("RGB"), (round(224 * x), round(24 * y)))
    barcode = zxingcpp.create_barcode(label.gtin, zxingcpp.BarcodeFormat.EAN13)
    bars = Image.fromarray(barcode.to_image(scale=3)).convert("RGB")
    image.paste(
        bars.resize((95 * module_px, round(24 * y)), Image.Resampling.NEAREST),
        (round(192 * x), round(102 * y)),
    )
    return _pack(image.quantize(palette=_PALETTE, dither=Image.Dither.NONE))


def _draw_name(draw: ImageDraw.ImageDraw, name: str, x: float, y: float) -> None:
    words = name.split()
    for points in range(17, 8, -1):
        size = round(points * min(x, y))
        font = ImageFont.truetype(_BOLD, size)
        for split in range(len(words), 0, -1):
            lines = [" ".join(words[:split]), " ".join(words[split:])]
            if all(draw.textlength(line, font=font) <= 206 * x for line in lines):
                draw.text((4 * x, 23 * y), lines[0], font=font, fill="black")
                draw.text((4 * x, 23 * y + size + 2), lines[1], font=font, fill="black")
                return


def _pack(image: Image.Image) -> bytes:
    pixels = image.tobytes()
    pixels += bytes(-len(pixels) % 4)
    packed = bytearray()
    for i in range(0, len(pixels), 4):
        packed.append(pixels[i] << 6 | pixels[i + 1] << 4 | pixels[i + 2] << 2 | pixels[i + 3])
    return bytes(packed)
