"""How far marks of `silvr eval --judge` agree with people's verdicts on the same answers.

    python benchmarks/judge.py EVOUNA.json [--llm SPEC] [--limit 200] [--longest 500] [-o FILE]

EVOUNA (Wang et al., NeurIPS 2023; github.com/wangcunxiang/QA-Eval, EVOUNA/NQ.json or TQ.json) has
questions, right answers with "/" between them, answers of five systems, and for each whether people
took it for right. A mark of 0.5 and more counts as right. Printed: how often the judge and people
agree, Cohen's kappa, and the same for "the answer holds a right answer's words". Answers to
questions that the authors call improper are left out, and those longer than `--longest` characters.
"""

from __future__ import annotations

import argparse
import json
import random
import re
from contextlib import closing
from pathlib import Path

from silvr_cli import backends
from silvr_cli.configuration import load
from silvr_cli.evals.judge import Judge
from silvr_cli.metering import Meter

SYSTEMS = ("fid", "gpt35", "chatgpt", "gpt4", "newbing")
RIGHT = 0.5


def pairs(path: Path, longest: int) -> list[tuple[str, str, str, bool]]:
    """(question, right answers, answer, people's verdict)."""
    return [
        (row["question"], row["golden_answer"], row[f"answer_{name}"], row[f"judge_{name}"])
        for row in json.loads(path.read_text("utf-8"))
        if not row["improper"]
        for name in SYSTEMS
        if isinstance(row.get(f"judge_{name}"), bool)
        and row.get(f"answer_{name}")
        and len(row[f"answer_{name}"]) <= longest
    ]


def held(gold: str, said: str) -> bool:
    """Whether the answer has all words of one of the right answers."""

    def plain(text: str) -> set[str]:
        return set(re.findall(r"\w+", text.casefold()))

    return any(plain(one) <= plain(said) for one in gold.split("/") if plain(one))


def kappa(rows: list[tuple[bool, bool]]) -> float:
    """Cohen's kappa: agreement beyond what the two shares of "right" give by chance."""
    agreed = sum(a == b for a, b in rows) / len(rows)
    one, other = (sum(row[i] for row in rows) / len(rows) for i in (0, 1))
    chance = one * other + (1 - one) * (1 - other)
    return (agreed - chance) / (1 - chance) if chance < 1 else 1.0


def show(name: str, rows: list[tuple[bool, bool]]) -> None:
    agreed = sum(a == b for a, b in rows)
    told = f"{name:28s} agrees in {agreed:4d} of {len(rows):4d} = {agreed / len(rows):6.1%}"
    print(f"{told}   kappa {kappa(rows):.2f}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("file", type=Path)
    parser.add_argument("--llm", default="auto")
    parser.add_argument("--limit", type=int, default=200)
    parser.add_argument("--longest", type=int, default=500)
    parser.add_argument("-o", "--output", type=Path)
    options = parser.parse_args()
    settings = load({"models.llm": options.llm}).settings
    found = pairs(options.file, options.longest)
    random.Random(0).shuffle(found)
    found = found[: options.limit]
    choice = backends.resolve("llm", options.llm, settings)
    marks = []
    with closing(backends.text_model(choice.spec, settings, None)) as model:
        judge = Judge(model, Meter(settings.calls))
        for question, gold, said, _ in found:
            marks.append(judge.mark(question, gold.replace("/", " or "), said))
    judged = [(bool(m is not None and m >= RIGHT), f[3]) for m, f in zip(marks, found, strict=True)]
    print(f"{len(found)} answers, {sum(f[3] for f in found)} right by people's verdict")
    show(f"judge {choice.spec}", judged)
    show("holds a right answer", [(held(gold, said), human) for _, gold, said, human in found])
    print(f"no usable mark: {sum(mark is None for mark in marks)}, counted as wrong")
    if options.output:
        lines = [json.dumps([*f, m]) for f, m in zip(found, marks, strict=True)]
        options.output.write_text("\n".join(lines) + "\n", "utf-8")


if __name__ == "__main__":
    main()
