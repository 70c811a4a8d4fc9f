"""Open questions through the whole pipeline: answered right, denied, wrong; and invented answers.

    python benchmarks/open_questions.py VIDEO TRUTH.json [OTHER_TRUTH.json …] [--llm SPEC]

The questions are TRUTH's speech_fact and onscreen_only ones without their options. An answer is
right when it holds the right option's words and no other option is nearer. The "absent" ones, and
all such questions of the OTHER truths, have no answer in VIDEO: what is said to them is invented.
"""

from __future__ import annotations

import argparse
import json
import re
from collections import Counter
from contextlib import closing
from pathlib import Path

from silvr_cli import pipeline, replies
from silvr_cli.cli.options import settings_from

TYPES = ("speech_fact", "onscreen_only")
NUMBERS = ["zero", "-", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten"]


def plain(text: str) -> str:
    text = text.casefold().replace(" percent", "%").replace("$", "").strip(".")
    words = re.findall(r"[\w.:%-]+", text)
    return " ".join(str(NUMBERS.index(w)) if w in NUMBERS else w for w in words)


def judged(reply: str, question: dict) -> str:
    options = [plain(option) for option in question["options"]]
    said = plain(reply)
    if replies.by_words(said, options) == question["answer_idx"]:
        return "right"
    wanted = {w for w in options[question["answer_idx"]].split() if w not in ("a", "the", "an")}
    return "right" if wanted <= set(said.split()) else "wrong"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("video", type=Path)
    parser.add_argument("truth", type=Path)
    parser.add_argument("others", type=Path, nargs="*")
    parser.add_argument("--llm")
    parser.add_argument("--limit", type=int, default=1000)
    parser.add_argument("--set", action="append", default=[])
    options = parser.parse_args()
    asked = json.loads(options.truth.read_text("utf-8"))["questions"]
    here = [q for q in asked if q["type"] in TYPES and "vision" not in q.get("needs", "")]
    absent = [q["question"] for q in asked if q["options"] is None]
    for other in options.others:
        elsewhere = json.loads(other.read_text("utf-8"))["questions"]
        absent += [q["question"] for q in elsewhere if q["type"] in TYPES]
    counts: Counter[str] = Counter()
    settings = settings_from(options.set, models__llm=options.llm).settings
    with pipeline.Session.open(settings) as session:
        described = pipeline.describe(pipeline.Source(options.video), session)
        with closing(pipeline.open_text_model(session)) as model:
            for question in here[: options.limit]:
                answer = pipeline.ask(described, question["question"], (), session, model).answer
                result = (
                    "denied" if answer.verdict == "not_found" else judged(answer.text, question)
                )
                counts[result] += 1
                if result != "right":
                    right = question["options"][question["answer_idx"]]
                    print(f"{result:8} {question['question']}\n         {answer.text} ({right})")
            for text in absent[: options.limit]:
                answer = pipeline.ask(described, text, (), session, model).answer
                result = "denied, rightly" if answer.verdict == "not_found" else "invented"
                counts[result] += 1
                if result == "invented":
                    print(f"invented {text}\n         {answer.text} ({answer.confidence})")
    print(dict(counts))


if __name__ == "__main__":
    main()
