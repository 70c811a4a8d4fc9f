"""What a batch is made of: a job a video, an ask a line, and the line itself; pure, picklable.

Knows no file, no screen and no process: the local engine and any other build on it.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal

from ..errors import InputError, SilvrError
from ..records import Answer, Chapter, Moment, Summary, Timeline, Usage
from ..remote import addresses

if TYPE_CHECKING:
    from ..settings import Settings

SCHEMA: Literal["silvr-batch/1"] = "silvr-batch/1"
Task = Literal["ask", "chapters", "summarize", "timeline", "find"]
Status = Literal["done", "failed"]
# Tasks that need a question.
ASKING: frozenset[Task] = frozenset({"ask", "find"})


def talks(task: Task, settings: Settings) -> bool:
    """Whether a task needs a text model."""
    return task in ("ask", "chapters", "summarize") or (task == "find" and settings.reading.find)


@dataclass(frozen=True, slots=True)
class Ask:
    """One line to come: a question with its choices, or nothing for tasks without one.

    `id` is what the user calls it; without one the line's id is made from what is asked of what.
    """

    question: str = ""
    choices: tuple[str, ...] = ()
    id: str = ""

    def line_id(self, task: Task, video: str) -> str:
        return self.id or digest([task, video, self.question, self.choices])[:12]


@dataclass(frozen=True, slots=True)
class Job:
    """All that is asked of one video: `video` is a path, or an address, as the user gave it."""

    number: int
    video: str
    task: Task
    asks: tuple[Ask, ...] = (Ask(),)


def shown(video: str) -> str:
    """A video's name for a screen or a log: a path as it is, an address without its secrets."""
    if not isinstance(addresses.place(video), str):
        return video
    try:
        return addresses.shown(video)
    except InputError:
        return f"{video.partition('://')[0]}://…"


@dataclass(frozen=True, slots=True)
class Failure:
    """Why there is no result. `stops` says that no other job can do better: limits, a full disk."""

    code: str
    message: str
    hint: str | None = None
    stops: bool = False
    exit_code: int = 1


@dataclass(frozen=True, slots=True)
class Seen:
    """What is known of a video before it is worked on: its content id, and the key of its timeline.

    With a failure, nothing further can be done, and the key stands for the failure.
    """

    content: str | None
    key: str
    failure: Failure | None = None


Outcome = Answer | tuple[Chapter, ...] | Summary | Timeline | tuple[Moment, ...]


@dataclass(frozen=True, slots=True)
class Done:
    """A task's result and what it took, in seconds and calls."""

    result: Outcome
    usage: Usage = Usage()
    seconds: float = 0.0


@dataclass(frozen=True, slots=True)
class Told:
    """The language stage is in the cache; what the user should know, and what it took this time.

    `done` is the end of the first ask where the same worker could see to it at once.
    """

    notes: tuple[str, ...] = ()
    usage: Usage = Usage()
    seconds: float = 0.0
    done: Done | Failure | None = None


@dataclass(frozen=True, slots=True)
class Error:
    """`code` names the kind of failure, such as input_error; `hint` says what to do."""

    code: str
    message: str
    hint: str | None = None


@dataclass(frozen=True, slots=True)
class Result:
    """One line of the output.

    `content` is the video's content id, `key` the hash of everything that the result depends on.
    `usage` and `seconds` tell what this line took in the run that wrote it; the language stage
    counts to the first line of its video.
    """

    id: str
    video: str
    content: str | None
    task: Task
    question: str
    choices: tuple[str, ...]
    status: Status
    result: Outcome | None
    error: Error | None
    notes: tuple[str, ...]
    models: dict[str, str]
    usage: Usage
    seconds: float
    key: str
    schema: Literal["silvr-batch/1"] = field(default=SCHEMA)


def ask_key(seen: Seen, task: Task, ask: Ask, identity: Mapping[str, Any]) -> str:
    """SHA-256 over the timeline's key, what is asked of it, and all that the task depends on."""
    if seen.failure:
        identity = {}
    return digest([seen.key, task, ask.question, list(ask.choices), ask.id, dict(identity)])


def failure(error: Exception, stops: bool = False) -> Failure:
    """An exception as a value; a bug, too, must not stop the other videos."""
    if isinstance(error, SilvrError):
        name = type(error).__name__
        code = "".join(f"_{c.lower()}" if c.isupper() else c for c in name).lstrip("_")
        return Failure(code, error.message, error.hint, stops, error.exit_code)
    told = f"{type(error).__name__}: {error}"
    return Failure("unexpected", told, "this is a bug in silvr: please report it")


def line(
    job: Job, ask: Ask, seen: Seen, key: str, models: Mapping[str, str], done: Done | Failure
) -> Result:
    """The line of one ask, without what the language stage took."""
    failed = isinstance(done, Failure)
    return Result(
        id=ask.line_id(job.task, job.video),
        video=job.video,
        content=seen.content,
        task=job.task,
        question=ask.question,
        choices=ask.choices,
        status="failed" if failed else "done",
        result=None if isinstance(done, Failure) else done.result,
        error=Error(done.code, done.message, done.hint) if isinstance(done, Failure) else None,
        notes=(),
        models=dict(models),
        usage=Usage() if isinstance(done, Failure) else done.usage,
        seconds=0.0 if isinstance(done, Failure) else done.seconds,
        key=key,
    )


def json_schema() -> dict[str, Any]:
    """The JSON schema of one line; published as docs/batch.schema.json."""
    from pydantic import TypeAdapter

    schema = TypeAdapter(Result).json_schema(mode="serialization")
    schema["required"] = list(schema["properties"])
    return schema


def digest(parts: Any) -> str:
    """SHA-256 of any JSON value, as hexadecimal digits."""
    text = json.dumps(parts, sort_keys=True, ensure_ascii=False)
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()
