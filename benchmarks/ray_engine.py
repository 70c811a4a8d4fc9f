"""What Ray costs on one machine: the same batch with two workers here and two on Ray, in turn.

    python benchmarks/ray_engine.py --videos 40 --rounds 2
    python benchmarks/ray_engine.py --videos 40 --seconds 90 --rounds 1 --cluster

Fake models for speech, captions and answers; decoding, cuts and (but for `--reader fake`) on-screen
text are real, and so is the CPU that they take. `work` is from the first quarter of lines to the
last, without starting, loading models and stopping. CPU is of all processes, Ray's own included, by
/proc (Linux); `others` is what else the machine did, in cores: near 0, or the figures say little.
With `--cluster` Ray runs before the clock does, as on a cluster that is there. Lines of both
engines must be equal but for what they took.
"""

from __future__ import annotations

import argparse
import json
import os
import secrets
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[1] / "tests" / "soak"))
from clips import make_clips
from machine import busy

TICKS = os.sysconf("SC_CLK_TCK")
PORT = 9379
# Until all of Ray's own processes have started, in seconds.
SETTLE_SECONDS = 8.0


def measure(folder: Path, engine: str, given: argparse.Namespace, turn: int) -> dict[str, float]:
    """Seconds: whole, work, and CPU of every process below ours."""
    out = folder / f"{engine}.jsonl"
    out.unlink(missing_ok=True)
    words = ["--question", "Who?", "--workers", "2", "--quiet", "--engine", engine, "-o", out.name]
    models = ["--llm", "fake", "--speech", "fake", "--vision", "embedded", "--reader", given.reader]
    command = [sys.executable, "-m", "silvr_cli", "batch", "videos", *words, *models]
    command += ["--cache", f"{engine}-{turn}.sqlite"]
    if engine == "ray" and given.cluster:
        command += ["--address", f"127.0.0.1:{PORT}"]
    ours = dict[int, float]()
    first, others = dict(below(os.getpid())), busy()
    # (when, CPU until then) of the line that ends the first quarter, and of the last.
    seen: list[tuple[float, float]] = []
    started, lines = time.monotonic(), 0
    with subprocess.Popen(command, cwd=folder) as batch:
        while batch.poll() is None:
            for pid, seconds in below(os.getpid()):
                ours[pid] = max(ours.get(pid, 0.0), seconds - first.get(pid, 0.0))
            found = out.read_bytes().count(b"\n") if out.exists() else 0
            if found > lines and found * 4 >= given.videos:
                seen, lines = [*seen[:1], (time.monotonic(), sum(ours.values()))], found
            time.sleep(0.1)
    assert batch.returncode == 0, batch.returncode
    (begun, before), (ended, after) = seen
    whole, cpu = time.monotonic() - started, sum(ours.values())
    others = max(0.0, (busy() - others - cpu) / whole)
    told = {"whole": whole, "work": ended - begun, "cpu": cpu, "work cpu": after - before}
    return {**told, "others": others}


@contextmanager
def head(wanted: bool) -> Iterator[None]:
    """A Ray of two cores that is up while the block runs, if `wanted`."""
    if not wanted:
        yield
        return
    ray = [str(Path(sys.executable).with_name("ray")), "start", "--head", "--block"]
    sizes = ["--num-cpus", "2", "--port", str(PORT), "--include-dashboard", "false"]
    quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
    # A token that the batch knows as well; else as silvr itself has it where it starts Ray.
    os.environ |= {"RAY_AUTH_MODE": "token", "RAY_AUTH_TOKEN": secrets.token_hex(32)}
    told = {**os.environ, "RAY_worker_niceness": "0", "RAY_USAGE_STATS_ENABLED": "0"}
    with subprocess.Popen([*ray, *sizes], env=told, **quiet) as process:  # type: ignore[call-overload]
        try:
            while not answers():
                assert process.poll() is None, "ray start has failed"
                time.sleep(0.5)
            time.sleep(SETTLE_SECONDS)
            yield
        finally:
            process.terminate()


def answers() -> bool:
    try:
        socket.create_connection(("127.0.0.1", PORT), 1).close()
    except OSError:
        return False
    return True


def below(parent: int) -> Iterator[tuple[int, float]]:
    """The process and those below it, each with the CPU seconds that it has had."""
    parents, seconds = dict[int, int](), dict[int, float]()
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = stat.read_text().rpartition(")")[2].split()
        except OSError:
            # It has just ended.
            continue
        parents[int(stat.parent.name)] = int(fields[1])
        seconds[int(stat.parent.name)] = (int(fields[11]) + int(fields[12])) / TICKS
    level = {parent}
    while level:
        yield from ((pid, seconds[pid]) for pid in level if pid in seconds)
        level = {pid for pid, above in parents.items() if above in level}


def bare(path: Path) -> list[dict[str, Any]]:
    """The lines in order of their videos, without what a run took."""
    lines = [json.loads(line) for line in path.read_text("utf-8").splitlines()]
    for line in lines:
        line["seconds"] = line["usage"]["seconds"] = 0
        line["result"]["usage"]["seconds"] = 0
    return sorted(lines, key=lambda line: str(line["video"]))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--videos", type=int, default=40)
    parser.add_argument("--seconds", type=int, default=8, help="of each")
    parser.add_argument("--rounds", type=int, default=2)
    parser.add_argument("--reader", default="rapidocr")
    parser.add_argument("--clips", type=Path, help="a folder that keeps them for the next time")
    parser.add_argument("--cluster", action="store_true", help="Ray is up already")
    given = parser.parse_args()
    rounds: dict[str, list[dict[str, float]]] = {"local": [], "ray": []}
    with tempfile.TemporaryDirectory() as name, head(given.cluster):
        folder = Path(name)
        kept = (given.clips or folder / "made").absolute()
        make_clips(kept, given.videos, given.seconds, (192, 320))
        (folder / "videos").symlink_to(kept)
        for turn in range(given.rounds):
            for engine, taken in rounds.items():
                taken.append(measure(folder, engine, given, turn))
                told = {key: round(value, 2) for key, value in taken[-1].items()}
                print(json.dumps({"engine": engine, **told}), flush=True)
            assert bare(folder / "local.jsonl") == bare(folder / "ray.jsonl")
    for key in ("whole", "work", "cpu", "work cpu"):
        here, there = (statistics.median(t[key] for t in rounds[e]) for e in ("local", "ray"))
        print(f"{key}: {there / here:.2f} x ({there:.1f} over {here:.1f} s)")


if __name__ == "__main__":
    main()
