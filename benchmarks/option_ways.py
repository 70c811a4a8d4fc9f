"""Ways to make a small model choose among options: in words, by letter, by likelihood, rotated.

    python benchmarks/option_ways.py VIDEO TRUTH.json [--llm SPEC] [--limit N]

Every way sees the same reduced timeline. `letter` is one letter under a grammar; `likelihood` takes
the option whose letter is the likeliest first token; `rotated` sums those likelihoods over all
rotations of the options, so that no place in the list is favoured; `words` is what silvr does.
"""

from __future__ import annotations

import argparse
import json
import math
from collections import Counter
from contextlib import closing
from pathlib import Path
from typing import Any

from silvr_cli import pipeline, prompts, replies
from silvr_cli.cli.options import settings_from
from silvr_cli.protocols import Message, Request, TextModel
from silvr_cli.stages.reduction import Budget, reduce

LETTERS = "ABCDEFGH"
ASK = """Notes from a recording of a video, each with the time it covers.
{context}
Question about the video: {question}
{options}
Reply with the letter of the right answer only."""


def ask(model: TextModel, text: str, question: str, options: list[str]) -> Any:
    listed = "\n".join(f"{LETTERS[i]}. {option}" for i, option in enumerate(options))
    prompt = ASK.format(context=prompts.fenced(text), question=question, options=listed)
    grammar = "root ::= " + " | ".join(f'"{LETTERS[i]}"' for i in range(len(options)))
    return model.chat([Message("user", prompt)], Request(2, grammar=grammar, likeliest=40))


def likelihoods(reply: Any, count: int) -> list[float]:
    """The share of each letter among the candidates for the first token."""
    found = [0.0] * count
    for token, log in reply.first:
        index = LETTERS.find(token.strip()) if token.strip() else -1
        if 0 <= index < count:
            found[index] += math.exp(log)
    whole = sum(found) or 1.0
    return [value / whole for value in found]


def by_likelihood(model: TextModel, text: str, question: str, options: list[str]) -> int:
    shares = likelihoods(ask(model, text, question, options), len(options))
    return shares.index(max(shares))


def rotated(model: TextModel, text: str, question: str, options: list[str]) -> int:
    sums = [0.0] * len(options)
    for turn in range(len(options)):
        order = [(i + turn) % len(options) for i in range(len(options))]
        shares = likelihoods(ask(model, text, question, [options[i] for i in order]), len(options))
        for place, i in enumerate(order):
            sums[i] += shares[place]
    return sums.index(max(sums))


def by_letter(model: TextModel, text: str, question: str, options: list[str]) -> int | None:
    return replies.letter(ask(model, text, question, options).text, len(options))


def in_words(model: TextModel, text: str, question: str, options: list[str]) -> int | None:
    values = {"context": prompts.fenced(text), "question": question, "choices": options}
    prompt = prompts.load("answer_choice").fill(**values)
    return replies.by_words(model.chat([Message("user", prompt)], Request(64)).text, options)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("video", type=Path)
    parser.add_argument("truth", type=Path)
    parser.add_argument("--llm")
    parser.add_argument("--limit", type=int, default=1000)
    options = parser.parse_args()
    questions = json.loads(options.truth.read_text("utf-8"))["questions"]
    kinds = ("speech_fact", "onscreen_only")
    asked = [q for q in questions if q["type"] in kinds and "vision" not in q.get("needs", "")]
    settings = settings_from(models__llm=options.llm).settings
    ways = {"words": in_words, "letter": by_letter, "likelihood": by_likelihood, "rotated": rotated}
    right: Counter[str] = Counter()
    with pipeline.Session.open(settings) as session:
        described = pipeline.describe(pipeline.Source(options.video), session)
        with closing(pipeline.open_text_model(session)) as model:
            step = max(1, len(asked) // options.limit)
            chosen = asked[::step][: options.limit]
            for q in chosen:
                budget = Budget(model.reading_budget or 700, model.count)
                context = reduce(described.timeline, q["question"], q["options"], budget, "auto")
                for name, way in ways.items():
                    found = way(model, context.text, q["question"], q["options"])
                    right[name] += found == q["answer_idx"]
    for name in ways:
        print(f"{name:12} {right[name]:3} of {len(chosen)}  (chance 25 %)")


if __name__ == "__main__":
    main()
