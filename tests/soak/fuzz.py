"""Broken inputs by the hundred: media, subtitles, captions, model replies and settings files.

    python tests/soak/fuzz.py --count 500 --seed 1

Each case is drawn from (seed, number) alone: `--only 17` runs one again, `--keep DIR` saves what it
was. A case passes when silvr succeeds or refuses with an error of its own, in less than 10 seconds
of CPU and 1 GB of memory. Cases run in a process of their own kind, so that a crash inside a codec
is seen and counted, and does not end the run. Exit code 1 when there are findings.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import resource
import select
import subprocess
import sys
import tempfile
import time
import traceback
from collections import Counter
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

sys.path[:0] = [str(Path(__file__).parent), str(Path(__file__).parents[1])]

from mutations import broken_bytes, broken_text  # noqa: E402 - a script beside its module

ROOT = Path(__file__).parents[2]
MEDIA = (ROOT.parent / "shared" / "media", ROOT / "examples")
LARGEST_FILE = 1_400_000
CPU_SECONDS, WALL_SECONDS, MEMORY = 10.0, 60.0, 1 << 30
KINDS = ("media", "media", "subtitles", "captions", "replies", "replies", "settings")

SRT = (
    "1\n00:00:01,000 --> 00:00:04,000\n<i>Good evening.</i>\n\n"
    "2\n00:00:05,500 --> 00:00:09,000\nThe bridge cost 12,400 dollars.\n\n"
    "3\n00:00:10,000 --> 00:00:12,000\nThe last bus leaves at 23:10.\n"
)
VTT = (
    "WEBVTT\n\nNOTE made here\n\n00:01.000 --> 00:04.000 line:0\n<v Ann>Good evening.</v>\n\n"
    "00:05.500 --> 00:09.000\nThe bridge cost <c.y>12,400</c> dollars.\n"
)
ASS = (
    "[Script Info]\nScriptType: v4.00+\n\n[V4+ Styles]\nFormat: Name, Fontname, Fontsize\n"
    "Style: Default,Arial,20\n\n[Events]\nFormat: Layer, Start, End, Style, Name, MarginL, MarginR,"
    " MarginV, Effect, Text\nDialogue: 0,0:00:01.00,0:00:04.00,Default,,0,0,0,,{\\b1}Good\\Nday\n"
)
CAPTION = {"start": 0, "end": 8, "text": "A man crosses the bridge", "kind": "caption"}
LINES_JSON = json.dumps([CAPTION, CAPTION | {"start": 8, "end": 16}])
TIMELINE_JSON = json.dumps({"schema": "silvr-timeline/1", "lines": [CAPTION]})
CAPTION_ROWS = json.dumps(CAPTION) + "\n" + json.dumps(CAPTION | {"start": 8, "end": 16}) + "\n"
CAPTION_TEXT = "A man crosses the bridge\nA bus waits\n\nThe bus leaves\n"
SETTINGS = (
    '[models]\nllm = "fake"\n\n[speech]\nlanguage = "en"\nbeam_size = 5\n\n[reduction]\n'
    "budget = 400\n\n[clips]\nladder = [8.0, 16.0]\n\n[calls]\nmax_cost = 0.5\n"
)
VALUES = (
    *("0", "1", "-1", "1e308", "-inf", "nan", "true", "2", "9223372036854775807", "1" * 30),
    *("[]", "[1.0]", "[[1]]", "[8.0, 16.0]", "{}", "{ a = 1 }", '""', '"a"', '"fake"', '"auto"'),
    *('"\\u0000"', '"\\n"', '"~/x"', "1979-05-27", "07:32:00", "0x7f", "[nan]", "[inf, -1]"),
)
STRUCTURED = json.dumps(
    {
        "reasoning": "The slide says so.",
        "answer": "The last bus leaves at 23:10.",
        "evidence": [{"time": "0:10", "quote": "The last bus leaves at 23:10."}],
        "confidence": "high",
        "verdict": "found",
    }
)
REPLIES = (
    STRUCTURED,
    f"```json\n{STRUCTURED}\n```",
    "<think>Let me see.</think>B. At 23:10",
    "The answer is (C).",
    "The last bus leaves at 23:10.",
    "The video does not say.",
    "[0:10] The last bus leaves at 23:10.\n[0:05-0:09] The bridge cost 12,400 dollars.",
    "- 0:01 A greeting\n- 0:05 What the bridge cost\n- 0:10 The last bus",
    "1. The bridge cost 12,400 dollars (0:05)\n2. The last bus leaves at 23:10 (0:10)",
    "The Last Bus",
)


@dataclass(frozen=True, slots=True)
class Verdict:
    """How one case ended; `peak` is the process's largest resident memory so far, in bytes."""

    number: int
    kind: str
    what: str
    outcome: str
    detail: str = ""
    cpu: float = 0.0
    peak: int = 0

    @property
    def found(self) -> bool:
        return self.outcome not in ("done", "refused")


