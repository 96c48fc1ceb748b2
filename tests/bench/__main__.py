"""``make bench``: print every figure as a line of JSON, with its ratio to the naive road.

The machines are shared and noisy: quote ratios, and CPU per label, before rates.
"""

import argparse
import json
import statistics
import sys
import tempfile
from pathlib import Path

from api.bench.intake import IntakeSize, measure_intake
from api.bench.latency import post_to_publish_ms
from api.bench.measure import measure_pipeline, run_naive_road
from api.bench.pipeline import PipelineShop
from api.bench.products import find_products
from api.bench.rendering import WARM_UP, measure_render
from api.cli.bench import PANELS
from esl.domain.panel_file import load_panels
from renderer.template.gallery import load_gallery

_LATENCY_LABELS = 1000
_SINGLE_CHANGES = 200


def main() -> None:
    """Run the benchmarks named, or all."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--labels", type=int, nargs="*", default=[1000, 10_000, 100_000])
    parser.add_argument("--products", type=int, default=5200)
    parser.add_argument("--skip-render", action="store_true")
    parser.add_argument("--skip-intake", action="store_true")
    arguments = parser.parse_args()
    if not arguments.skip_render:
        _bench_render(arguments.products)
    for labels in arguments.labels:
        _bench_pipeline(labels)
    _bench_latency(_LATENCY_LABELS)
    if not arguments.skip_intake:
        for rows in (100_000, 1_000_000):
            _print(measure_intake(IntakeSize(import_rows=rows), naive=rows == 100_000))


def _bench_render(labels: int) -> None:
    panels, template = load_panels(), load_gallery()["promotion"]
    products, real = find_products(WARM_UP + labels, None)
    for name in PANELS:
        figures = measure_render(
            panels.named(name), template, products, real_names=real, naive=True
        )
        _print({"bench": "render"} | figures.as_json())


def _bench_pipeline(labels: int) -> None:
    gateways = min(max(2, labels // 500), 200)
    for thin in (True, False):
        figures = measure_pipeline(labels, gateways=gateways, thin=thin, naive=True)
        _print({"bench": "pipeline"} | figures)


def _bench_latency(labels: int) -> None:
    products, _ = find_products(labels, None)
    with tempfile.TemporaryDirectory(prefix="esl-bench-") as name:
        folder = Path(name)
        with PipelineShop(folder, products, gateways=2, thin=True) as shop:
            shop.pair_all()
            took_ms = post_to_publish_ms(shop, min(_SINGLE_CHANGES, labels))
            straight = run_naive_road(shop, folder)
    p50_ms, p99_ms = statistics.median(took_ms), statistics.quantiles(took_ms, n=100)[98]
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
