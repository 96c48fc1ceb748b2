"""The built-in icons as shapes, drawn for this project, on a grid of 48 by 48 units.

They must still be told apart at 12 px, where a pixel is 4 units: so few, bold shapes, gaps of at
least 4 units, and nothing that only colour or grey would explain.
"""

from renderer.pictures.shapes import Disc, Fill, Ring, Shape, Stroke

_EAR = (
    Stroke("M24 46 L24 14", 3),
    Fill("M24 2 C30 7 30 13 24 18 C18 13 18 7 24 2 Z"),
    Fill("M23 25 C14 25 10 20 10 13 C18 13 23 17 23 25 Z"),
    Fill("M25 25 C34 25 38 20 38 13 C30 13 25 17 25 25 Z"),
    Fill("M23 37 C14 37 10 32 10 25 C18 25 23 29 23 37 Z"),
    Fill("M25 37 C34 37 38 32 38 25 C30 25 25 29 25 37 Z"),
)

ICON_SHAPES: dict[str, tuple[Shape, ...]] = {
    "age-18": (
        Ring(24, 24, 20.5, 5),
        Stroke("M12.5 19 L16 16 L16 32", 4.5),
        Ring(29, 20, 3.6, 4),
        Ring(29, 28.5, 4.4, 4),
    ),
    "apple": (
        Fill(
            "M24 16 C30 11 44 11 44 26 C44 38 34 48 28 46 C25 45 23 45 20 46 C14 48 4 38 4 26 "
            "C4 11 18 11 24 16 Z"
        ),
        Stroke("M24 17 L22 5", 3.6),
        Fill("M26 11 C27 5 31 3 39 4 C38 10 34 13 26 11 Z"),
    ),
    "arrow-down": (Fill("M18 3 L30 3 L30 24 L43 24 L24 45 L5 24 L18 24 Z"),),
    "arrow-left": (Fill("M45 18 L45 30 L24 30 L24 43 L3 24 L24 5 L24 18 Z"),),
    "arrow-right": (Fill("M3 18 L3 30 L24 30 L24 43 L45 24 L24 5 L24 18 Z"),),
    "arrow-up": (Fill("M18 45 L30 45 L30 24 L43 24 L24 3 L5 24 L18 24 Z"),),
    "basket": (
        Fill("M2 19 L46 19 L41 44 L7 44 Z"),
        Stroke("M10 19 L19 4", 4),
        Stroke("M38 19 L29 4", 4),
        Stroke("M16 26 L17 37", 4, clear=True),
        Stroke("M24 26 L24 37", 4, clear=True),
        Stroke("M32 26 L31 37", 4, clear=True),
    ),
    "bottle": (
        Fill("M19 2 L29 2 L29 14 C34 17 35 20 35 25 L35 46 L13 46 L13 25 C13 20 14 17 19 14 Z"),
        Stroke("M13 26 L35 26", 3, clear=True),
        Stroke("M13 38 L35 38", 3, clear=True),
    ),
    "burst": (
        Fill(
            "M24 1 L28.4 7.6 L35.5 4.1 L36 12 L43.9 12.5 L40.4 19.6 L47 24 L40.4 28.4 L43.9 35.5 "
            "L36 36 L35.5 43.9 L28.4 40.4 L24 47 L19.6 40.4 L12.5 43.9 L12 36 L4.1 35.5 L7.6 28.4 "
            "L1 24 L7.6 19.6 L4.1 12.5 L12 12 L12.5 4.1 L19.6 7.6 Z"
        ),
        Stroke("M24 13 L24 26", 5.5, clear=True),
        Disc(24, 35, 3.2, clear=True),
    ),
    "card": (
        Fill("M2 9 L46 9 L46 39 L2 39 Z"),
        Fill("M2 15 L46 15 L46 21 L2 21 Z", clear=True),
        Stroke("M9 31 L22 31", 4, clear=True),
    ),
    "check": (Stroke("M6 26 L18 38 L42 10", 8),),
    "chili": (
        Fill("M29 15 C38 13 42 18 39 25 C34 38 20 45 4 43 C17 38 22 30 24 21 C25 18 26 16 29 15 Z"),
        Stroke("M34 14 C34 9 37 6 42 4", 4),
    ),
    "clock": (Ring(24, 24, 19.5, 5), Stroke("M24 12 L24 25 L33 31", 4.5)),
    "cross": (Stroke("M9 9 L39 39", 8), Stroke("M39 9 L9 39", 8)),
    "deposit": (
        Fill("M21 10 L27 10 L27 17 C31 20 31 22 31 25 L31 38 L17 38 L17 25 C17 22 17 20 21 17 Z"),
        Stroke("M14 42 C2 36 -1 22 7 12", 4),
        Fill("M15 4 L14 19 L1 12 Z"),
        Stroke("M34 6 C46 12 49 26 41 36", 4),
        Fill("M33 44 L34 29 L47 36 Z"),
    ),
    "fish": (
        Fill("M2 24 C8 12 24 8 34 21 L46 11 L43 24 L46 37 L34 27 C24 40 8 36 2 24 Z"),
        Disc(12, 21.5, 2.8, clear=True),
    ),
    "frozen": (
        Stroke("M24 2 L24 46 M17.5 5 L24 11.5 L30.5 5 M30.5 43 L24 36.5 L17.5 43", 3.4),
        Stroke(
            "M4.9 13 L43.1 35 M37.2 8.9 L34.8 17.8 L43.7 20.1 M43.7 27.9 L34.8 30.2 L37.2 39.1", 3.4
        ),
        Stroke(
            "M43.1 13 L4.9 35 M10.8 39.1 L13.2 30.3 L4.3 27.9 M4.3 20.1 L13.2 17.8 L10.8 8.9", 3.4
        ),
    ),
    "gift": (
        Fill("M3 15 L45 15 L45 24 L3 24 Z"),
        Fill("M6 27 L42 27 L42 46 L6 46 Z"),
        Stroke("M24 15 L24 46", 5, clear=True),
        Stroke("M24 13 C18 0 8 2 11 9 C13 13 19 14 24 14", 3.6),
        Stroke("M24 13 C30 0 40 2 37 9 C35 13 29 14 24 14", 3.6),
    ),
    "gluten-free": (
        *_EAR,
        Stroke("M5 43 L43 5", 9, clear=True),
        Stroke("M5 43 L43 5", 4.2),
    ),
    "heart": (
        Fill("M24 45 C10 34 2 26 2 16 C2 4 18 0 24 12 C30 0 46 4 46 16 C46 26 38 34 24 45 Z"),
    ),
    "info": (
        Disc(24, 24, 22),
        Disc(24, 13.5, 3.4, clear=True),
        Stroke("M24 23 L24 35", 6, clear=True),
    ),
    "leaf": (
        Fill("M9 39 C3 18 18 5 44 4 C46 32 32 46 13 41 Z"),
        Stroke("M12 38 L33 16", 3.4, clear=True),
        Stroke("M4 46 L12 38", 4),
    ),
    "meat": (
        Fill("M3 20 C5 7 22 1 33 7 C46 13 48 27 37 31 C29 34 29 45 17 45 C6 45 1 32 3 20 Z"),
        Stroke("M10 24 C15 14 24 13 33 17", 4.4, clear=True),
        Stroke("M20 16 C19 24 18 29 18 36", 4.4, clear=True),
    ),
    "milk": (
        Fill("M17 2 L31 2 L31 9 L17 9 Z"),
        Fill("M18 11 L30 11 L36 22 L36 46 L12 46 L12 22 Z"),
        Fill("M16 28 C20 25 24 31 32 27 L32 42 L16 42 Z", clear=True),
    ),
    "percent": (
        Stroke("M38 6 L10 42", 6),
        Ring(12.5, 13, 7, 5.5),
        Ring(35.5, 35, 7, 5.5),
    ),
    "phone": (
        Fill("M12 2 L36 2 L36 46 L12 46 Z"),
        Fill("M16 8 L32 8 L32 36 L16 36 Z", clear=True),
        Disc(24, 41, 2.4, clear=True),
    ),
    "question": (
        Disc(24, 24, 22),
        Stroke("M17 18 C17 9 31 9 31 18 C31 23 24 23 24 29", 5.2, clear=True),
        Disc(24, 36.5, 3.2, clear=True),
    ),
    "scale": (
        Fill("M4 4 L44 4 L38 14 L10 14 Z"),
        Fill("M21 12 L27 12 L27 20 L21 20 Z"),
        Fill("M10 18 L38 18 L43 46 L5 46 Z"),
        Disc(24, 32, 9.5, clear=True),
        Stroke("M24 33 L29 27", 3.4),
    ),
    "star": (
        Fill(
            "M24 2 L29.9 17.6 L46.5 18.4 L33.5 28.8 L37.9 44.8 L24 35.6 L10.1 44.8 L14.5 28.8 "
            "L1.5 18.4 L18.1 17.6 Z"
        ),
    ),
    "tag": (
        Fill("M3 24 L17 8 L46 8 L46 40 L17 40 Z"),
        Disc(16.5, 24, 4.4, clear=True),
    ),
    "truck": (
        Fill("M1 9 L28 9 L28 35 L1 35 Z"),
        Fill("M31 17 L40 17 L47 26 L47 35 L31 35 Z"),
        Fill("M34.5 20.5 L39 20.5 L43 26 L34.5 26 Z", clear=True),
        Disc(12, 36, 8, clear=True),
        Disc(12, 36, 5.6),
        Disc(37, 36, 8, clear=True),
        Disc(37, 36, 5.6),
    ),
    "vegan": (
        Ring(24, 24, 20.5, 4.6),
        Stroke("M12 17 L22 35 C24 26 28 20 34 16", 4.6),
        Fill("M26 17 C30 12 35 11 40 13 C39 18 35 22 28 23 Z"),
    ),
    "warning": (
        Fill("M24 2 L47 44 L1 44 Z"),
        Stroke("M24 17 L24 29", 5, clear=True),
        Disc(24, 37, 3, clear=True),
    ),
    "wheat": _EAR,
}
