"""Draws labels with odl-renderer when told to; runs in an environment that has it, without ours.

A line of JSON in, a line of JSON out:

    {"stage": "core", "size": [296, 128], "labels": [{"name": …, "bars": "1010…", …}]}
    {"labels_per_cpu_s": 61.2}

=====  ==============================================================================
core   its drawing alone, without event loop and thread: an RGBA picture
pack   its public `generate_image`, nearest of four colours, two bits a pixel packed
=====  ==============================================================================

It has no bar codes: the bars come as modules and go in through its image element. Its QR codes
are always of the highest correction level. Every label has its own, so its QR cache never hits.
"""

import asyncio
import importlib.metadata
import json
import platform
import sys
import time

from epaper_dithering import ColorScheme, DitherMode, dither_image
from odl_renderer import core, generate_image
from opendisplay.encoding.images import encode_2bpp
from PIL import Image

_PACKAGES = ("odl-renderer", "epaper-dithering", "py-opendisplay", "pillow", "qrcode", "numpy")
_BASE = (296, 128)


def main() -> None:
    """Say what runs here, then draw until the input ends."""
    versions = {name: importlib.metadata.version(name) for name in _PACKAGES}
    _say({"python": platform.python_version(), **versions})
    for line in sys.stdin:
        told = json.loads(line)
        draw = _draw_core if told["stage"] == "core" else _draw_packed
        began_s = time.process_time()
        asyncio.run(draw(tuple(told["size"]), told["labels"]))
        _say({"labels_per_cpu_s": len(told["labels"]) / (time.process_time() - began_s)})


async def _draw_core(size: tuple[int, int], labels: list[dict[str, str]]) -> None:
    for label in labels:
        core._render(*size, _elements(size, label), "white", "red", None, None, None, None)


async def _draw_packed(size: tuple[int, int], labels: list[dict[str, str]]) -> None:
    for label in labels:
        image = await generate_image(*size, _elements(size, label))
        encode_2bpp(dither_image(image, ColorScheme.BWRY, mode=DitherMode.NONE))


def _elements(size: tuple[int, int], label: dict[str, str]) -> list[dict[str, object]]:
    """Lay a promotion label out: band, name, two prices, unit price, QR code and bars."""
    width, height = size
    x, y = width / _BASE[0], height / _BASE[1]
    module = int(min(x, y))

    def text(value: str, left: int, top: int, points: int, **more: object) -> dict[str, object]:
        return {
            "type": "text",
            "value": value,
            "x": round(left * x),
            "y": round(top * y),
            "size": round(points * min(x, y)),
            "font": "ppb",
            "color": "black",
            **more,
        }

    rectangle = {
        "type": "rectangle",
        "x_start": 0,
        "y_start": 0,
        "x_end": width - 1,
        "y_end": round(20 * y),
        "fill": "red",
        "outline": "red",
        "width": 1,
    }
    strike = {
        "type": "line",
        "x_start": round(4 * x),
        "y_start": round(72 * y),
        "x_end": round(50 * x),
        "y_end": round(66 * y),
        "fill": "red",
        "width": 1,
    }
    code = {
        "type": "qrcode",
        "data": label["link"],
        "x": round(214 * x),
        "y": round(22 * y),
        "boxsize": 2 * module,
        "border": 1,
        "color": "black",
        "bgcolor": "white",
    }
    bars = _bars(label["bars"], module, round(22 * y))
    image = {
        "type": "dlimg",
        "url": bars,
        "x": round(192 * x),
        "y": round(104 * y),
        "xsize": bars.width,
        "ysize": bars.height,
    }
    return [
        rectangle,
        text(label["badge"], 6, 3, 14, color="white"),
        text(label["percent"], 250, 3, 14, color="white"),
        text(label["name"], 4, 24, 15, max_width=round(206 * x), spacing=2),
        text(label["was"], 4, 62, 14),
        strike,
        text(label["price"], 4, 78, 34, color="red"),
        text(label["unit_price"], 4, 114, 11),
        code,
        image,
    ]


def _bars(modules: str, module_px: int, height_px: int) -> Image.Image:
    row = Image.new("1", (len(modules), 1), 1)
    row.putdata([0 if bar == "1" else 255 for bar in modules])
    wide = row.resize((len(modules) * module_px, height_px), Image.Resampling.NEAREST)
    return wide.convert("RGBA")


def _say(facts: dict[str, object]) -> None:
    print(json.dumps(facts), flush=True)


if __name__ == "__main__":
    main()
