"""`focus` against the full prompt: the same questions, the same model, a fraction of the tokens.

    python benchmarks/focus.py SET_FOLDER OUT_FOLDER [--videos 17] [--budget 400] [--votes 1]
                               [--llm llamacpp/qwen2.5-coder-1.5b] [--plain 10]

SET_FOLDER holds timelines.jsonl and questions.jsonl (NExT-QA with somebody's captions). All
questions on so many videos are asked twice by `silvr eval`: over what `focus` picks within
--budget tokens, and over the whole timeline, which the questions of a video share as a prefix.
Videos are drawn by a hash; the first 120 in its order were looked at while rules were written, so
they are drawn from its end. Prints both reports and the paired comparison. --plain asks about so
many of the videos a third time, as anybody would: the whole timeline, the question, one letter.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import subprocess
import sys
from contextlib import closing
from pathlib import Path

from silvr_cli import backends, prompts
from silvr_cli.configuration import load
from silvr_cli.evals import named
from silvr_cli.letters import CANDIDATES
from silvr_cli.talk import Talk
from silvr_cli.timeline import as_text

SILVR_EVAL = [sys.executable, "-m", "silvr_cli", "eval"]
FULL = 30_000


def drawn(folder: Path, videos: int) -> set[str]:
    rows = map(json.loads, (folder / "timelines.jsonl").read_text("utf-8").splitlines())
    names = {row["video_id"] for row in rows} & {row["video_id"] for row in questions(folder)}
    return set(sorted(names, key=lambda n: hashlib.sha256(n.encode("utf-8")).hexdigest())[-videos:])


def questions(folder: Path) -> list[dict]:
    return list(map(json.loads, (folder / "questions.jsonl").read_text("utf-8").splitlines()))


def subset(folder: Path, videos: set[str], out: Path) -> Path:
    """The set's two files with those videos alone."""
    out.mkdir(parents=True, exist_ok=True)
    for name in ("timelines.jsonl", "questions.jsonl"):
        lines = (folder / name).read_text("utf-8").splitlines(keepends=True)
        kept = [line for line in lines if json.loads(line)["video_id"] in videos]
        (out / name).write_text("".join(kept), "utf-8")
    return out


def asked(data: Path, out: Path, model: str, *options: str) -> str:
    """The run's folder; its report goes to stdout."""
    command = [*SILVR_EVAL, "run", "nextqa", "--data", str(data), "--llm", model, *options]
    subprocess.run([*command, "-o", str(out)], check=True)
    # Of several settings tried, this run's report is the last one written.
    return str(max(out.glob("*/report.json"), key=lambda file: file.stat().st_mtime).parent)


def plain(data: Path, videos: int, out: Path, model: str) -> dict[str, bool]:
    """Whether one letter over the whole timeline is right, by question; kept in `out`."""
    found = named("nextqa").load(data, "val")
    drawn = list(dict.fromkeys(item.video for item in found.items))[:videos]
    kept = out.read_text("utf-8").splitlines() if out.exists() else []
    right: dict[str, bool] = dict(map(json.loads, kept))
    with closing(backends.text_model(model, load().settings)) as opened, out.open("a") as file:
        # One video after another: its questions share the prompt's beginning.
        for item in sorted(found.items, key=lambda item: item.video):
            if item.video not in drawn or item.id in right:
                continue
            text = prompts.fenced(as_text(found.timelines[item.video].lines))
            values = {"context": text, "question": item.question, "choices": item.choices}
            first = Talk(opened).likeliest("answer_letter", CANDIDATES, **values)
            letters = [token.strip() for token, _ in first]
            picked = next((ord(a) - ord("A") for a in letters if a and a in "ABCDE"), None)
            right[item.id] = picked == item.gold
            file.write(json.dumps([item.id, right[item.id]]) + "\n")
            file.flush()
    return right


def beside(plain: dict[str, bool], *runs: str) -> None:
    print(f"plain: {sum(plain.values())} of {len(plain)}")
    for run in runs:
        text = (Path(run) / "records.jsonl").read_text("utf-8")
        scores = {
            row["item"]["id"]: row["figures"]["accuracy"]
            for row in map(json.loads, text.splitlines())
        }
        both = [id_ for id_ in plain if id_ in scores]
        print(f"{run}: {sum(scores[id_] for id_ in both):g} of the same {len(both)}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=Path)
    parser.add_argument("out", type=Path)
    parser.add_argument("--videos", type=int, default=17)
    parser.add_argument("--budget", type=int, default=400)
    parser.add_argument("--votes", type=int, default=1)
    parser.add_argument("--llm", default="llamacpp/qwen2.5-coder-1.5b")
    parser.add_argument("--plain", type=int, default=0)
    options = parser.parse_args()
    data = subset(options.folder, drawn(options.folder, options.videos), options.out / "data")
    focus = ["--reduction", "focus", "--budget", str(options.budget)]
    if options.votes > 1:
        focus += ["--vote", str(options.votes)]
    few = asked(data, options.out / "focus", options.llm, *focus)
    full = ["--reduction", "all", "--budget", str(FULL)]
    whole = asked(data, options.out / "all", options.llm, *full)
    subprocess.run([*SILVR_EVAL, "compare", few, whole], check=True)
    if options.plain:
        file = options.out / "plain.jsonl"
        beside(plain(data, options.plain, file, options.llm), few, whole)


if __name__ == "__main__":
    main()
