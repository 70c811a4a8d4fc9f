"""Context and question -> answer: reason over the text, then check what the model said.

Knows the TextModel protocol, no provider. The timeline stands first in the prompt and the question
last, so that a second question reuses the server's prefix.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Any

from .. import echoes, evidence, letters, prompts, quotes, reckoning, replies, temporal
from ..errors import ReplyError, UsageError
from ..figures import figures
from ..protocols import Reply
from ..records import CONFIDENCES, Answer, Confidence, Context, Evidence, Settled, Verdict
from ..relevance import worded
from ..talk import Talk

if TYPE_CHECKING:
    from ..protocols import TextModel
    from ..settings import Reasoning

NOT_SAID = "The video does not say."
WORDS_TOKENS = 96
# What the captions' support weighs against the letter, in standard deviations.
SUPPORT = 0.5
# A line that is so like a question says it in other words: crop and cut (docs/lab-log.md).
MEANT = 0.5
# Samples of one answer differ only with some warmth.
WARM = 0.7
STRUCTURED = {
    "type": "object",
    "properties": {
        "reasoning": {"type": "string"},
        "answer": {"type": "string"},
        "evidence": {
            "type": "array",
            "maxItems": 4,
            "items": {
                "type": "object",
                "properties": {"time": {"type": "string"}, "quote": {"type": "string"}},
                "required": ["time", "quote"],
                "additionalProperties": False,
            },
        },
        "confidence": {"type": "string", "enum": ["high", "medium", "low"]},
        "verdict": {"type": "string", "enum": ["found", "not_found", "unclear"]},
    },
    "required": ["reasoning", "answer", "evidence", "confidence", "verdict"],
    "additionalProperties": False,
}


def answer(
    context: Context,
    question: str,
    choices: Sequence[str],
    model: TextModel,
    settings: Reasoning,
    on_text: Callable[[str], None] | None = None,
) -> Answer:
    """Answer from the context alone; evidence is checked against it.

    Raises ReplyError when the model gives nothing usable, ContextOverflow, ModelError, and
    UsageError for more options than there are letters.
    """
    if len(choices) > letters.MOST:
        raise UsageError(f"{len(choices)} options are too many", f"give {letters.MOST} at most")
    talk = Talk(model, settings.temperature, settings.seed, on_text)
    if not context.lines:
        found = _not_said(
            "no line of the timeline has to do with the question"
            if context.plan.lines_total
            else "nothing was seen, read or heard"
        )
    else:
        small = settings.style == "words" or (settings.style == "auto" and model.prefers_words)
        way: _Way = _in_words if small else partial(_structured, room=settings.max_tokens)
        if small and context.settled:
            found = _settled(context.settled)
        elif small and not choices and (denied := _unmentioned(context, question)):
            found = denied
        else:
            if small and (weighed := _weighed(context, question, choices, talk)):
                # Each option has had its turn at each letter: a vote would add nothing.
                found = weighed
            elif settings.vote > 1:
                found = _voted(context, question, choices, talk, way, settings.vote)
            else:
                found = way(context, question, choices, talk)
            found = _blind(found, question, context)
    return replace(
        _timed(found, question, context),
        question=question,
        choices=tuple(choices),
        model=model.name,
        plan=context.plan,
        prompts=talk.used,
        usage=talk.usage,
    )


def _settled(by_times: Settled) -> Answer:
    """What follows from times alone: small models muddle the order that they read."""
    rests = [Evidence(n.start, n.end, n.text, n.kind) for n in by_times.lines]
    note = "worked out from the times of the timeline, no model was asked"
    return _found(by_times.text, by_times.confidence, rests, by_times.choice, "", [note])


def _blind(found: Answer, question: str, context: Context) -> Answer:
    """In doubt where most of what the question names was left out of what was read."""
    if not context.unread:
        return found
    missed = ", ".join(worded(context.unread, question))
    note = f"the video tells of this, but it had no room in what was read: {missed}"
    verdict: Verdict = "not_found" if found.verdict == "not_found" else "unclear"
    return replace(found, verdict=verdict, confidence="low", notes=(*found.notes, note))


def _timed(found: Answer, question: str, context: Context) -> Answer:
    """With the span that a question of when or how long asks for, first among the evidence."""
    if found.verdict == "not_found" or temporal.asks(question) not in ("when", "how long"):
        return found
    if long := reckoning.overlong(found.text, question, context.lines, context.length):
        note = f"longer than the video: {', '.join(long)}"
        return replace(found, verdict="unclear", confidence="low", notes=(*found.notes, note))
    told = temporal.spans(found.text, question, context.lines, context.parts)
    told = told or temporal.part_of(found.evidence, context.parts)
    if not told:
        return found
    rests = tuple(dict.fromkeys((*told, *found.evidence)))
    return replace(found, evidence=rests, span=(told[0].start, told[0].end))


_Way = Callable[[Context, str, Sequence[str], Talk], Answer]


def _voted(
    context: Context, question: str, choices: Sequence[str], talk: Talk, way: _Way, votes: int
) -> Answer:
    """The most frequent of several answers: options rotated, so that no place is favoured, or
    samples of an open answer (self-consistency, arXiv 2203.11171). Unusable replies do not count.

    Where there are more votes than options, each option has each place equally often.
    """
    usual, answers, error = (talk.temperature, talk.seed), [], None
    votes -= votes % len(choices) if 0 < len(choices) < votes else 0
    for turn in range(votes):
        order = letters.turned(choices, turn)
        if turn >= len(choices):
            talk.temperature, talk.seed = max(usual[0], WARM), usual[1] + turn
        try:
            found = way(context, question, [choices[i] for i in order], talk)
        except ReplyError as unusable:
            error = unusable
            continue
        index = order[found.choice] if found.choice is not None else None
        answers.append(replace(found, choice=index))
    talk.temperature, talk.seed = usual
    if not answers:
        raise error or ReplyError(f"{talk.model.name} gave no answer")
    alike = [replies.alike(answer, answers, question) for answer in answers]
    best = max(range(len(answers)), key=lambda i: (len(alike[i]), -i))
    share = len(alike[best]) / votes
    agreed: Confidence = "high" if share > 0.75 else "medium" if share > 0.5 else "low"
    # Answers that all have their doubts are no surer for being of one mind.
    surest = max((a.confidence for a in alike[best]), key=CONFIDENCES.index)
    confidence = min(agreed, surest, key=CONFIDENCES.index)
    told = f"{len(alike[best])} of {votes} answers agree"
    return replace(answers[best], confidence=confidence, notes=(*answers[best].notes, told))


def _in_words(context: Context, question: str, choices: Sequence[str], talk: Talk) -> Answer:
    """For small models: a short answer in words, matched and checked by rules."""
    fenced = prompts.fenced(context.text)
    if not choices:
        return _open_in_words(context, fenced, question, talk)
    values: dict[str, Any] = {"context": fenced, "question": question, "choices": choices}
    reply = talk.ask("answer_choice", WORDS_TOKENS, **values)
    chosen = replies.by_words(reply.text, choices)
    notes = []
    if chosen is None:
        notes.append(f'the reply "{_short(reply.text)}" is none of the options; asked again')
        again = talk.ask("answer_choice", WORDS_TOKENS, {"enum": list(choices)}, **values)
        chosen = replies.by_words(again.text.strip('"'), choices)
    if chosen is None:
        raise ReplyError(f'the reply "{_short(reply.text)}" is none of the options')
    told = evidence.options_told(question, choices, context.lines)
    if told and chosen not in told:
        notes.append(f'"{choices[chosen]}" stands nowhere in what was read; asked again')
        left = {"enum": [choices[i] for i in told]}
        again = talk.ask("answer_choice", WORDS_TOKENS, left, **values)
        better = replies.by_words(again.text.strip('"'), choices)
        chosen = better if better in told else chosen
    rests = evidence.supporting(context.lines, question, choices[chosen])
    # Of options that no line bears out small models choose no better than by chance, and what is
    # asked for because it is not told no line can bear out.
    sure = rests and not notes and not reckoning.NOT_TOLD.search(question)
    confidence: Confidence = "high" if sure else "low"
    text = choices[chosen]
    return _found(text, confidence, rests, chosen, reply.text, notes)


def _weighed(context: Context, question: str, choices: Sequence[str], talk: Talk) -> Answer | None:
    """By the likelihood of each letter and the captions' support together; None when there is no
    support or the model does not tell likelihoods. A small model reads captions badly and
    embeddings do not reason: they err in different places (docs/lab-log.md).
    """
    if not context.support:
        return None
    values = {"context": prompts.fenced(context.text), "question": question}
    likely = letters.likelihoods(talk, choices, values)
    if not likely:
        return None
    read, alike = letters.standard(likely), letters.standard(context.support)
    scores = [a + SUPPORT * b for a, b in zip(read, alike, strict=True)]
    chosen = max(range(len(choices)), key=scores.__getitem__)
    agree = max(read) == read[chosen] and max(alike) == alike[chosen]
    rests = evidence.supporting(context.lines, question, choices[chosen])
    note = "chosen by the likeliest letter and by which option the captions are most like"
    confidence: Confidence = "medium" if agree else "low"
    likeliest = chr(ord("A") + likely.index(max(likely)))
    return _found(choices[chosen], confidence, rests, chosen, likeliest, [note])


def _unmentioned(context: Context, question: str) -> Answer | None:
    """A denial where the whole timeline does not tell of what is asked: small models would rather
    invent than deny, so it is not asked of them.
    """
    if 2 * len(context.unheard) > context.asked and context.meant < MEANT:
        missed = ", ".join(worded(context.unheard, question))
        return _not_said(f"nothing in the video mentions: {missed}")
    if context.apart:
        missed = ", ".join(worded(context.apart, question))
        return _not_said(f"told nowhere with the rest: {missed}")
    return None


def _open_in_words(context: Context, fenced: str, question: str, talk: Talk) -> Answer:
    reply, text, rests, strange = _said_in_words(context, fenced, question, talk, ())
    notes = []
    if strange:
        # Repaired once: the model is told what it made up; what is still made up is marked, and
        # what it still takes from the prompt's example is no answer at all.
        first = _short(text)
        again = _said_in_words(context, fenced, question, talk, strange)
        if len(again[3]) < len(strange):
            reply, text, rests, strange = again
            notes.append(f'repaired; the model first said: "{first}"')
    if replies.denies(text):
        return _not_said(*notes)
    if _borrowed(text, question, context):
        told = "the model told of the prompt's own example"
        return replace(_not_said(*notes, told), verdict="unclear", confidence="low")
    confidence: Confidence = "high" if rests and not context.unheard else "medium"
    if not rests or 2 * len(context.unheard) == context.asked > 0:
        confidence = "low"
    found = _marked(_found(text, confidence, rests, None, reply.text, notes), question, strange)
    if evidence.repeats(text, question):
        told = "the answer only repeats the question"
        return replace(found, verdict="unclear", confidence="low", notes=(*found.notes, told))
    return found


def _said_in_words(
    context: Context, fenced: str, question: str, talk: Talk, wrong: Sequence[str]
) -> tuple[Reply, str, list[Evidence], list[str]]:
    """(reply, its first line, what it rests on, what in it stands nowhere)."""
    reply = talk.ask("answer_open", WORDS_TOKENS, context=fenced, question=question, wrong=wrong)
    text = replies.first_line(reply.text)
    if not text:
        raise ReplyError(f"{talk.model.name} gave an empty reply")
    rests = evidence.supporting(context.lines, question, text)
    if replies.denies(text):
        return reply, text, rests, []
    taken = _borrowed(text, question, context)
    rests, strange = evidence.resting(text, question, context.lines, rests, cited=False)
    return reply, text, rests, list(dict.fromkeys((*strange, *taken)))


def _borrowed(text: str, question: str, context: Context) -> Sequence[str]:
    """What a reply took from the example in the prompt."""
    sources = [question, *(n.text for n in evidence.own(context.lines))]
    return echoes.borrowed(text, prompts.load("answer_open").template, sources)


def _marked(found: Answer, question: str, strange: Sequence[str]) -> Answer:
    """An answer with what in it stands nowhere: it is not found, but where it may be reckoned."""
    if not strange:
        return found
    notes = (*found.notes, f"the timeline does not bear out: {', '.join(strange)}")
    reckoned = temporal.asks(question) in ("count", "how long") and all(map(figures, strange))
    verdict: Verdict = found.verdict if reckoned else "unclear"
    return replace(found, verdict=verdict, confidence="low", notes=notes)


def _structured(
    context: Context, question: str, choices: Sequence[str], talk: Talk, room: int
) -> Answer:
    """For larger models: think step by step, then one JSON object; repaired once."""
    values = {"context": prompts.fenced(context.text), "question": question, "choices": choices}
    found, strange = _thought(context, values, talk, room, ())
    if not strange:
        return found
    again, still = _thought(context, values, talk, room, strange)
    told = f'repaired; the model first said: "{_short(found.text)}"'
    if len(still) < len(strange):
        found, strange = replace(again, notes=(told, *again.notes)), still
    return _marked(found, question, strange)


def _thought(
    context: Context, values: dict[str, Any], talk: Talk, room: int, wrong: Sequence[str]
) -> tuple[Answer, list[str]]:
    """An answer from one JSON reply, and what in it stands nowhere in the timeline."""
    question, choices = values["question"], values["choices"]
    reply = talk.ask("answer_structured", room, STRUCTURED, **values, wrong=wrong)
    said = replies.json_object(reply.text)
    if said is None:
        if reply.finish == "length":
            raise ReplyError(
                f"{talk.model.name} needed more than {room} tokens",
                "raise --set reasoning.max_tokens=…",
            )
        raise ReplyError(f'{talk.model.name} gave no JSON: "{_short(reply.text)}"')
    reasoning = reply.reasoning or str(said.get("reasoning", ""))
    verdict = said.get("verdict", "unclear")
    text = str(said.get("answer", "")).strip()
    chosen = replies.option(text, choices) if choices else None
    if choices and chosen is None and verdict != "not_found":
        raise ReplyError(f'the reply "{_short(text)}" is none of the options')
    if verdict == "not_found" and chosen is None:
        return replace(_not_said(), reasoning=reasoning), []
    rests, notes = quotes.checked(_claims(said), context.lines)
    strange = list[str]()
    if not choices:
        rests, strange = evidence.resting(text, question, context.lines, rests, cited=True)
    confidence = said.get("confidence", "low")
    if confidence not in ("high", "medium") or not rests:
        confidence = "low"
    text = choices[chosen] if chosen is not None else text
    found = _found(text, confidence, rests, chosen, reasoning, notes)
    return replace(found, verdict="found" if verdict == "found" else "unclear"), strange


def _claims(said: dict[str, Any]) -> list[tuple[str, str]]:
    items = said.get("evidence")
    return [
        (str(item.get("time", "")), str(item["quote"]))
        for item in (items if isinstance(items, list) else [])
        if isinstance(item, dict) and item.get("quote")
    ]


def _found(
    text: str,
    confidence: Confidence,
    rests: Sequence[Evidence],
    chosen: int | None,
    reasoning: str,
    notes: Sequence[str],
) -> Answer:
    verdict: Verdict = "found"
    return Answer("", text, verdict, confidence, tuple(rests), (), chosen, reasoning, tuple(notes))


def _not_said(*notes: str) -> Answer:
    return Answer("", NOT_SAID, "not_found", "medium", notes=notes)


def _short(text: str) -> str:
    text = " ".join(text.split())
    return text if len(text) <= 80 else text[:79] + "…"
