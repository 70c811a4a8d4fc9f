"""CPU time and peak memory of the whole language stage, and what asking again costs without an LLM.

    python benchmarks/language_stage.py VIDEO

Runs `silvr timeline` with a new cache and whisper/base, then the same question twice with the fake
language model: the second time everything else comes from the cache.
"""

from __future__ import annotations

import argparse
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from silvr_cli.media.probe import probe


def run(*words: str) -> tuple[float, float]:
    """(CPU seconds, wall seconds) of one silvr command."""
    before, started = resource.getrusage(resource.RUSAGE_CHILDREN), time.monotonic()
    command = [sys.executable, "-m", "silvr_cli", *words]
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    spent = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return spent, time.monotonic() - started


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("video", type=Path)
    video = parser.parse_args().video
    seconds = probe(video, "sha256:known").duration
    with tempfile.TemporaryDirectory() as folder:
        same = ("--speech", "whisper/base", "--cache", f"{folder}/cache.sqlite", "--quiet")
        cpu, _ = run("timeline", str(video), *same)
        peak = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1024
        print(
            f"language stage: {cpu:.0f} CPU s for {seconds:.0f} s of video = {cpu / seconds:.2f} x"
        )
        print(f"peak memory: {peak:.0f} MB")
        again = [run("ask", str(video), "What?", "--llm", "fake", *same) for _ in range(6)][1:]
        print(
            f"asked again, without the LLM: {min(w for _, w in again):.2f} s wall, "
            f"{min(c for c, _ in again):.2f} s CPU (least of 5)"
        )


if __name__ == "__main__":
    main()
