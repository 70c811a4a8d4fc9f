"""CPU time of the one decoding pass beside a plain decode of the same file.

    python benchmarks/visual_pass.py VIDEO [--pairs 5]

Both run as processes of their own, in turn: first picture alone, then picture and sound. The plain
decode uses PyAV with threads AUTO and drops every frame; the pass makes thumbnails and frames, and
with sound 16 kHz mono.
"""

from __future__ import annotations

import argparse
import resource
import statistics
import subprocess
import sys

PLAIN = """
import av, sys
with av.open(sys.argv[1]) as container:
    sound = container.streams.audio[:1] if sys.argv[2] == "sound" else []
    streams = [*container.streams.video[:1], *sound]
    for stream in streams:
        stream.thread_type = "AUTO"
    for packet in container.demux(streams):
        for frame in packet.decode():
            pass
"""
PASS = """
import sys
from pathlib import Path
from silvr_cli.media.decode import Projector
from silvr_cli.media.probe import probe
from silvr_cli.settings import Media
video = probe(Path(sys.argv[1]), "sha256:known")
with Projector(video, Media(), sound=sys.argv[2] == "sound") as projector:
    projector.footage()
"""
IMPORTS = {
    PLAIN: "import av",
    PASS: "import av, cv2, numpy; import silvr_cli.media.decode, silvr_cli.settings",
}


def cpu(code: str, *arguments: str) -> float:
    """CPU seconds (user and system) of a Python process that runs `code`."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    subprocess.run([sys.executable, "-c", code, *arguments], check=True)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("video")
    parser.add_argument("--pairs", type=int, default=5)
    options = parser.parse_args()
    start = {code: min(cpu(IMPORTS[code]) for _ in range(3)) for code in (PLAIN, PASS)}
    for what in ("picture", "sound"):
        ratios = []
        for _ in range(options.pairs):
            plain, whole = (cpu(code, options.video, what) - start[code] for code in (PLAIN, PASS))
            ratios.append(whole / plain)
            print(f"plain {plain:6.2f} s   pass {whole:6.2f} s   ratio {whole / plain:.2f}")
        name = "picture alone" if what == "picture" else "picture and sound"
        print(f"{name}: median ratio {statistics.median(ratios):.2f} (imports taken off)")


if __name__ == "__main__":
    main()
