"""CPU time of `silvr --help` beside the smallest typer + rich program's, in alternating pairs.

Prints both medians and the median of the pairs' ratios; target 1.3. User + system time of the child
process, so a busy machine does not change it much.
"""

from __future__ import annotations

import argparse
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path
from resource import RUSAGE_CHILDREN, getrusage

SMALLEST = 'import rich, typer\ntyper.run(lambda: rich.print("hello"))\n'
TARGET = 1.3


def cpu_seconds(command: list[str]) -> float:
    before = getrusage(RUSAGE_CHILDREN)
    subprocess.run(command, check=True, capture_output=True)
    after = getrusage(RUSAGE_CHILDREN)
    return after.ru_utime - before.ru_utime + after.ru_stime - before.ru_stime


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--pairs", type=int, default=15)
    pairs = parser.parse_args().pairs
    ours = [sys.executable, "-m", "silvr_cli", "--help"]
    with tempfile.TemporaryDirectory() as folder:
        program = Path(folder, "smallest.py")
        program.write_text(SMALLEST, "utf-8")
        theirs = [sys.executable, str(program), "--help"]
        for command in (ours, theirs):  # compiled files and disk cache are ready for both
            cpu_seconds(command)
        times = [(cpu_seconds(ours), cpu_seconds(theirs)) for _ in range(pairs)]
    ratio = statistics.median(a / b for a, b in times)
    print(f"silvr --help         {statistics.median(a for a, _ in times):.3f} s CPU")
    print(f"typer + rich --help  {statistics.median(b for _, b in times):.3f} s CPU")
    print(f"ratio                {ratio:.2f} (target {TARGET}, median of {pairs} pairs)")


if __name__ == "__main__":
    main()