# -- one case, inside a worker


def run_case(seed: int, number: int, keep: Path | None = None) -> Verdict:
    """Draw case `number` and run it; whatever is no error of silvr's own is a finding."""
    from silvr_cli.errors import SilvrError

    chance = random.Random(f"{seed}/{number}")
    kind = KINDS[number % len(KINDS)]
    started, what = time.process_time(), ""
    with tempfile.TemporaryDirectory(prefix="silvr-fuzz-") as folder:
        try:
            what = DRAWN[kind](chance, Path(folder), keep)
            outcome, detail = "done", ""
        except SilvrError as error:
            outcome, detail = "refused", str(error)
            if "\n" in detail or len(detail) > 2_000:
                outcome = "no sentence"
        except Exception:  # noqa: BLE001 - what escapes is what is looked for
            outcome, detail = "escaped", traceback.format_exc()
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
    cpu = time.process_time() - started
    return Verdict(number, kind, what, outcome, detail, cpu, peak)


def media_files() -> list[Path]:
    """The small clips of the shared folder and the example, in order."""
    from silvr_cli.media.subtitles import ENDINGS

    found = [p for folder in MEDIA if folder.is_dir() for p in sorted(folder.iterdir())]
    known = {".mp4", ".mkv", ".webm", ".avi", ".mp3", ".wav", ".flac"}
    small = [p for p in found if p.suffix in known and p.stat().st_size < LARGEST_FILE]
    return [p for p in small if p.suffix not in ENDINGS]


def _media(chance: random.Random, folder: Path, keep: Path | None) -> str:
    original = chance.choice(media_files())
    path = folder / original.name
    path.write_bytes(broken_bytes(original.read_bytes(), chance))
    return _described(path, folder, keep, video=path)


def _subtitles(chance: random.Random, folder: Path, keep: Path | None) -> str:
    name, text = chance.choice((("a.srt", SRT), ("a.vtt", VTT), ("a.ass", ASS)))
    return _described(_written(folder / name, text, chance), folder, keep, "subtitles")


def _captions(chance: random.Random, folder: Path, keep: Path | None) -> str:
    forms = (
        ("a.json", LINES_JSON),
        ("a.json", TIMELINE_JSON),
        ("a.jsonl", CAPTION_ROWS),
        ("a.txt", CAPTION_TEXT),
        ("a.srt", SRT),
    )
    name, text = chance.choice(forms)
    return _described(_written(folder / name, text, chance), folder, keep, "captions")


def _written(path: Path, text: str, chance: random.Random) -> Path:
    data = broken_text(text, chance).encode("utf-8", "surrogatepass")
    path.write_bytes(broken_bytes(data, chance) if chance.random() < 0.3 else data)
    return path


def _described(path: Path, folder: Path, keep: Path | None, role: str = "video", **_: Any) -> str:
    from silvr_cli import exports, pipeline

    _kept(path, keep)
    source = pipeline.Source(**{role: path})
    with pipeline.Session.open(_fakes(folder)) as session:
        described = pipeline.describe(source, session)
    for form in ("text", "json", "srt"):
        exports.write(described.timeline, form)
    return path.name


