"""Display models as the API and the commands write them."""

from typing import Any

from esl.domain.panel import Panel


def facts_of(panel: Panel) -> dict[str, Any]:
    """Return everything known of a model, for JSON."""
    colours = [ink.name.lower() for ink in panel.inks]
    nominal = set(panel.nominal)
    if "active_mm" in nominal:
        nominal = nominal - {"active_mm"} | {"width_mm", "height_mm"}
    if not panel.measured:
        nominal.add("ink_rgb")
    return {
        "id": panel.panel_id,
        "name": panel.name,
        "inks": colours,
        "width_px": panel.width_px,
        "height_px": panel.height_px,
        "dpi": panel.dpi,
        "width_mm": round(panel.width_mm, 2),
        "height_mm": round(panel.height_mm, 2),
        "ink_rgb": {c: list(panel.ink_rgb[i]) for c, i in zip(colours, panel.inks, strict=True)},
        "measured": panel.measured,
        "codes": dict(zip(colours, panel.codes, strict=True)),
        "encoding": panel.encoding.value,
        "planes": panel.planes,
        "turn": panel.turn,
        "row_padding": panel.row_padding.value,
        "padding": panel.padding.name.lower(),
        "frame_bytes": panel.frame_bytes,
        "refresh_s": panel.refresh_s,
        "slots": panel.slots,
        "zlib_window_bits": panel.zlib_window_bits,
        "maker": panel.maker,
        "controller": panel.controller,
        "source": panel.source,
        "nominal": sorted(nominal),
    }
