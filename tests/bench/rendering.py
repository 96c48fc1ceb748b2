"""How many labels one core draws."""

import time
from collections.abc import Iterable

from esl.domain.face import Face, Unit
from esl.domain.gtin import digital_link
from esl.domain.panel import Panel
from renderer.render import Renderer
from tests.bench import naive
from tests.bench.labels import make_names, naive_labels


def faces(count: int, *, prices_from: int, seed: int) -> list[Face]:
    """Full promotion labels: name in two lines, band, old price, unit price, EAN-13 and QR."""
    return [
        Face(
            name=item["name"],
            price_minor=prices_from + number,
            currency="EUR",
            locale="de_DE",
            was_minor=prices_from + number + 100,
            unit_price_minor=(prices_from + number) * 2,
            unit=Unit.KILOGRAM,
            net_content="500 g",
            badge=item["badge"],
            gtin=item["gtin"],
            link=digital_link(item["gtin"]),
        )
        for number, item in enumerate(make_names([f"{n:06d}" for n in range(count)], seed))
    ]


def rates(panel: Panel, count: int) -> tuple[float, float]:
    """Return labels drawn a second and core: every product new; only prices new."""
    renderer = Renderer()
    for face in faces(50, prices_from=100, seed=99):
        renderer.render(face, panel)  # glyphs and tables are learned once in a process's life
    cold = _rate(renderer, faces(count, prices_from=100, seed=1), panel)
    warm = _rate(renderer, faces(count, prices_from=2000, seed=1), panel)
    return cold, warm


def naive_rate(count: int) -> float:
    """Return labels the straightforward way draws a second."""
    labels = naive_labels(count)
    began_s = time.process_time()
    for label in labels:
        naive.render(label)
    return count / (time.process_time() - began_s)


def _rate(renderer: Renderer, drawn: Iterable[Face], panel: Panel) -> float:
    digests = set()
    began_s = time.process_time()
    for face in drawn:
        digests.add(renderer.render(face, panel).digest)
    took_s = time.process_time() - began_s
    if len(digests) != len(list(drawn)):
        raise ValueError("pictures repeat: this measured a cache")
    return len(digests) / took_s
