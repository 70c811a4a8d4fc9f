"""Calls in flight: how much faster N at once are than one, and a killed run of many clips.

    python benchmarks/in_flight.py [--delay SECONDS] [--slots N] [--clips N]

A server on loopback answers every call after a fixed delay. First the same captions are asked for
one by one and N at once: the ratio of the times should come near N. Then a one-hour video's clips
are captioned, the command is killed (SIGKILL) at half, and run again: the server counts whether a
finished clip was asked for twice (calls under way when it was killed are asked for again).
"""

from __future__ import annotations

import argparse
import json
import signal
import subprocess
import sys
import tempfile
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import numpy as np

from silvr_cli import backends
from silvr_cli.configuration import load
from silvr_cli.inflight import in_flight
from silvr_cli.metering import Meter, guarded

CLIP_SECONDS = 8


class Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 256

    def __init__(self, delay: float) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.delay, self.prompts, self.lock = delay, [], threading.Lock()
        threading.Thread(target=self.serve_forever, daemon=True).start()

    def handle_error(self, *_: object) -> None:
        """A killed client hangs up in the middle of a reply: that is the point."""

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}/v1"


class Handler(BaseHTTPRequestHandler):
    def log_message(self, *_: object) -> None:
        return

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        with self.server.lock:
            self.server.prompts.append(body["messages"][-1]["content"][-1]["text"])
        time.sleep(self.server.delay)
        delta = {"index": 0, "delta": {"content": "A goat."}, "finish_reason": "stop"}
        chunk = {"id": "1", "object": "chat.completion.chunk", "created": 1, "model": "m"}
        usage = {"prompt_tokens": 900, "completion_tokens": 3, "total_tokens": 903}
        self.send_response(200)
        self.send_header("Content-Type", "text/event-stream")
        self.end_headers()
        for part in ({"choices": [delta]}, {"choices": [], "usage": usage}):
            self.wfile.write(b"data: " + json.dumps(chunk | part).encode() + b"\n\n")
        self.wfile.write(b"data: [DONE]\n\n")


def seconds(server: Server, slots: int, calls: int) -> float:
    settings = load({"servers.base_url": server.url, "calls.slots": slots}).settings
    model = guarded(
        backends.vision_model("openai/m", settings), Meter(settings.calls), "video", "captions"
    )
    model.describe([b"\xff\xd8"], "warm up")
    started = time.monotonic()
    for _ in in_flight(lambda i: model.describe([b"\xff\xd8"], f"clip {i}"), range(calls), slots):
        pass
    return time.monotonic() - started


def hour(path: Path, clips: int) -> None:
    """A video whose picture never stands still, a frame every two seconds."""
    import av

    noise = np.random.default_rng(0)
    with av.open(str(path), "w") as container:
        stream = container.add_stream("mpeg4", rate=1)
        stream.width, stream.height, stream.pix_fmt = 64, 48, "yuv420p"
        for _ in range(clips * CLIP_SECONDS):
            picture = noise.integers(0, 255, (48, 64, 3), np.uint8)
            frame = av.VideoFrame.from_ndarray(picture, format="rgb24")
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))


def killed(server: Server, clips: int, folder: Path) -> None:
    video, cache = folder / "hour.mp4", folder / "cache.sqlite"
    hour(video, clips)
    words = ["timeline", video, "--vision", "openai/m", "--reader", "none", "--cache", cache]
    words += ["--base-url", server.url, "-q"]
    command = [sys.executable, "-m", "silvr_cli", *map(str, words)]
    server.prompts.clear()
    run = subprocess.Popen(command, stdout=subprocess.DEVNULL)
    while len(server.prompts) < clips // 2:
        time.sleep(0.01)
        assert run.poll() is None, "it ended before it could be killed"
    run.send_signal(signal.SIGKILL)
    run.wait()
    before = len(server.prompts)
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    asked = [prompt.split(", taken")[0] for prompt in server.prompts]
    twice = len(asked) - len(set(asked))
    captions = sum("caption:" in line for line in done.stdout.splitlines())
    print(
        f"{clips} clips: killed after {before} calls, {len(asked)} calls in all, "
        f"{len(set(asked))} clips captioned, {captions} lines; asked twice: {twice} "
        "(no more than were under way)"
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--delay", type=float, default=0.5)
    parser.add_argument("--slots", type=int, default=16)
    parser.add_argument("--clips", type=int, default=450)
    options = parser.parse_args()
    server = Server(options.delay)
    one = seconds(server, 1, options.slots) / options.slots
    many = seconds(server, options.slots, options.slots * 8) / (options.slots * 8)
    print(f"{options.slots} in flight: {one / many:.1f} x the throughput of one")
    with tempfile.TemporaryDirectory() as folder:
        killed(server, options.clips, Path(folder))


if __name__ == "__main__":
    main()
