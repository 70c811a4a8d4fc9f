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
from .relevance import terms
from .session import Answered, Described, Session
from .timeline import clock

if TYPE_CHECKING:
    from .protocols import TextModel

# Words that point back to what was said before.
POINTING = re.compile(
    r"\b(it|its|that|this|these|those|they|them|their|he|him|his|she|her|there|then|else|same|"
    r"other|another|former|latter|before|after|next|previous)\b|^\s*(and|but|so|why|how so)\b",
    re.IGNORECASE,
)
# Turns shown for a rewriting; each of them is short, so that they fit any budget.
REMEMBERED, ANSWER_CHARACTERS = 4, 240
REWRITTEN_TOKENS = 64


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
    understood = stand_alone(question, conversation.turns, metered)
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


def stand_alone(question: str, turns: Sequence[Turn], model: TextModel) -> str:
    """The question with what it points back to put in; unchanged when it points to nothing.

    A rewriting that takes nothing from the turns before, or loses the question's own words, is not
    believed: then the last turn is added as it is.
    """
    if not turns or not (POINTING.search(question) or len(terms(question)) < 2):
        return question
    shown = [
        {"question": t.understood, "answer": t.answer[:ANSWER_CHARACTERS]}
        for t in turns[-REMEMBERED:]
    ]
    prompt = prompts.load("standalone").fill(turns=shown, question=question)
    reply = model.chat([Message("user", prompt)], Request(REWRITTEN_TOKENS))
    text = replies.first_line(replies.without_thinking(reply.text)[0])
    said = {term for t in turns for term in terms(f"{t.understood} {t.answer}")}
    words, own = set(terms(text)), set(terms(question))
    if text.endswith("?") and words & said and own <= words and words <= said | own:
        return text
    last = turns[-1]
    at = f" at {clock(last.start)}" if last.start is not None else ""
    return f"{question} (This goes back to: {last.understood} {last.answer}{at})"
