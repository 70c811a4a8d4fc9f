"""How silvr batch scales, as ratios within one run; nothing real is asked.

    python benchmarks/batch_throughput.py --part workers --videos 200
    python benchmarks/batch_throughput.py --part server --asks 640
    python benchmarks/batch_throughput.py --part memory --videos 200

`workers`: fake models, so that decoding and looking for cuts is the work; two processes over one,
and over one that has a single core (the threads of one take more than that where they can).
`others` is what else the machine did, in cores: near 0, or the figures say little (Linux).
`server`: a loopback server that takes a second for each answer; 32 calls in flight over one.
`memory`: the resident size of the whole batch, its second half over its second quarter.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[1] / "tests" / "soak"))
from clips import make_clips
from machine import busy

FAKE = ["--speech", "fake", "--vision", "embedded", "--reader", "fake", "--quiet"]
# Seconds between two looks at the memory.
WATCHED = 0.02
# Short videos, but long enough that reading one outweighs the bookkeeping for it.
SECONDS, SIZE = 10, (192, 320)
REPLY = {
    "answer": "a car",
    "verdict": "found",
    "confidence": "low",
    "evidence": [],
    "reasoning": "",
}


class Slow(BaseHTTPRequestHandler):
    """An OpenAI-compatible server whose every answer takes a second."""

    seconds = 1.0

    def log_message(self, format: str, *args: object) -> None:
        return

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers["Content-Length"]))
        self.server.enter(1)
        time.sleep(self.seconds)
        self.server.enter(-1)
        delta = {"index": 0, "delta": {"content": json.dumps(REPLY)}, "finish_reason": "stop"}
        chunk = {"id": "1", "object": "chat.completion.chunk", "created": 1, "model": "slow"}
        usage = {"prompt_tokens": 100, "completion_tokens": 20, "total_tokens": 120}
        self.send_response(200)
        self.send_header("Content-Type", "text/event-stream")
        self.end_headers()
        for part in ({"choices": [delta]}, {"choices": [], "usage": usage}):
            self.wfile.write(b"data: " + json.dumps(chunk | part).encode() + b"\n\n")
        self.wfile.write(b"data: [DONE]\n\n")


class Server(ThreadingHTTPServer):
    """Counts how many calls are under way, and the most that ever were."""

    daemon_threads = True
    request_queue_size = 256

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Slow)
        self.now, self.most, self.lock = 0, 0, threading.Lock()
        threading.Thread(target=self.serve_forever, daemon=True).start()

    def enter(self, step: int) -> None:
        with self.lock:
            self.now += step
            self.most = max(self.most, self.now)


def start(folder: Path, *words: object) -> subprocess.Popen[bytes]:
    command = [sys.executable, "-m", "silvr_cli", "batch", *FAKE, *words]
    return subprocess.Popen(list(map(str, command)), cwd=folder, stderr=subprocess.DEVNULL)


def run(folder: Path, *words: object) -> dict[str, float]:
    """Seconds of a whole batch: `wall`, `cpu`, and the CPU that `others` had, in cores."""
    began, before, others = time.monotonic(), os.times(), busy()
    code = start(folder, *words).wait()
    after, wall = os.times(), time.monotonic() - began
    assert code == 0, code
    cpu = (
        after.children_user + after.children_system - before.children_user - before.children_system
    )
    return {"wall": wall, "cpu": cpu, "others": max(0.0, (busy() - others - cpu) / wall)}


def workers(folder: Path, videos: int, rounds: int) -> dict[str, Any]:
    make_clips(folder / "videos", videos, SECONDS, SIZE)
    make_clips(folder / "one", 1)
    taken: dict[str, list[tuple[dict[str, float], dict[str, float]]]] = {}
    for _ in range(rounds):
        for name, count in (("1", 1), ("2", 2), ("1 on one core", 1)):
            with _cores(name.endswith("one core")):
                taken.setdefault(name, []).append(_timed(folder, count))
    told: dict[str, Any] = {"videos": videos, "rounds": rounds}
    for name, runs in taken.items():
        told[name] = {key: _middle(whole[key] for _, whole in runs) for key in runs[0][1]}
        told[name]["start"] = _middle(begin["wall"] for begin, _ in runs)
    for name in ("1", "1 on one core"):
        one, two = told[name], told["2"]
        told[f"2 over {name}"] = round(one["wall"] / two["wall"], 2)
        rest = (one["wall"] - one["start"]) / (two["wall"] - two["start"])
        told[f"2 over {name}, without starting"] = round(rest, 2)
    return told


def _timed(folder: Path, count: int) -> tuple[dict[str, float], dict[str, float]]:
    """A batch of one video, and the whole batch."""
    found = []
    for videos in ("one", "videos"):
        with tempfile.TemporaryDirectory(dir=folder) as name:
            words = ("--task", "timeline", "--workers", count, "-o", f"{name}/o.jsonl")
            found.append(run(folder, videos, *words, "--cache", f"{name}/c.sqlite"))
    return found[0], found[1]


@contextmanager
def _cores(single: bool) -> Iterator[None]:
    """What is started in the block has one core, if `single`."""
    before = os.sched_getaffinity(0)
    if single:
        os.sched_setaffinity(0, {max(before)})
    try:
        yield
    finally:
        os.sched_setaffinity(0, before)


def _middle(values: Iterable[float]) -> float:
    return round(statistics.median(values), 2)


def in_flight(folder: Path, asks: int) -> dict[str, Any]:
    """Lines a second between the first and the last line, so that starting does not count."""
    make_clips(folder / "videos", 10)
    server = Server()
    os.environ.setdefault("OPENAI_API_KEY", "none")
    url = f"http://127.0.0.1:{server.server_port}/v1"
    told: dict[str, Any] = {"load before": os.getloadavg()[0]}
    run(folder, "videos", "--task", "timeline", "--cache", "c.sqlite", "-o", "t.jsonl")
    for slots in (1, 32):
        count = max(2, asks // (32 if slots == 1 else 1) // 10)
        rows = [{"question": f"What is shown in picture {n}?"} for n in range(count)]
        table, out = folder / f"q-{slots}.jsonl", folder / f"a-{slots}.jsonl"
        table.write_text("\n".join(map(json.dumps, rows)), "utf-8")
        words = ("--llm", "openai/slow", "--base-url", url, "--set", f"calls.slots={slots}")
        server.most = 0
        process = start(
            folder, "videos", "--questions", table, *words, "--cache", "c.sqlite", "-o", out
        )
        told[f"rate {slots}"] = round(_rate(process, out), 2)
        told[f"in flight {slots}"] = server.most
    told["ratio"] = round(told["rate 32"] / told["rate 1"], 1)
    server.shutdown()
    return told


def _rate(process: subprocess.Popen[bytes], out: Path) -> float:
    seen: list[tuple[float, int]] = []
    while process.poll() is None:
        count = out.read_bytes().count(b"\n") if out.exists() else 0
        if count and (not seen or count > seen[-1][1]):
            seen.append((time.monotonic(), count))
        time.sleep(0.02)
    assert process.returncode == 0, process.returncode
    (first, before), (last, after) = seen[0], seen[-1]
    return (after - before) / (last - first)


def memory(folder: Path, videos: int) -> dict[str, Any]:
    make_clips(folder / "videos", videos)
    out = folder / "m.jsonl"
    process = start(
        folder, "videos", "--question", "Who?", "--llm", "fake", "--workers", 2, "-o", out,
        "--cache", "m.sqlite",
    )  # fmt: skip
    sizes: list[tuple[int, float]] = []
    while process.poll() is None:
        done = out.read_bytes().count(b"\n") if out.exists() else 0
        sizes.append((done, _megabytes(process.pid)))
        time.sleep(WATCHED)
    assert process.returncode == 0, process.returncode
    first = [size for done, size in sizes if videos * 0.25 <= done < videos * 0.5]
    second = [size for done, size in sizes if videos * 0.5 <= done]
    if not (first and second):
        sys.exit(f"{videos} videos were over before their memory could be looked at: take more")
    told = {"videos": videos, "second quarter MB": round(max(first)), "last MB": round(max(second))}
    return {**told, "growth": round(max(second) / max(first), 2)}


def _megabytes(parent: int) -> float:
    """Resident memory of a process and its children."""
    try:
        children = Path(f"/proc/{parent}/task/{parent}/children").read_text("ascii").split()
        pages = sum(
            int(Path(f"/proc/{pid}/statm").read_text("ascii").split()[1])
            for pid in (parent, *children)
        )
    except OSError:
        return 0.0
    return pages * os.sysconf("SC_PAGE_SIZE") / 1e6


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--part", choices=("workers", "server", "memory"), required=True)
    parser.add_argument("--videos", type=int, default=200)
    parser.add_argument("--rounds", type=int, default=3, help="of the part workers")
    parser.add_argument("--asks", type=int, default=640)
    parser.add_argument("--seconds", type=float, default=1.0, help="that the server takes")
    given = parser.parse_args()
    Slow.seconds = given.seconds
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        if given.part == "workers":
            told = workers(folder, given.videos, given.rounds)
        elif given.part == "server":
            told = in_flight(folder, given.asks)
        else:
            told = memory(folder, given.videos)
    print(json.dumps(told))


if __name__ == "__main__":
    main()
