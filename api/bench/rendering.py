"""How many labels one core draws: everything new, and only prices new.

    cold   every product is new to the renderer: name, bar code and QR code are drawn
    warm   the same products at other prices: their layers are kept, the prices are drawn

Both are counted in labels per second of this process's CPU, and in blocks, so that whoever
compares can let others run in between. No picture is ever drawn twice: pictures that repeat end
the run, for they would have measured a cache.
"""

import statistics
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field

from api.bench.naive import NaiveLabel
from api.bench.naive import render as render_naively
from api.bench.products import BenchProduct
from esl.domain.digital_link import digital_link
from esl.domain.errors import RenderRefused
from esl.domain.face import Face, Unit
from esl.domain.panel import Panel
from gateway.pictures import deflate
from renderer.codes.read_back import check_codes, decode_codes
from renderer.frame import Frame
from renderer.render import Renderer
from renderer.template.template import Template

WARM_UP = 1000
"""Products that a run draws first and does not count: glyphs, QR tables and the sizes that prices
of each length fit are learned once in a process's life, in less than half a second."""

WARM_PAIRS = 10_000
"""Least number of (product, price) pairs that a warm figure is made of."""

LAYER_MEMORY_BYTES = 160 * 2**20
"""Most that the kept layers of a run may take; on large panels it has fewer products and more
prices of each."""

BLOCKS = 5
NAIVE_BLOCK = 30
_READ_BACK = 200
_DECODED = 50
_LOWEST_MINOR, _PRICES = 105, 9895  # 1.05 to 99.99


@dataclass(frozen=True, slots=True, kw_only=True)
class RenderFigures:
    """What a run on one panel measured."""

    panel: str
    template: str
    cold_labels_per_s: float
    warm_labels_per_s: float
    naive_labels_per_s: float | None
    read_back_ms: float  # one `check_codes`
    decode_ms: float  # one `decode_codes`
    bytes_zlib: int
    products: int
    warm_pairs: int
    refused: int  # labels that the template cannot show
    real_names: bool

    def as_json(self) -> dict[str, object]:
        """Return the figures for a line of JSON, rounded to what they are worth."""
        figures: dict[str, object] = {
            "panel": self.panel,
            "template": self.template,
            "cold_labels_per_s": round(self.cold_labels_per_s),
            "warm_labels_per_s": round(self.warm_labels_per_s),
            "read_back_ms": round(self.read_back_ms, 3),
            "decode_ms": round(self.decode_ms, 2),
            "bytes_zlib": self.bytes_zlib,
            "products": self.products,
            "warm_pairs": self.warm_pairs,
            "names": "real" if self.real_names else "invented",
        }
        if self.refused:
            figures["refused"] = self.refused
        if self.naive_labels_per_s is not None:
            figures |= {
                "naive_labels_per_s": round(self.naive_labels_per_s, 1),
                "cold_ratio": round(self.cold_labels_per_s / self.naive_labels_per_s, 1),
                "warm_ratio": round(self.warm_labels_per_s / self.naive_labels_per_s, 1),
            }
        return figures


