"""``python -m tests.proof.frames --frames 10000 --json``: prove labels by chance, and count.

Every template of the gallery takes part, and one that uses every option of the language; and every
panel model: the first labels go through them in turn, later ones choose smaller glass more often,
because it is harder and cheaper.
"""

import argparse
import collections
import json
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from random import Random

from esl.domain.errors import RenderRefused
from esl.domain.face import Face
from esl.domain.panel import Panel
from renderer.template.gallery import load_gallery
from renderer.template.template import Template, parse_template
from tests.panels import PANELS
from tests.proof.checks import Broken, Prover
from tests.proof.faces import make_face

_SMALL_PX = 40_000
_EVERY_OPTION = Path(__file__).with_name("every_option.yaml")


@dataclass(slots=True)
class Tally:
    """What came out."""

    frames: int = 0
    codes: collections.Counter[str] = field(default_factory=collections.Counter)
    panels: collections.Counter[str] = field(default_factory=collections.Counter)
    templates: collections.Counter[str] = field(default_factory=collections.Counter)
    refused: collections.Counter[str] = field(default_factory=collections.Counter)
    broken: list[str] = field(default_factory=list)


def labels(seed: int) -> Iterator[tuple[int, Face, Panel, Template]]:
    """Make labels without end, each with the number that names it."""
    panels = list(PANELS.values())
    templates = [*load_gallery().values(), parse_template(_EVERY_OPTION.read_text("utf-8"))]
    weights = [1 / max(panel.width_px * panel.height_px, _SMALL_PX) for panel in panels]
    number = 0
    while True:
        random = Random(f"{seed}/{number}")
        in_turn = number < len(panels)
        panel = panels[number] if in_turn else random.choices(panels, weights)[0]
        template = templates[number % len(templates)]
        yield number, make_face(random, products=template.file.products), panel, template
        number += 1


def prove_frames(frames: int, seed: int, prover: Prover) -> Tally:
    """Prove labels until so many were drawn; refused ones come on top."""
    tally = Tally()
    for number, face, panel, template in labels(seed):
        if tally.frames >= frames:
            break
        try:
            result = prover.prove(face, panel, template)
        except Broken as exc:
            tally.broken.append(f"{seed}/{number} {template.file.name} {panel.panel_id}: {exc}")
            continue
        if isinstance(result, RenderRefused):
            tally.refused[result.code] += 1
            continue
        tally.frames += 1
        tally.panels[panel.panel_id] += 1
        tally.templates[template.file.name] += 1
        tally.codes.update(code.symbology for code in result.codes)
    return tally


def main() -> None:
    """Prove, print, and fail if anything was broken."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--frames", type=int, default=2000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--json", action="store_true")
    arguments = parser.parse_args()
    began_s = time.process_time()
    tally = prove_frames(arguments.frames, arguments.seed, Prover())
    facts = {
        "frames": tally.frames,
        "seed": arguments.seed,
        "broken": len(tally.broken),
        "codes_decoded": dict(tally.codes.most_common()),
        "panels": len(tally.panels),
        "templates": dict(tally.templates.most_common()),
        "refused": dict(tally.refused.most_common()),
        "cpu_s": round(time.process_time() - began_s, 1),
    }
    lines = [json.dumps(facts)] if arguments.json else [f"{k:<14}{v}" for k, v in facts.items()]
    sys.stdout.write("\n".join([*lines, ""]))
    sys.stderr.write("".join(f"{line}\n" for line in tally.broken))
    sys.exit(bool(tally.broken))


if __name__ == "__main__":
    main()