def _replies(chance: random.Random, folder: Path, keep: Path | None) -> str:
    """One broken reply after the other to everything that reads replies."""
    from scripted import Scripted

    from silvr_cli import conversation, pipeline
    from silvr_cli.pipeline import Source

    subtitles = folder / "talk.srt"
    subtitles.write_text(SRT, "utf-8")
    said: list[str] = []

    def say(prompt: str) -> str:
        said.append(broken_text(chance.choice(REPLIES), chance))
        if keep:
            (keep / f"reply-{len(said)}.txt").write_text(said[-1], "utf-8", "surrogatepass")
        return said[-1]

    model = Scripted(say=say, words=chance.random() < 0.5)
    task = chance.choice(("ask", "ask", "choose", "chapters", "summarize", "chat", "segments"))
    style = chance.choice(("tldr", "bullets", "detailed", "minutes"))
    flags = {"summary.style": style}
    flags |= {"reduction.method": "segments"} if task == "segments" else {}
    flags |= {"chapters.method": "model"} if task == "chapters" else {}
    with pipeline.Session.open(_fakes(folder, flags)) as session:
        told = pipeline.describe(Source(subtitles=subtitles), session)
        if task == "chapters":
            pipeline.chapters(told, session, None, model)
        elif task == "summarize":
            pipeline.summarize(told, session, model)
        elif task == "chat":
            talk = conversation.begin(told.timeline.video.id)
            for question in ("When does the last bus leave?", "And before that?"):
                talk, _ = conversation.say(talk, question, told, session, model)
        else:
            choices = ("At 23:10", "At 22:10", "Never") if task == "choose" else ()
            question = "When does the last bus leave?"
            answered = pipeline.ask(told, question, choices, session, model)
            if pipeline.replayed(answered.id, session) != answered:
                raise AssertionError("an answer comes back from the cache as another")
    return task


def _settings(chance: random.Random, folder: Path, keep: Path | None) -> str:
    from silvr_cli import configuration

    path = folder / "silvr.toml"
    environ: dict[str, str] = {}
    if chance.random() < 0.5:
        _written(path, SETTINGS, chance)
    else:
        # Broken text seldom is TOML any more: these are, with values that do not belong there.
        keys = chance.sample(sorted(configuration.keys()), chance.choice((1, 2, 5)))
        usual = {key: json.dumps(value) for key, value in configuration.keys().items() if value}
        rows = [
            f"{key} = {usual[key] if key in usual and chance.random() < 0.7 else odd}"
            for key, odd in zip(keys, chance.choices(VALUES, k=len(keys)), strict=True)
        ]
        path.write_text("\n".join(rows), "utf-8")
        name = "SILVR_" + chance.choice(keys).replace(".", "_").upper()
        environ = (
            {name: broken_text(chance.choice(VALUES), chance)} if chance.random() < 0.5 else {}
        )
    _kept(path, keep)
    configuration.load({}, environ, folder)
    return path.name


DRAWN = {
    "media": _media,
    "subtitles": _subtitles,
    "captions": _captions,
    "replies": _replies,
    "settings": _settings,
}


def _fakes(folder: Path, flags: dict[str, Any] | None = None) -> Any:
    from silvr_cli.configuration import load

    models = {f"models.{role}": "fake" for role in ("llm", "speech", "reader")}
    return load({**models, "cache.path": folder / "cache.sqlite", **(flags or {})}, {}).settings


def _kept(path: Path, keep: Path | None) -> None:
    if keep:
        (keep / path.name).write_bytes(path.read_bytes())


# -- the run, in the parent


