"""``make chaos``, ``make chaos-search``, ``make chaos-defects``: the ways to run the suite.

python -m tests.chaos run --seeds 200 --profile default    random histories; one JSON line
python -m tests.chaos run --seed 17                        one of them again, exactly
python -m tests.chaos search                               a seed that catches each defect
python -m tests.chaos search --escaped                     only for those that theirs misses now
python -m tests.chaos defects                              every defect with its recorded seed
"""

import argparse
import os
import sys


def main() -> int:
    """Read what is asked for."""
    parser = argparse.ArgumentParser(prog="python -m tests.chaos", description=__doc__)
    ways = parser.add_subparsers(dest="way", required=True)
    run = ways.add_parser("run")
    run.add_argument("--seeds", type=int, default=200)
    run.add_argument("--first", type=int, default=0)
    run.add_argument("--seed", type=int, default=None)
    run.add_argument("--profile", choices=("default", "field"), default="default")
    run.add_argument("--defect", default=None)
    run.add_argument("--keep-going", action="store_true")
    run.add_argument("--verbose", action="store_true")
    search = ways.add_parser("search")
    search.add_argument("--seeds", type=int, default=300)
    search.add_argument("--only", default=None)
    search.add_argument("--escaped", action="store_true")
    ways.add_parser("defects")
    arguments = parser.parse_args()
    from tests.chaos import runs  # noqa: PLC0415  after the hash seed is fixed

    return runs.main(arguments)


if __name__ == "__main__":
    if os.environ.get("PYTHONHASHSEED") != "0":
        # The order of sets of strings follows the hash seed: a replay needs the same one.
        os.environ["PYTHONHASHSEED"] = "0"
        os.execv(sys.executable, [sys.executable, "-m", "tests.chaos", *sys.argv[1:]])  # noqa: S606
    sys.exit(main())
