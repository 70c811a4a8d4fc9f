"""Several questions about one video: follow-ups are made to stand alone, and all turns are kept."""

from __future__ import annotations

import re
import uuid
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field, replace
from typing import TYPE_CHECKING

from . import pipeline, prompts, replies
from .metering import guarded
from .protocols import Message, Request
from .records import Line
from .relevance import bare, terms
from .session import Answered, Described, Session
from .temporal import CLOCK, QUOTED
from .timeline import BLIND, clock

if TYPE_CHECKING:
    from .protocols import TextModel

# Words that point back to what was said before; "after the harvest" does not.
POINTING = re.compile(
    r"\b(it|its|that|this|these|those|they|them|their|he|him|his|she|her|there|then|else|same|"
    r"other|another|former|latter|next(?! to\b)|previous|afterwards?|"
    r"(?:before|after)(?=\s*(?:[.,;:?!]|$)))\b"
    r"|^\W*(and|but|so|(?:what|how) about)\b",
    re.IGNORECASE,
)
# What makes a sentence of one telling word; "How long?" and "At 0:36?" are the rest of one.
SENTENCE = re.compile(
    r"\b(is|are|was|were|does|did|do|has|have|had|can|could|will|would|should|said|says?|tells?|"
    r"told|happen\w*)\b|['’]s\b|^\W*who\b",
    re.IGNORECASE,
)
# A question that asks for nothing but what follows.
ONWARDS = re.compile(
    r"\W*(?:(?:and|so|but|now)\W+)*"
    r"(?:what(?:'s|’s|\s+(?:is|was|happens|happened|comes|came|follows|followed))?\W+)?"
    r"(?:right\s+|directly\s+)?(?:after\s+(?:that|this|it)|afterwards?|next|then)\W*",
    re.IGNORECASE,
)
# Turns shown for a rewriting; each of them is short, so that they fit any budget.
REMEMBERED, QUESTION_CHARACTERS, ANSWER_CHARACTERS = 4, 240, 240
REWRITTEN_TOKENS = 64
BACK = " (This goes back to: "


@dataclass(frozen=True, slots=True)
class Turn:
    """What was asked, as it was understood, what was answered, and the answer's record."""

    question: str
    understood: str
    answer: str
    record: str
    start: float | None = None
    end: float | None = None


@dataclass(frozen=True, slots=True)
class Conversation:
    """Turns about one video, in order, under an id by which they are taken up again."""

    id: str
    video: str
    turns: tuple[Turn, ...] = field(default=())


def begin(video: str) -> Conversation:
    return Conversation(uuid.uuid4().hex[:12], video)


def resume(beginning: str, session: Session) -> Conversation:
    """The conversation whose id begins so; raises UsageError when none or several do."""
    chat_id, video, turns = session.store.chat(beginning)
    return Conversation(chat_id, video, tuple(Turn(**turn) for turn in turns))


def say(
    conversation: Conversation,
    question: str,
    described: Described,
    session: Session,
    model: TextModel,
) -> tuple[Conversation, Answered]:
    """Answer the next question and keep the turn; raises ModelError as `pipeline.ask` does."""
    metered = guarded(model, session.meter, conversation.video, "chat")
    lines = described.timeline.lines
    understood = stand_alone(question, conversation.turns, metered, lines)
    answered = pipeline.ask(described, understood, (), session, model)
    first = answered.answer.evidence[0] if answered.answer.evidence else None
    turn = Turn(
        question,
        understood,
        answered.answer.text,
        answered.id,
        first.start if first else None,
        first.end if first else None,
    )
    kept = replace(conversation, turns=(*conversation.turns, turn))
    turns = [asdict(turn) for turn in kept.turns]
    session.store.keep_chat(kept.id, kept.video, turns)
    return kept, answered


def stand_alone(
    question: str, turns: Sequence[Turn], model: TextModel, lines: Sequence[Line] = ()
) -> str:
    """The question with what it points back to put in; unchanged when it stands alone.

    A rewriting that takes nothing from the turns before, loses the question's own words, or asks
    once more what was asked, is not believed: then `_in_place` puts in the last turn itself, or the
    time at which `lines`, in order, go on after it.
    """
    if not turns or _whole(question):
        return question
    shown = [{"question": _asked(t), "answer": _answered(t)} for t in turns[-REMEMBERED:]]
    prompt = prompts.load("standalone").fill(turns=shown, question=question)
    reply = model.chat([Message("user", prompt)], Request(REWRITTEN_TOKENS))
    text = replies.first_line(replies.without_thinking(reply.text)[0])
    return text if _believed(text, question, turns) else _in_place(question, turns[-1], lines)


def _whole(question: str) -> bool:
    """Whether a question is understood by itself: it names a time, quotes, or points to nothing."""
    own = terms(question)
    if not own or (len(own) == 1 and not SENTENCE.search(question)):
        return False
    return bool(CLOCK.search(question) or QUOTED.search(question) or not POINTING.search(question))


def _believed(text: str, question: str, turns: Sequence[Turn]) -> bool:
    said = {term for t in turns for term in terms(f"{t.understood} {t.answer}")}
    words, own = set(terms(text)), set(terms(question))
    # Who asks the same again may get the same again, but not who asks for what follows.
    others = [t for t in turns if ONWARDS.fullmatch(question) or bare(t.question) != bare(question)]
    again = {bare(asked) for t in others for asked in (t.question, _asked(t))}
    complete = bool(words & said) and own <= words <= said | own
    return complete and text.endswith("?") and bare(text) not in again


def _in_place(question: str, last: Turn, lines: Sequence[Line]) -> str:
    """The question with the last turn behind it, or what is told at the time for which it asks."""
    if last.end is not None and ONWARDS.fullmatch(question):
        return _next(last.end, lines)
    known = last.start is not None and last.end is not None
    at = f" at {clock(last.start or 0)}-{clock(last.end or 0)}" if known else ""
    # Unquoted: what was quoted then is not what this question asks after.
    before = _asked(last).replace('"', "'")
    return f"{question}{BACK}{before} {_answered(last)}{at})"


def _next(end: float, lines: Sequence[Line]) -> str:
    later = [n for n in lines if n.start >= end and n.source != BLIND]
    said = [n for n in later if n.kind == "speech"]
    if said:
        return f"What is said at {clock(said[0].start)}?"
    return f"What is shown at {clock(later[0].start)}?" if later else f"What is after {clock(end)}?"


def _asked(turn: Turn) -> str:
    """What was asked, without what an earlier turn put in: it would grow turn by turn."""
    return turn.understood.partition(BACK)[0][:QUESTION_CHARACTERS]


def _answered(turn: Turn) -> str:
    return turn.answer[:ANSWER_CHARACTERS]
