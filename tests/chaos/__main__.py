"""``make chaos``, ``make chaos-search``, ``make chaos-defects``: the ways to run the suite.

python -m tests.chaos run --seeds 200 --profile default    random histories; one JSON line
python -m tests.chaos run --seed 17                        one of them again, exactly
python -m tests.chaos search                               a seed that catches each defect
python -m tests.chaos defects                              every defect with its recorded seed
"""

import argparse
import sys


def main() -> int:
    """Read what is asked for."""
    parser = argparse.ArgumentParser(prog="python -m tests.chaos", description=__doc__)
    ways = parser.add_subparsers(dest="way", required=True)
    run = ways.add_parser("run")
    run.add_argument("--seeds", type=int, default=200)
    run.add_argument("--seed", type=int, default=None)
    run.add_argument("--profile", choices=("default", "field"), default="default")
    run.add_argument("--defect", default=None)
    search = ways.add_parser("search")
    search.add_argument("--seeds", type=int, default=300)
    ways.add_parser("defects")
    arguments = parser.parse_args()
    sys.stderr.write(f"tests.chaos: {arguments.way} is not there yet\n")
    return 2


if __name__ == "__main__":
    sys.exit(main())
