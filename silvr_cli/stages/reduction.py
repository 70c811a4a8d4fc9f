"""Timeline -> context: the text that fits a budget of tokens, and what was left out of it.

Three ways with one interface, each pure over lines: `all`, `paper` (SiLVR's Adaptive Context
Reduction) and `focus` (tokens go where the question is). Nothing is cut silently.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from .. import evidence, focus, reckoning, temporal, titled
from ..errors import UsageError
from ..focus import LINE_BREAK, Count, spread
from ..records import Context, Line, Plan, Timeline
from ..relevance import Index, asks_in_english, is_english, terms
from ..timeline import KINDS, as_text, levels, line_text, merge_captions

# How well what is shown in each line's span goes with the question, 0 to 1; () when nobody knows.
Hints = Callable[[Sequence[Line]], Sequence[float]]
# The whole video captioned again in clips of so many seconds; () when nobody can.
Coarser = Callable[[float], Sequence[Line]]

LONGEST_CLIP = 4096.0
# No tokenizer makes so many bytes into one token on average: what has more needs no counting.
BYTES_A_TOKEN, USUAL_BYTES = 16, 4
# Of long text so many lines, evenly, tell how many tokens it has; so far over, that is enough.
SAMPLE, FAR_OVER = 256, 2
# The bytes of a line's times and kind.
FRAME = 24
# Lines counted at once while a kind of lines is thinned out, and the tokens of the shortest line.
AT_ONCE, LEAST_LINE = 64, 8
# Words for a video and what it tells, which it need not have itself.
META = frozenset(
    terms(
        "describe list explain summarize main idea topic subject theme kind type sort sentence"
        " title text display write written end beginning person people participant speaker"
        " presenter host lecturer narrator different use used make made item thing detail language"
        " story cover named briefly shortly short everything anything something all half quarter"
        " middle hour minute second third fourth fifth sixth seventh eighth ninth tenth important"
        " key point takeaway overall exactly video recording whole entire discussed explained"
        " introduced talked described covered"
    )
)
# What a context lacks of a question's words counts from this share of their rarity on: of 170 such
# questions about two films the answer stood in 16 contexts (docs/lab-log.md).
UNREAD_SHARE = 0.5
# The share of the budget that shows the whole video in headlines, by what the question asks.
OVERVIEW = {"when": 0.3, "how long": 0.3, "order": 0.5, "count": 0.1, "": 0.1}


@dataclass(frozen=True, slots=True)
class Budget:
    """Room for the timeline's text, in tokens of the model that `count` counts for.

    `coarser` is asked for captions of longer clips where there is a model that sees.
    """

    tokens: int
    count: Count
    coarser: Coarser | None = None


@dataclass(frozen=True, slots=True)
class _Task:
    """One reduction: what is to be reduced, for which question, into which budget."""

    timeline: Timeline
    lines: tuple[Line, ...]
    question: str
    choices: tuple[str, ...]
    budget: Budget


def reduce(
    timeline: Timeline,
    question: str | None,
    choices: Sequence[str],
    budget: Budget,
    method: str,
    hints: Hints | None = None,
) -> Context:
    """The lines that go in front of the model, in order of time, never over the budget.

    `hints` are asked for only when lines have to be chosen by a question that has telling words.
    Raises UsageError when `method` cannot be carried out.
    """
    lines = focus.told_once(timeline.lines)
    task = _Task(timeline, lines, question or "", tuple(choices), budget)
    if question and method in ("auto", "all", "focus"):
        told = timeline.lines
        worked = temporal.derived(question, choices, told)
        worked = worked or reckoning.derived(question, choices, told)
        room = budget.tokens - _tokens(worked, budget)
        if worked and room > 0:
            rest = replace(task, budget=replace(budget, tokens=room))
            return _timed(_with(worked, _reduced(rest, method, hints), budget), task)
    return _timed(_reduced(task, method, hints), task)


def _timed(context: Context, task: _Task) -> Context:
    """With what the times of the whole timeline tell, if the question asks for it."""
    asked, lines = temporal.asks(task.question), task.timeline.lines
    if not asked:
        said = reckoning.said_at(task.question, task.choices, lines)
        said = said or reckoning.unsaid(task.question, task.choices, lines)
        said = said or reckoning.nth(task.question, task.choices, lines)
        return replace(context, settled=said) if said else context
    parts = titled.parts(lines) if asked in ("when", "how long") else ()
    settled = temporal.settled(task.question, task.choices, lines)
    settled = settled or reckoning.settled(task.question, task.choices, lines)
    length = task.timeline.video.duration
    settled = settled or reckoning.whole(task.question, task.choices, length)
    settled = settled or reckoning.nth(task.question, task.choices, lines)
    return replace(context, parts=parts, settled=settled, length=length)


def _reduced(task: _Task, method: str, hints: Hints | None) -> Context:
    if method in ("auto", "all"):
        whole = _tokens(task.lines, task.budget)
        if whole <= task.budget.tokens:
            context = _context(task.lines, task, "all", "everything fits")
            return _missed(context, task, task.lines, Index([n.text for n in task.lines]))
        if method == "all":
            raise UsageError(
                f"the timeline has {whole} tokens and the budget is {task.budget.tokens}",
                "raise --budget or let --reduction auto choose",
            )
    if method in ("segments", "focus") and not task.question:
        raise UsageError(f"reduction '{method}' needs a question", "use paper")
    if method == "segments":
        raise UsageError("reduction 'segments' reads with a model", "ask with --reduction segments")
    if not task.question:
        return _paper(task)
    if method == "paper":
        return _missed(_paper(task), task, task.lines, Index([n.text for n in task.lines]))
    return _focus(task, hints)


def _over(task: _Task) -> str:
    tokens, room = _tokens(task.lines, task.budget), task.budget.tokens
    return f"about {tokens} tokens {'do not fit' if tokens > room else 'for'} {room}"


def _fits(lines: Sequence[Line]) -> str:
    clips = levels(lines)
    return "everything fits" + (f" with captions of {clips[0]:g}-second clips" if clips else "")


def _focus(task: _Task, hints: Hints | None) -> Context:
    """Tokens go where the question is; what it shares no word with is shown in overview."""
    lines = focus.news(task.lines)
    index = Index([n.text for n in lines])
    seen = hints(lines) if hints and terms(task.question) else ()
    scores = focus.relevance(lines, task.question, task.choices, seen, index)
    times = temporal.moments(task.question, task.timeline.lines)
    scores = focus.at_times(scores, lines, times)
    near = (*temporal.near(task.question, task.choices, lines), *times)
    wish = focus.Wish(task.question, OVERVIEW[temporal.asks(task.question)], near)
    kept = focus.focused(lines, wish, scores, task.budget.tokens, task.budget.count)
    if not kept:
        # "What is this about?" shares no word with what is said: show some of everything.
        context = _paper(task)
        reason = f"the question shares no word with the timeline; {context.plan.reason}"
        shown = replace(context, plan=replace(context.plan, reason=reason))
    else:
        reason = f"{_over(task)}: kept what the question is about"
        reason += ", by words and by hints" if seen else ""
        shown = _context(kept, task, "focus", reason)
    return _missed(shown, task, lines, index)


def _missed(context: Context, task: _Task, lines: Sequence[Line], index: Index) -> Context:
    """With the question's words that the timeline nowhere has, and those that it has and the
    context has not if they weigh the most, where that can be told: words can only be missed where
    question and video share a language that we can stem.
    """
    said = " ".join(line.text for line in task.lines[:2000] if line.kind != "caption")
    if not (asks_in_english(task.question) and is_english(said)):
        return context
    if temporal.moments(task.question, task.timeline.lines):
        return context
    frame = temporal.FRAME | META | evidence.ASKED_FOR
    asked = tuple(
        term
        for term in dict.fromkeys(terms(task.question))
        if term in index.frequency or term not in frame
    )
    missed = tuple(term for term in asked if term not in index.frequency)
    read = {term for line in context.lines for term in terms(line.text)}
    weights = {term: index.weight(term) for term in asked if term not in frame}
    unread = tuple(term for term, weight in weights.items() if weight and term not in read)
    if sum(weights[term] for term in unread) < UNREAD_SHARE * sum(weights.values()):
        unread = ()
    apart = evidence.apart(task.question, lines, index)
    return replace(context, unheard=missed, unread=unread, asked=len(asked), apart=apart)


def _context(
    kept: Sequence[Line],
    task: _Task,
    name: str,
    reason: str,
    left_out: tuple[str, ...] = (),
) -> Context:
    text = as_text(kept)
    tokens = task.budget.count([text])[0]
    had = task.timeline.lines
    left_out = left_out or focus.left_out(kept, had)
    plan = Plan(name, reason, task.budget.tokens, tokens, len(kept), len(had), left_out)
    return Context(text, tuple(kept), plan)


def _with(worked: Sequence[Line], context: Context, budget: Budget) -> Context:
    """The context with lines before it that were worked out from the times: of what has an answer
    there nothing is missed.
    """
    lines = (*worked, *context.lines)
    text = as_text(lines)
    plan = replace(context.plan, budget=budget.tokens, tokens=budget.count([text])[0])
    return replace(context, text=text, lines=lines, plan=plan, unheard=(), unread=(), apart=())


# -- paper


def finest(timelines: Sequence[Timeline], budget: Budget) -> Timeline:
    """The first that fits of one video's timelines, finest captions first; else the last.

    The paper's method over captions of every clip length that were made beforehand.
    """
    fits = (told for told in timelines if _tokens(told.lines, budget) <= budget.tokens)
    return next(fits, timelines[-1])


def _paper(task: _Task) -> Context:
    """Double the clip length of captions until all fits; speech is cut only when it alone is over.

    Adaptive Context Reduction, SiLVR (arXiv 2505.24869), section 3.2. Where a vision model can, it
    captions the longer clip; else neighbouring captions are folded together.
    """
    budget, kept, level, ways = task.budget, task.lines, 0.0, dict[str, None]()
    whole = tokens = _tokens(kept, budget)
    worth = _worth_asking(kept, whole, budget)
    others = _tokens([line for line in kept if line.kind != "caption"], budget)
    # Where the other kinds alone are over, no caption however coarse has room.
    fit = others <= budget.tokens
    while fit and tokens > budget.tokens and (found := levels(kept)) and found[0] < LONGEST_CLIP:
        level = found[0] * 2
        again = budget.coarser(level) if budget.coarser and worth(level) else ()
        kept = _captioned_again(kept, again, level) if again else merge_captions(kept, level)
        ways = {"captioned again": None} if again else {**ways, "merged": None}
        tokens = _tokens(kept, budget)
    reason = _over(task) if whole > budget.tokens else _fits(kept)
    left_out: tuple[str, ...] = ()
    if level:
        reason += f": captions of {level:g}-second clips, {' and '.join(ways)}"
        left_out = (f"captions finer than {level:g} seconds",)
    for kind in ("caption", "sound", "screen", "summary", "speech"):
        if tokens > budget.tokens:
            kept, said = _thinned(kept, kind, budget)
            left_out += (said,) if said else ()
            tokens = _tokens(kept, budget)
    return _context(kept, task, "paper", reason, left_out)


def _worth_asking(lines: Sequence[Line], whole: int, budget: Budget) -> Callable[[float], bool]:
    """Whether captions of a clip length could fit, if each is as long as those that there are.

    Where not, the model is spared the calls: a still longer clip follows anyway.
    """
    captions = [n for n in lines if n.kind == "caption" and n.level]
    spent, finest = _tokens(captions, budget), min((n.level or 0.0 for n in captions), default=0.0)

    def worth(level: float) -> bool:
        return whole - spent + spent * finest / level <= budget.tokens

    return worth


def _captioned_again(kept: Sequence[Line], again: Sequence[Line], level: float) -> tuple[Line, ...]:
    """The new captions in place of all finer ones."""
    others = [n for n in kept if n.kind != "caption" or (n.level or 0.0) >= level]
    return tuple(sorted((*others, *again), key=lambda n: (n.start, n.end, KINDS.index(n.kind))))


def _thinned(lines: tuple[Line, ...], kind: str, budget: Budget) -> tuple[tuple[Line, ...], str]:
    """Drop lines of one kind evenly over time, about as few as bring the text under the budget.

    It ends with the first lines of which none has room any more: a day's lines are not all counted.
    """
    mine = [index for index, line in enumerate(lines) if line.kind == kind]
    if not mine:
        return lines, ""
    room = budget.tokens - _tokens([line for line in lines if line.kind != kind], budget)
    chosen: set[int] = set()
    order = spread(mine)
    for begin in range(0, len(order), AT_ONCE):
        some, before = order[begin : begin + AT_ONCE], room
        for index, cost in zip(some, _costs([lines[i] for i in some], budget), strict=True):
            if cost <= room:
                room -= cost
                chosen.add(index)
        if room < LEAST_LINE or (chosen and room == before):
            break
    kept = tuple(n for i, n in enumerate(lines) if n.kind != kind or i in chosen)
    return kept, f"{len(mine) - len(chosen)} of {len(mine)} {kind} lines, evenly over the video"


def _costs(lines: Sequence[Line], budget: Budget) -> list[int]:
    return [cost + LINE_BREAK for cost in budget.count([line_text(n) for n in lines])]


def _tokens(lines: Sequence[Line], budget: Budget) -> int:
    """Tokens of the lines; an estimate where they are so many that they cannot fit."""
    size = _bytes(lines)
    if size > BYTES_A_TOKEN * budget.tokens:
        return size // USUAL_BYTES
    if len(lines) > 2 * SAMPLE:
        # An odd step falls in with no pattern of two or four kinds in turn.
        some = lines[:: len(lines) // SAMPLE | 1]
        about = sum(_costs(some, budget)) * (size + FRAME * len(lines))
        about //= _bytes(some) + FRAME * len(some)
        if about > FAR_OVER * budget.tokens:
            return about
    return sum(_costs(lines, budget))


def _bytes(lines: Sequence[Line]) -> int:
    return sum(len(line.text.encode("utf-8", "replace")) for line in lines)
