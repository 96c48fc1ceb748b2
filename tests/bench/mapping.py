"""How fast lists are read through a mapping, and in how much memory: rows of twelve columns.

    python -m tests.bench.mapping --rows 1000000

Prints one JSON object. Both passes over the file are in the time. Memory is the highest resident
size of this process while it reads, above what it was before; entries are counted and dropped.
"""

import argparse
import json
import random
import resource
import sys
import tempfile
import time
from pathlib import Path
from typing import BinaryIO
from zoneinfo import ZoneInfo

from esl.domain.entry import Entry
from esl.domain.gtin import check_digit
from esl.domain.ids import StoreId
from esl.intake.mapping.document import parse_mapping
from esl.intake.mapping.reading import read_entries
from esl.intake.mapping.store_context import Place, StoreContext

MAPPING = """
name: bench
format: csv
delimiter: ";"
decimal: ","
currency: EUR
fields:
  sku: sifra
  gtin: barkod
  name: naziv
  brand: marka
  price: cijena
  promotion_price: akcija
  lowest_price_30d: najniza
  unit_price: cijena_jm
  net_content: kolicina
  unit: jm
  category: kategorija
  anchor_price: sidrena
"""
HEADER = "sifra;barkod;naziv;marka;cijena;akcija;najniza;cijena_jm;kolicina;jm;kategorija;sidrena\n"
STORE = StoreContext(
    place=Place(store_id=StoreId("s"), currency="EUR", timezone=ZoneInfo("Europe/Zagreb"))
)


def write_list(file: BinaryIO, rows: int, *, repeated: float, seed: int = 1) -> None:
    """Write a list whose names, contents and unit prices agree, as most rows of real ones do.

    A ``repeated`` part of its rows are further bar codes of earlier products.
    """
    chance = random.Random(seed)
    file.write(HEADER.encode())
    for number in range(rows):
        sku = chance.randrange(number) if number and chance.random() < repeated else number
        body = f"385{number:09d}"
        minor = 100 * (sku % 89 + 1) + sku % 100
        price = f"{minor // 100},{minor % 100:02d}"
        grams = sku % 800 + 100
        per_kg = (minor * 2000 + grams) // (2 * grams)
        file.write(
            (
                f"{sku:08d};{body}{check_digit(body)};PROIZVOD ČUDNOG IMENA {sku} {grams} g;"
                f"MARKA {sku % 900};{price};;;{per_kg // 100},{per_kg % 100:02d};"
                f"0,{grams} kg;kom;HRANA;{price}\n"
            ).encode()
        )


def resident_mib() -> float:
    """Return the resident size of this process."""
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * resource.getpagesize() / 2**20


def peak_mib() -> float:
    """Return the highest resident size this process ever had."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def main(arguments: list[str]) -> None:
    """Write a list, read it, and print what it took."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=100_000)
    parser.add_argument("--repeated", type=float, default=0.02)
    options = parser.parse_args(arguments)
    mapping = parse_mapping(MAPPING)
    with tempfile.TemporaryFile() as file:
        write_list(file, options.rows, repeated=options.repeated)
        size = file.tell()
        file.seek(0)
        before = resident_mib()
        begun, cpu = time.perf_counter(), time.process_time()
        reading = read_entries(file, mapping, store=STORE)
        checked = time.perf_counter()
        entries = problems = 0
        for each in reading:
            if isinstance(each, Entry):
                entries += 1
            else:
                problems += 1
        took, cpu = time.perf_counter() - begun, time.process_time() - cpu
    print(
        json.dumps(
            {
                "rows": options.rows,
                "repeated_products": reading.summary.repeated,
                "file_mib": round(size / 2**20, 1),
                "entries": entries,
                "problems": problems,
                "rows_per_s": round(options.rows / took),
                "cpu_us_per_row": round(cpu / options.rows * 1e6, 1),
                "first_pass_s": round(checked - begun, 2),
                "seconds": round(took, 2),
                "memory_above_baseline_mib": round(peak_mib() - before, 1),
            }
        )
    )


if __name__ == "__main__":
    main(sys.argv[1:])
