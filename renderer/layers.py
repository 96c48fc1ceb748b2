"""Finished layers, kept for the next price change.

Where a frame is a squeezed canvas, the first frame with a layer is kept and not the layer: that
one is there already, and what lay below its price layer is known (`renderer.repaint`).
"""

from dataclasses import dataclass
from threading import Lock

from renderer.codes.place import PlacedCode
from renderer.design import Arrangement
from renderer.repaint import Ground


@dataclass(frozen=True, slots=True, eq=False)
class Layer:
    """A canvas at rest, with the codes on it."""

    packed: bytes  # `renderer.packing.squeeze`: two bits a pixel
    codes: tuple[PlacedCode, ...]
    arrangement: Arrangement  # settled: what is painted over it
    grounds: tuple[Ground, ...] = ()  # to be laid over it first, to take off a price layer


class LayerCache:
    """The layers used last, at most ``kept`` of them.

    The key is whatever decides the pixels; `renderer.design` makes it. Safe to use from several
    threads.
    """

    def __init__(self, kept: int) -> None:
        self._kept = kept
        self._layers: dict[object, Layer] = {}
        self._lock = Lock()

    def get(self, key: object) -> Layer | None:
        """Find a layer, and keep it longer."""
        with self._lock:
            layer = self._layers.pop(key, None)
            if layer is not None:
                self._layers[key] = layer
            return layer

    def put(self, key: object, layer: Layer) -> None:
        """Keep a layer; the one not used for longest makes room. A cache of none keeps none."""
        if self._kept < 1:
            return
        with self._lock:
            if key not in self._layers and len(self._layers) >= self._kept:
                del self._layers[next(iter(self._layers))]
            self._layers[key] = layer
