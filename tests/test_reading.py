"""Reading: stretches ranked by what a model would ask after them, or ordered by a larger one."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from subprocess import CompletedProcess

import pytest
import servers
from conftest import Desk, VideoMaker
from scripted import Scripted
from servers import serving
from test_cli import silvr

from silvr_cli import backends
from silvr_cli.configuration import load
from silvr_cli.errors import ReplyError, UsageError
from silvr_cli.protocols import Message, Reply, Request
from silvr_cli.stages.reading import read
from silvr_cli.talk import Talk

ROOM = 200
TEXTS = ("The ferry leaves at nine.", "We paint the hull.", "Nets are mended here.")


class Guesser(Scripted):
    """Finds a query likelier the more of its words the stretch has; with replies says these."""

    def __init__(self, *replies: str) -> None:
        super().__init__(*replies)
        self.guesses, self.forced = not replies, []

    def chat(self, messages: Sequence[Message], request: Request = Request()) -> Reply:
        if not self.guesses:
            return super().chat(messages, request)
        prompt, words = messages[-1].content, (request.forced or "").split()
        self.asked.append(prompt)
        self.forced.append(request.forced)
        return Reply(" ".join(words), likelihood=-10.0 + sum(word in prompt for word in words))


def test_the_stretch_after_which_the_query_is_likeliest_stands_highest(desk: Desk) -> None:
    model = Guesser()
    found = read(TEXTS, "when  the ferry\nleaves", Talk(model), desk, ROOM)
    assert found.index(max(found)) == 0
    assert model.forced == ["when the ferry leaves"] * 3
    assert all(text in prompt for text, prompt in zip(TEXTS, model.asked, strict=True))
    assert desk.reports[-1] == (3, 3)


def test_what_has_been_read_is_not_read_again(desk: Desk) -> None:
    first = read(TEXTS, "ferry", Talk(Guesser()), desk, ROOM)
    again = Guesser()
    assert read(TEXTS, "ferry", Talk(again), desk, ROOM) == first
    assert again.asked == []


def test_a_model_that_tells_no_likelihoods_puts_all_in_order_at_once(desk: Desk) -> None:
    model = Guesser("Nets.", json.dumps({"places": [3, 1, 3, 9, "x"]}))
    found = read(TEXTS, "nets", Talk(model), desk, ROOM)
    assert sorted(range(3), key=lambda i: -found[i]) == [2, 0, 1]
    assert len(model.asked) == 2, "one call in which it could have told its likelihood"
    prompt = model.asked[-1]
    assert all(f"{number}. {text}" in prompt for number, text in enumerate(TEXTS, 1))


def test_all_stretches_are_shown_to_a_model_with_little_room(desk: Desk) -> None:
    model = Guesser("Numbers.", '{"places": [2]}')
    model.context_length = 700
    texts = [f"The number is {number}. " + "More is told. " * 200 for number in range(5)]
    found = read(texts, "numbers", Talk(model), desk, ROOM)
    assert found.index(max(found)) == 1
    prompt = model.asked[-1]
    assert all(f"The number is {number}." in prompt for number in range(5))
    assert len(prompt.split()) <= 700 - ROOM


def test_no_order_at_all_is_an_error(desk: Desk) -> None:
    with pytest.raises(ReplyError, match="scripted put no stretches in order: 'The nets'"):
        read(TEXTS, "nets", Talk(Guesser(*["The nets"] * 3)), desk, ROOM)


@pytest.mark.parametrize("places", ['["3", "part 1"]', "[3.0]", "[true, 3]", '[{"part": 1}, "3"]'])
def test_numbers_are_taken_as_a_model_writes_them(desk: Desk, places: str) -> None:
    model = Guesser("Nets.", f'{{"places": {places}}}')
    found = read(TEXTS, "nets", Talk(model), desk, ROOM)
    assert found.index(max(found)) == 2
    assert sorted(found)[:2] == [-3.0, -3.0], "the others come last"


@pytest.mark.parametrize("places", ['["part 3"]', "[0]", '[{"part": 3}]', '"3"'])
def test_a_list_without_a_usable_number_is_asked_for_again(desk: Desk, places: str) -> None:
    model = Guesser("Nets.", f'{{"places": {places}}}', '{"places": [3]}')
    found = read(TEXTS, "nets", Talk(model), desk, ROOM)
    assert found.index(max(found)) == 2
    assert len(model.asked) == 3


def test_no_stretch_at_all_may_be_about_it(desk: Desk) -> None:
    found = read(TEXTS, "bread", Talk(Guesser("Nets.", '{"places": []}')), desk, ROOM)
    assert len(set(found)) == 1


def test_a_model_that_thinks_gets_the_room_that_it_is_given(desk: Desk) -> None:
    class Thinker(Guesser):
        def chat(self, messages: Sequence[Message], request: Request = Request()) -> Reply:
            self.forced.append(str(request.max_tokens))
            if request.max_tokens < 700:
                self.asked.append(messages[-1].content)
                return Reply("", "First, ", finish="length")
            return super().chat(messages, request)

    assert read(TEXTS, "nets", Talk(Thinker('{"places": [3]}')), desk, 768)[2] == 0.0
    with pytest.raises(ReplyError, match=r"raise --set reasoning\.max_tokens"):
        read(TEXTS, "nets", Talk(Thinker("never said")), desk, 32)


def test_what_a_small_model_reads_fits_its_context(desk: Desk) -> None:
    model = Guesser()
    model.context_length = 700
    read(["The ferry. " + "word " * 9000, "Nets."], "ferry", Talk(model), desk, ROOM)
    assert all(len(prompt.split()) <= 700 for prompt in model.asked)
    with pytest.raises(UsageError, match="the query is too long for scripted"):
        read(TEXTS, "ferry " * 600, Talk(model), desk, ROOM)


def talk(folder: Path) -> Path:
    """Subtitles of two minutes, long enough for several stretches."""
    clock = "00:{:02d}:{:02d},000".format
    said = [f"Sentence number {i} tells of the ferry and of its timetable." for i in range(60)]
    blocks = [
        f"{i}\n{clock(*divmod(2 * i, 60))} --> {clock(*divmod(2 * i + 1, 60))}\n{text}\n"
        for i, text in enumerate(said)
    ]
    (folder / "talk.srt").write_text("\n".join(blocks), "utf-8")
    return folder / "talk.srt"


@pytest.mark.parametrize("flags", [("--read",), ("--llm", "fake"), ("--set", "reading.find=true")])
def test_find_has_a_query_read_once(tmp_path: Path, flags: tuple[str, ...]) -> None:
    def find(query: str, *more: str) -> CompletedProcess[str]:
        ran = silvr("find", "--subtitles", talk(tmp_path), query, "--dry-run", "--json", *more)
        assert ran.returncode == 0, ran.stderr
        return ran

    first, again = find("the ferry", *flags), find("the ferry", *flags)
    assert json.loads(first.stdout)["moments"]
    assert "reading done" in first.stderr
    assert "reading done" not in again.stderr
    assert again.stdout == first.stdout
    assert "reading done" in find("a timetable", *flags).stderr
    assert "reading" not in find("the ferry").stderr


def test_a_model_on_a_server_puts_the_stretches_in_order(tmp_path: Path) -> None:
    moves = [servers.chat("The ferry."), servers.chat('{"places": [4]}')]
    with serving(servers.openai_routes() | {"/v1/chat/completions": moves}) as server:
        flags = ("--llm", "openai/small", "--base-url", f"{server.url}/v1", "--embed", "none")
        words = ("find", "--subtitles", talk(tmp_path), "ferry timetable", "--json", "--top", "1")
        read = silvr(*words, *flags, OPENAI_API_KEY="k")
        first, second = server.bodies("/v1/chat/completions")
    assert read.returncode == 0, read.stderr
    (moment,) = json.loads(read.stdout)["moments"]
    shown = second["messages"][-1]["content"]
    fourth = shown.partition("4. ")[2].partition("5. ")[0]
    assert moment["text"].partition(". ")[0] in fourth
    assert "grammar" not in first


def test_a_model_that_cannot_read_is_told_and_not_taken_for_an_embedder(tmp_path: Path) -> None:
    moves = [servers.error(400, "too small for this")]
    with serving(servers.openai_routes() | {"/v1/chat/completions": moves}) as server:
        flags = ("--llm", "openai/small", "--base-url", f"{server.url}/v1")
        words = ("find", "--subtitles", talk(tmp_path), "ferry timetable")
        ran = silvr(*words, *flags, "--embed", "none", OPENAI_API_KEY="k")
    assert (ran.returncode, ran.stdout) == (4, "")
    assert "too small for this" in ran.stderr
    assert "by words alone" not in ran.stderr


@pytest.mark.models
def test_a_model_that_is_not_there_is_not_taken_for_the_embedder_that_is(tmp_path: Path) -> None:
    words = ("find", "--subtitles", talk(tmp_path), "ferry", "--llm", "ollama/small")
    ran = silvr(*words, OLLAMA_HOST="127.0.0.1:9")
    assert (ran.returncode, ran.stdout) == (4, "")
    assert ran.stderr.count("there is no Ollama server") == 1


def test_a_batch_of_queries_has_them_read(tmp_path: Path, subtitled: VideoMaker) -> None:
    video = subtitled(talk(tmp_path).read_text("utf-8"), 120)
    words = ("batch", video, "--task", "find", "--question", "the ferry", "--embed", "fake")
    fakes = ("--llm", "fake", "--set", "reading.find=true", "--reader", "none")
    ran = silvr(*words, *fakes, "--vision", "none", "-o", tmp_path / "out.jsonl")
    assert ran.returncode == 0, ran.stderr
    (line,) = map(json.loads, (tmp_path / "out.jsonl").read_text("utf-8").splitlines())
    assert line["result"]
    assert line["models"]["llm"] == "fake"
    assert line["usage"]["calls"] == 2


@pytest.mark.models
def test_a_small_model_finds_the_stretch_that_answers(desk: Desk) -> None:
    model = backends.text_model("llamacpp/qwen2.5-coder-0.5b", load().settings)
    texts = (
        "Ann: The new remote control should be made of rubber. Ben: Children drop it all the time.",
        "Ann: We have four hundred thousand euros left for posters. Ben: That is not much.",
        "Ann: The next meeting is on Tuesday. Ben: I cannot come before ten.",
    )
    try:
        found = [
            read(texts, query, Talk(model), Desk(), ROOM)
            for query in ("Which material was chosen?", "How much money can be spent?")
        ]
    finally:
        model.close()
    assert [figures.index(max(figures)) for figures in found] == [0, 1]
