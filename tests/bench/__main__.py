"""``make bench``: print every figure as a line of JSON, with its ratio to the naive road.

The machines are shared and noisy: quote ratios, and CPU per label, before rates.
"""

import argparse
import json
import statistics
import sys
import tempfile
from pathlib import Path

from api.bench.products import find_products
from api.bench.rendering import WARM_UP, measure_render
from api.cli.bench import PANELS
from esl.domain.panel_file import load_panels
from renderer.template.gallery import load_gallery
from tests.bench import naive
from tests.bench.labels import naive_labels
from tests.bench.pipeline import BenchShop, quantiles_ms

_NAIVE_LONGEST_S = 5.0
_SINGLE_CHANGES = 200


def main() -> None:
    """Run the benchmarks named, or all."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--labels", type=int, nargs="*", default=[1000, 10_000])
    parser.add_argument("--products", type=int, default=5200)
    parser.add_argument("--skip-render", action="store_true")
    arguments = parser.parse_args()
    if not arguments.skip_render:
        _bench_render(arguments.products)
    for labels in arguments.labels:
        _bench_pipeline(labels)


def _bench_render(labels: int) -> None:
    panels, template = load_panels(), load_gallery()["promotion"]
    products, real = find_products(WARM_UP + labels, None)
    for name in PANELS:
        figures = measure_render(
            panels.named(name), template, products, real_names=real, naive=True
        )
        _print({"bench": "render"} | figures.as_json())


def _bench_pipeline(labels: int) -> None:
    with tempfile.TemporaryDirectory(prefix="esl-bench-") as folder:
        shop = BenchShop(Path(folder), labels=labels, gateways=max(2, min(20, labels // 100)))
        try:
            figures = shop.measure()
            took_ms = shop.post_to_publish_ms(min(_SINGLE_CHANGES, labels))
            straight = naive.run(
                naive_labels(2000), shop.broker, Path(folder), longest_s=_NAIVE_LONGEST_S
            )
        finally:
            shop.close()
    naive_per_s = straight.labels_per_s
    _print(
        {
            "bench": "pipeline",
            "labels": figures.labels,
            "gateways": figures.gateways,
            "cold_labels_per_s": round(figures.cold_labels_per_s),
            "labels_per_s": round(figures.labels_per_s),
            "cold_cpu_us": round(figures.cold_cpu_us),
            "cpu_us": round(figures.cpu_us),
            "rss_mb": round(figures.rss_mb),
            "naive_labels_per_s": round(naive_per_s, 1),
            "cold_ratio": round(figures.cold_labels_per_s / naive_per_s, 1),
            "ratio": round(figures.labels_per_s / naive_per_s, 1),
        }
    )
    p50_ms, p99_ms = quantiles_ms(took_ms)
    naive_p50_ms = statistics.median(straight.to_publish_s) * 1000
    _print(
        {
            "bench": "post_to_publish",
            "labels": labels,
            "p50_ms": round(p50_ms, 1),
            "p99_ms": round(p99_ms, 1),
            "naive_p50_ms": round(naive_p50_ms, 1),
            "ratio": round(naive_p50_ms / p50_ms, 1),
        }
    )


def _print(figures: dict[str, object]) -> None:
    json.dump(figures, sys.stdout)
    print(flush=True)


if __name__ == "__main__":
    main()
