"""What besides shared words tells how well lines go with a question: pictures, meaning, the model.

Each gives a share from 0 to 1 a line, the largest counts; each is asked only where it is worth its
cost. Joins the settings' models to the reduction; knows no prompt's words and no provider.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import closing
from dataclasses import dataclass
from typing import TYPE_CHECKING

from . import backends, focus, prompts, replies
from .embeddings import keeping
from .errors import ModelError
from .relevance import Index, terms
from .talk import Talk
from .timeline import sees

if TYPE_CHECKING:
    from .protocols import TextModel, Vectors
    from .records import Context, Line
    from .session import Described, Session

# Where fewer of the question's telling words than this are missing, words find what is meant.
MISSING = 1 / 3
# Cosines of sentences that have nothing to do with each other, and of such as say the same.
UNLIKE, SAME = 0.2, 0.7
# Texts that an embedder on a plain machine reads while somebody waits.
MOST_TEXTS = 2000
# An option is judged by so many sentences, those most like it.
BEST, TINY = 5, 1e-9
# What a model is shown to judge: so many lines, the likeliest by words, cut at so many letters.
SHOWN, LETTERS = 40, 160
LOOK_TOKENS, JUDGE_TOKENS = 120, 160
LOOK = {
    "type": "object",
    "properties": {"look_for": {"type": "array", "items": {"type": "string"}, "maxItems": 8}},
    "required": ["look_for"],
    "additionalProperties": False,
}
JUDGE = {
    "type": "object",
    "properties": {"lines": {"type": "array", "items": {"type": "integer"}, "maxItems": 12}},
    "required": ["lines"],
    "additionalProperties": False,
}

_Way = Callable[[Sequence["Line"]], Sequence[float]]


@dataclass(frozen=True, slots=True)
class Hinter:
    """The hints for one question about one video; called with the lines to choose from."""

    described: Described
    question: str
    choices: tuple[str, ...]
    session: Session
    model: TextModel

    def __call__(self, lines: Sequence[Line]) -> Sequence[float]:
        ways: tuple[_Way, ...] = (self._by_pictures, self._by_meaning, self._by_model)
        found = [hinted for way in ways if (hinted := way(lines))]
        return [max(shares) for shares in zip(*found, strict=True)]

    def _by_pictures(self, lines: Sequence[Line]) -> Sequence[float]:
        vectors, settings = self.described.vectors, self.session.settings
        if not vectors or not vectors.times:
            return ()
        from . import likeness

        model = backends.image_embedder(settings.models.embed, settings, self.session.progress)
        if model is None:
            return ()
        with closing(model):
            try:
                (query,) = model.embed([self.question])
            except ModelError as error:
                self.session.tell(f"the question is compared with words alone: {error}")
                return ()
        return likeness.hints(query, vectors, lines)

    def _by_meaning(self, lines: Sequence[Line]) -> Sequence[float]:
        """By sentence embeddings, where the question's words are not those of the video."""
        if len(lines) > MOST_TEXTS or not self._words_miss(lines):
            return ()
        found = self._embedded([line.text for line in lines], [self.question])
        if found is None:
            return ()
        alike = (found[0] @ found[1][0] - UNLIKE) / (SAME - UNLIKE)
        return [min(1.0, max(0.0, float(share))) for share in alike]

    def support(self) -> tuple[float, ...]:
        """How well the captions of a model that sees go with each option, alone and as the answer
        to the question; () where there are none, or no embedder, or the model reads well itself.
        """
        lines = self.described.timeline.lines
        share = sum(map(sees, lines)) / max(1, len(lines))
        if len(self.choices) < 2 or share < 0.5 or not self.model.prefers_words:
            return ()
        seen = (line for line in focus.news(lines) if sees(line))
        texts = list(dict.fromkeys(s for n in seen for s in focus.SENTENCE.split(n.text)))
        both = [f"{self.question} {choice}" for choice in self.choices]
        found = self._embedded(texts, [*self.choices, *both]) if len(texts) <= MOST_TEXTS else None
        if found is None:
            return ()
        import numpy as np

        alike = np.sort(found[0] @ found[1].T, axis=0)[-BEST:].mean(axis=0)
        ways = alike.reshape(2, len(self.choices))
        ways = (ways - ways.mean(axis=1, keepdims=True)) / (ways.std(axis=1, keepdims=True) + TINY)
        return tuple(float(score) for score in ways.sum(axis=0))

    def meant(self, context: Context) -> float:
        """How surely a line says in other words what is asked; 0 where the question's words are
        found, or no embedder is at hand, or the model reads well itself.
        """
        if not (context.unheard and self.model.prefers_words) or self.choices:
            return 0.0
        return max(self._by_meaning(self.described.timeline.lines), default=0.0)

    def _embedded(self, texts: list[str], asked: list[str]) -> tuple[Vectors, Vectors] | None:
        """(rows of the texts, rows of what is asked); None where no embedder is at hand."""
        settings = self.session.settings
        # Nobody waits for weights that only might help: by itself it takes what is here.
        weights = settings.weights.model_copy(update={"offline": True})
        here = settings.model_copy(update={"weights": weights})
        choice = backends.resolve("embed", settings.models.embed, here)
        if choice.spec == "none":
            return None
        model = backends.embedder(choice.spec, settings, self.session.progress)
        if hasattr(model, "embed_images"):
            # What sees compares words with pictures; sentences with each other it tells badly.
            return None
        video = self.described.timeline.video.id
        with closing(keeping(model, self.session.store, self.session.meter, video)) as kept:
            try:
                return kept.embed(texts), kept.embed(asked, query=True)
            except ModelError as error:
                if settings.models.embed != "auto":
                    raise
                self.session.tell(f"the question is compared by words alone: {error}")
                return None

    def _words_miss(self, lines: Sequence[Line]) -> bool:
        asked = set(terms(self.question))
        heard = {term for line in lines for term in terms(line.text)}
        return bool(asked) and len(asked - heard) >= MISSING * len(asked)

    def _by_model(self, lines: Sequence[Line]) -> Sequence[float]:
        """What a larger model looks for, and which of the likeliest lines it holds to bear on it.

        Small models are not asked: their reading is what the reduction spares.
        """
        look = self.session.settings.reduction.look
        if look == "words" or (look == "auto" and self.model.prefers_words):
            return ()
        talk = Talk(self.model)
        wanted = self._look_for(talk)
        scores = Index([line.text for line in lines]).scores(
            " ".join((self.question, *self.choices, *wanted))
        )
        best = max(scores, default=0.0) or 1.0
        likely = sorted(range(len(lines)), key=lambda i: -scores[i])[:SHOWN]
        judged = self._judged(talk, [lines[i] for i in sorted(likely)])
        chosen = {sorted(likely)[number] for number in judged}
        return [1.0 if i in chosen else score / best for i, score in enumerate(scores)]

    def _look_for(self, talk: Talk) -> list[str]:
        reply = talk.ask(
            "look_for", LOOK_TOKENS, LOOK, question=self.question, choices=self.choices
        )
        said = (replies.json_object(reply.text) or {}).get("look_for")
        return [str(item) for item in said] if isinstance(said, list) else []

    def _judged(self, talk: Talk, lines: Sequence[Line]) -> set[int]:
        """Indices into `lines` that the model names."""
        told = "\n".join(
            f"{number}. {' '.join(line.text.split())[:LETTERS]}"
            for number, line in enumerate(lines)
        )
        shown = prompts.fenced(told)
        reply = talk.ask("judge_lines", JUDGE_TOKENS, JUDGE, context=shown, question=self.question)
        said = (replies.json_object(reply.text) or {}).get("lines")
        found = said if isinstance(said, list) else []
        return {number for number in found if isinstance(number, int) and 0 <= number < len(lines)}