class Worker:
    """A process that runs cases, one at a time; a new one takes its place when it is lost."""

    def __init__(self, seed: int) -> None:
        command = [sys.executable, __file__, "--seed", str(seed), "--worker"]
        self.process = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
        )

    def run(self, number: int) -> Verdict:
        """The case's verdict; raises Lost when the process died, was stuck or ate too much."""
        assert self.process.stdin
        assert self.process.stdout
        self.process.stdin.write(f"{number}\n".encode())
        self.process.stdin.flush()
        before, started = self._cpu(), time.monotonic()
        while not select.select([self.process.stdout], [], [], 0.1)[0]:
            cpu, wall = self._cpu() - before, time.monotonic() - started
            # A busy machine is no hang: CPU counts, and wall time only as far as nobody waits.
            if cpu > CPU_SECONDS or wall > WALL_SECONDS:
                raise Lost("hang", f"{cpu:.1f} s of CPU, {wall:.1f} s")
            if self._resident() > MEMORY:
                raise Lost("memory", f"{self._resident() >> 20} MB")
        row = self.process.stdout.readline()
        if not row:
            code = self.process.wait()
            raise Lost("crash", f"the process ended with {code}")
        verdict = Verdict(**json.loads(row))
        if verdict.peak > MEMORY:
            raise Lost("memory", f"{verdict.peak >> 20} MB")
        return verdict

    def close(self) -> None:
        self.process.kill()
        self.process.communicate()

    def _cpu(self) -> float:
        fields = self._proc("stat").rpartition(") ")[2].split()
        return sum(map(int, fields[11:13])) / os.sysconf("SC_CLK_TCK") if fields else 0.0

    def _resident(self) -> int:
        fields = self._proc("statm").split()
        return int(fields[1]) * os.sysconf("SC_PAGE_SIZE") if fields else 0

    def _proc(self, name: str) -> str:
        try:
            return Path(f"/proc/{self.process.pid}/{name}").read_text()
        except OSError:
            return ""


class Lost(Exception):
    """The worker cannot go on: (outcome, detail)."""


def fuzz(seed: int, numbers: list[int], tell: Any = print) -> list[Verdict]:
    """Run the cases and return a verdict for each."""
    worker, verdicts = Worker(seed), []
    try:
        for number in numbers:
            try:
                verdict = worker.run(number)
            except Lost as lost:
                kind = KINDS[number % len(KINDS)]
                verdict = Verdict(number, kind, "", *lost.args)
                worker.close()
                worker = Worker(seed)
            verdicts.append(verdict)
            if verdict.found:
                tell(f"case {number} ({verdict.kind}): {verdict.outcome}\n{verdict.detail}")
    finally:
        worker.close()
    return verdicts


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--count", type=int, default=500)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--only", type=int, help="this case alone, in this process")
    parser.add_argument("--keep", type=Path, help="folder for the inputs of --only")
    parser.add_argument("--worker", action="store_true", help=argparse.SUPPRESS)
    parser.add_argument("--report", type=Path, help="a JSON line for each case")
    asked = parser.parse_args()
    if asked.worker:
        out = os.fdopen(os.dup(1), "w")
        # What a library prints is no verdict.
        os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
        for row in sys.stdin:
            print(json.dumps(asdict(run_case(asked.seed, int(row)))), file=out, flush=True)
        return 0
    if asked.only is not None:
        if asked.keep:
            asked.keep.mkdir(parents=True, exist_ok=True)
        verdict = run_case(asked.seed, asked.only, asked.keep)
        print(f"{verdict.kind} {verdict.what}: {verdict.outcome} {verdict.detail}")
        print(f"{verdict.cpu:.1f} s of CPU, {verdict.peak >> 20} MB")
        return int(verdict.found)
    verdicts = fuzz(asked.seed, list(range(asked.count)))
    for kind in dict.fromkeys(KINDS):
        of_kind = [v for v in verdicts if v.kind == kind]
        counted = Counter(v.outcome for v in of_kind)
        slowest = max((v.cpu for v in of_kind), default=0.0)
        print(f"{kind}: {len(of_kind)} cases, {dict(counted)}, slowest {slowest:.1f} s of CPU")
    print(f"peak memory {max((v.peak for v in verdicts), default=0) >> 20} MB")
    if asked.report:
        asked.report.write_text("".join(json.dumps(asdict(v)) + "\n" for v in verdicts), "utf-8")
    return int(any(v.found for v in verdicts))


if __name__ == "__main__":
    raise SystemExit(main())