@dataclass(slots=True, kw_only=True)
class RenderRun:
    """One renderer, panel and template, and products it has not seen yet."""

    panel: Panel
    template: Template
    products: Sequence[BenchProduct]  # the first `WARM_UP` are not counted
    link: Callable[[str], str] = digital_link  # from GTIN to what the QR code says
    renderer: Renderer = field(default_factory=Renderer)
    digests: set[str] = field(default_factory=set)
    frames: list[Frame] = field(default_factory=list)  # some, for what comes after drawing
    drawn: int = 0
    refused: int = 0

    def warm_up(self) -> None:
        """Let the renderer learn glyphs and tables, with products that are not drawn later."""
        for number, product in enumerate(self.products[:WARM_UP]):
            with suppress(RenderRefused):
                self.renderer.render(self._face(product, number, 0), self.panel, self.template)

    @property
    def counted(self) -> Sequence[BenchProduct]:
        """The products that are counted; no more of them than the layers' memory allows."""
        layer_bytes = self.panel.width_px * self.panel.height_px // 4
        return self.products[WARM_UP:][: LAYER_MEMORY_BYTES // layer_bytes]

    @property
    def prices(self) -> int:
        """How many prices each product gets after its first."""
        return -(-WARM_PAIRS // len(self.counted))

    def cold_blocks(self, count: int = BLOCKS) -> list[Callable[[], float]]:
        """Divide the first drawing of every product into blocks; each returns labels a second."""
        return self._blocks(list(enumerate(self.counted)), 0, count)

    def warm_blocks(self) -> list[Callable[[], float]]:
        """Divide the drawing of all later prices into as many blocks."""
        numbered = list(enumerate(self.counted))
        each = -(-BLOCKS // self.prices)
        return [
            block
            for price in range(1, self.prices + 1)
            for block in self._blocks(numbered, price, each)
        ]

    def check_distinct(self) -> None:
        """Make sure that every picture was a new one.

        Raises:
            ValueError: Pictures repeat, or hardly any label could be drawn.
        """
        if self.drawn < self.refused:
            raise ValueError(
                f"{self.refused} labels were refused: this panel needs another template"
            )
        if len(self.digests) != self.drawn:
            raise ValueError(
                f"{self.drawn - len(self.digests)} of {self.drawn} pictures repeat: "
                "this measured a cache"
            )

    def _blocks(
        self, numbered: list[tuple[int, BenchProduct]], price: int, count: int
    ) -> list[Callable[[], float]]:
        size = -(-len(numbered) // count)
        parts = [numbered[start : start + size] for start in range(0, len(numbered), size)]
        return [lambda part=part: self._draw(part, price) for part in parts]  # type: ignore[misc]

    def _draw(self, numbered: list[tuple[int, BenchProduct]], price: int) -> float:
        faces = [self._face(product, number, price) for number, product in numbered]
        render, panel, template = self.renderer.render, self.panel, self.template
        began_s = time.process_time()
        frames = []
        for face in faces:
            try:
                frames.append(render(face, panel, template))
            except RenderRefused:
                self.refused += 1
        took_s = time.process_time() - began_s
        self.drawn += len(frames)
        self.digests.update(frame.digest for frame in frames)
        self.frames += frames[:: max(len(frames) * BLOCKS // _READ_BACK, 1)]
        return len(frames) / took_s if frames else 0.0

    def _face(self, product: BenchProduct, number: int, price: int) -> Face:
        return make_face(product, number, price, link=self.link(product.gtin))


def make_face(product: BenchProduct, number: int, price: int, *, link: str | None = None) -> Face:
    """Make a full promotion label: band, two prices, unit price, content, EAN-13 and QR.

    ``price`` counts the prices a product has had; each is another amount.
    """
    minor = _LOWEST_MINOR + (number * 37 + price * 1013) % _PRICES
    return Face(
        name=product.name,
        price_minor=minor,
        was_minor=minor * 5 // 4
        + number % 100,  # at least a fifth off: the reduction is always shown
        currency="EUR",
        locale="hr_HR",
        badge="AKCIJA",
        net_content=product.net_content,
        unit_price_minor=minor * 2,
        unit=Unit.KILOGRAM,
        gtin=product.gtin,
        link=link or digital_link(product.gtin),
    )


def make_naive_label(product: BenchProduct, number: int) -> NaiveLabel:
    """Make the same kind of label for the straightforward way."""
    face = make_face(product, number, 0)
    return NaiveLabel(
        label_id=f"l{number}",
        sku=f"{number:06d}",
        name=face.name,
        price_minor=face.price_minor or 0,
        was_minor=face.was_minor or 0,
        unit_price=f"1 kg = {(face.unit_price_minor or 0) / 100:.2f} €",
        badge=face.badge or "",
        gtin=product.gtin,
        link=face.link or "",
    )


def rate_naive(products: Sequence[BenchProduct], panel: Panel) -> float:
    """Return how many labels the straightforward way draws in a second of CPU."""
    labels = [make_naive_label(product, number) for number, product in enumerate(products)]
    began_s = time.process_time()
    for label in labels:
        render_naively(label, (panel.width_px, panel.height_px))
    return len(labels) / (time.process_time() - began_s)


def measure_render(
    panel: Panel,
    template: Template,
    products: Sequence[BenchProduct],
    *,
    real_names: bool,
    naive: bool,
) -> RenderFigures:
    """Measure drawing on one panel, naive blocks between ours if asked.

    Raises:
        ValueError: Pictures repeat, or hardly any label could be drawn.
    """
    run = RenderRun(panel=panel, template=template, products=products)
    run.warm_up()
    cold: list[float] = []
    straight: list[float] = []
    for number, block in enumerate(run.cold_blocks()):
        if naive:
            start = number * NAIVE_BLOCK
            straight.append(rate_naive(products[start : start + NAIVE_BLOCK], panel))
        cold.append(block())
    warm = [block() for block in run.warm_blocks()]
    run.check_distinct()
    frames = run.frames[:_READ_BACK]
    return RenderFigures(
        panel=panel.panel_id,
        template=template.file.name,
        cold_labels_per_s=statistics.median(cold),
        warm_labels_per_s=statistics.median(warm),
        naive_labels_per_s=statistics.median(straight) if straight else None,
        read_back_ms=_median_ms(lambda f: check_codes(f.pixels, panel, f.codes), frames),
        decode_ms=_median_ms(lambda f: decode_codes(f.pixels, panel, f.codes), frames[:_DECODED]),
        bytes_zlib=round(statistics.median(len(deflate(f.pixels, panel)) for f in frames)),
        products=len(run.counted),
        warm_pairs=run.drawn - len(run.counted),
        refused=run.refused,
        real_names=real_names,
    )


def _median_ms(act: Callable[[Frame], None], frames: Sequence[Frame]) -> float:
    took = []
    for frame in frames:
        began_s = time.process_time()
        act(frame)
        took.append((time.process_time() - began_s) * 1000)
    return statistics.median(took)
