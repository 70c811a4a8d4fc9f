"""Embedders on servers: what is sent, what is taken for an answer, and what it costs."""

from __future__ import annotations

import json
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import servers
from conftest import VideoMaker
from servers import Asked, Move, serving
from test_cli import silvr

from silvr_cli import backends
from silvr_cli.backends.fake import FakeEmbedder
from silvr_cli.backends.served_vectors import AT_ONCE, LONGEST, Sent, Served, trained
from silvr_cli.configuration import load
from silvr_cli.errors import LimitReached, ModelError, Refused, UsageError
from silvr_cli.metering import Meter, guarded_embedder
from silvr_cli.settings import Calls

EMBED, OLLAMA = "/v1/embeddings", "/api/embed"
UNRELATED = 32


class Written:
    """A server's model that answers with the rows it is given, or those of the fake."""

    slots, on_a_server = 1, True

    def __init__(self, rows: Any = None, name: str = "vllm/small") -> None:
        self.rows, self.name = rows, name
        self.asked: list[str] = []

    def identity(self) -> str:
        return "here"

    def send(self, texts: Any) -> Sent:
        self.asked += texts
        rows = FakeEmbedder().embed(texts).tolist() if self.rows is None else self.rows(len(texts))
        return Sent(rows, 5 * len(texts))

    def close(self) -> None:
        return


def opened(server: servers.Played, spec: str = "openai/small", **flags: str) -> Any:
    name, end = ("servers.ollama", "") if spec.startswith("ollama") else ("servers.base_url", "/v1")
    return backends.embedder(spec, load({name: server.url + end} | flags).settings)


def test_many_texts_go_in_requests_of_so_many_and_come_back_in_order() -> None:
    texts = [f"line {number} tells of thing{number}" for number in range(3 * AT_ONCE + 5)]
    with serving(servers.openai_routes()) as server, closing(opened(server)) as model:
        rows = model.embed(texts)
        sizes = sorted(len(body["input"]) for body in server.bodies(EMBED))
        alone = model.embed([texts[90]])
    assert sizes == [5, UNRELATED, *[AT_ONCE] * 3]
    assert np.allclose(rows[90], alone[0], atol=1e-6)


@pytest.mark.parametrize(
    ("name", "query", "text"),
    [
        ("ollama/nomic-embed-text:v1.5", "search_query: a dog", "search_document: a dog"),
        ("vllm/intfloat/multilingual-e5-small", "query: a dog", "passage: a dog"),
        (
            "ollama/embeddinggemma",
            "task: search result | query: a dog",
            "title: none | text: a dog",
        ),
        ("openai/text-embedding-3-small", "a dog", "a dog"),
        ("ollama/bge-m3", "a dog", "a dog"),
    ],
)
def test_a_model_gets_what_it_was_trained_to_find_first(name: str, query: str, text: str) -> None:
    server = Written(name=name)
    model = Served(server)
    model.embed(["a dog"], query=True)
    assert server.asked[-1] == query
    model.embed(["a dog"])
    assert server.asked[-1] == text


def test_rows_that_were_made_otherwise_are_not_taken_for_these() -> None:
    with_words = Served(Written(name="vllm/nomic-embed-text")).fingerprint()
    assert with_words == "vllm/nomic-embed-text@here+search_document:"
    assert trained("ollama/all-minilm").text == ""


def test_texts_are_cut_where_every_server_still_reads_them() -> None:
    server = Written()
    Served(server).embed(["é" * LONGEST, "  ", ""])
    assert server.asked[-3:] == ["é" * (LONGEST // 2), "-", "-"]


def test_what_all_vectors_have_in_common_is_taken_away() -> None:
    def leaning(texts: Any) -> Sent:
        rows = FakeEmbedder().embed(texts)
        return Sent((rows + 3 * np.ones_like(rows) / rows.shape[1] ** 0.5).tolist(), 0)

    server = Written()
    server.send = leaning  # type: ignore[method-assign]
    bus, late, dog = Served(server).embed(["the last bus", "last bus home", "wet dogs bark"])
    raw = np.array(leaning(["the last bus", "wet dogs bark"]).rows)
    assert raw[0] @ raw[1] / np.prod(np.linalg.norm(raw, axis=1)) > 0.9
    assert abs(bus @ dog) < 0.3
    assert bus @ late > 0.5


@pytest.mark.parametrize(
    ("rows", "says"),
    [
        (lambda texts: [[1.0, 2.0]] * (texts - 1), "no vector for each of 32 texts"),
        (lambda texts: [[]] * texts, "no vector for each of 32 texts"),
        (lambda texts: [[1.0], [1.0, 2.0]] * (texts // 2), "no vector for each of 32 texts"),
        (lambda texts: ["one"] * texts, "no vector for each of 32 texts"),
        (lambda texts: [[0.0, 0.0]] * texts, "without a direction"),
        (lambda texts: [[float("nan"), 1.0]] * texts, "without a direction"),
        (lambda texts: [[1.0] * texts] * texts, "numbers after some of 32"),
    ],
)
def test_what_is_no_vector_is_not_taken_for_one(rows: Any, says: str) -> None:
    with pytest.raises(ModelError, match=says):
        Served(Written(rows)).embed(["one", "two"])


@pytest.mark.parametrize("spec", ["openai/small", "ollama/small"])
def test_a_server_that_speaks_nonsense_is_told_in_a_sentence(spec: str) -> None:
    nonsense: list[Move] = [lambda request: request.reply({"hello": "there"})]
    routes = servers.ollama_routes() if spec.startswith("ollama") else servers.openai_routes()
    with serving(routes | {EMBED: nonsense, OLLAMA: nonsense}) as server:
        with closing(opened(server, spec)) as model, pytest.raises(ModelError, match=spec):
            model.embed(["a"])


def test_a_busy_server_is_asked_again_and_each_request_is_counted() -> None:
    calls: list[Any] = []
    routes = servers.openai_routes() | {
        EMBED: [servers.error(503, "overloaded", Retry_After="0"), servers.embedded]
    }
    meter = Meter(Calls(), lambda *row: calls.append(row))
    with serving(routes) as server, closing(opened(server)) as model:
        with pytest.raises(Refused, match="busy"):
            model.embed(["a"])
        routes[EMBED][:] = [servers.error(503, "overloaded", Retry_After="0"), servers.embedded]
        guarded_embedder(model, meter, "video").embed(["a", "b"])
    assert [row[:3] for row in calls] == [("video", "embeddings", "openai/small")] * 2
    assert [row[3].prompt_tokens for row in calls] == [7 * UNRELATED, 14]


def test_a_limit_of_calls_holds_for_embeddings_too() -> None:
    with serving(servers.openai_routes()) as server, closing(opened(server)) as model:
        with pytest.raises(LimitReached, match="--max-calls 1"):
            guarded_embedder(model, Meter(Calls(max_calls=1)), "video").embed(["a"])
        assert len(server.bodies(EMBED)) == 1


def test_what_a_server_does_not_count_costs_all_the_same() -> None:
    silent = Written(name="openai/text-embedding-3-small")
    silent.send = lambda texts: Sent(FakeEmbedder().embed(texts).tolist(), 0)  # type: ignore
    meter = Meter(Calls())
    guarded_embedder(Served(silent), meter, "video").embed(["word " * 200] * 100)
    assert meter.spent.cost == pytest.approx(0.02 * 25_000 / 1e6, rel=0.1)


def test_a_reply_may_leave_out_the_first_index() -> None:
    def as_gemini_does(request: Asked) -> None:
        data = [
            {"object": "embedding", "embedding": row} | ({"index": number} if number else {})
            for number, row in enumerate(servers.rows(request))
        ]
        request.reply({"object": "list", "data": data, "model": "m"})

    with serving({EMBED: [as_gemini_does]}) as server, closing(opened(server)) as model:
        bus, dog = model.embed(["the last bus", "wet dogs bark"])
        again = model.embed(["wet dogs bark"])[0]
    assert np.allclose(dog, again)
    assert not np.allclose(bus, dog)


@pytest.mark.parametrize(
    "refusal",
    [
        servers.error(
            500, "input (999 tokens) is too large to process. increase the physical batch"
        ),
        servers.error(400, "This model's maximum context length is 512 tokens."),
        servers.error(413, "`inputs` must have less than 512 tokens. Given: 999"),
    ],
)
def test_texts_that_are_too_long_for_a_server_are_cut_shorter(refusal: Move) -> None:
    def narrow(request: Asked) -> None:
        most = max(len(text) for text in request.body["input"])
        (refusal if most > 400 else servers.embedded)(request)

    with serving({EMBED: [narrow]}) as server, closing(opened(server)) as model:
        rows = guarded_embedder(model, Meter(Calls()), "video").embed(["0123456789 " * 200, "bus"])
        lengths = [max(map(len, body["input"])) for body in server.bodies(EMBED)[1:]]
    assert rows.shape[0] == 2
    assert lengths == [LONGEST, LONGEST // 2, LONGEST // 4]


def test_a_server_that_takes_no_text_at_all_is_told_once() -> None:
    routes = {EMBED: [servers.error(500, "input is too large to process")]}
    with serving(routes) as server, closing(opened(server)) as model:
        with pytest.raises(ModelError, match="too large to process") as told:
            guarded_embedder(model, Meter(Calls()), "video").embed(["a"])
        assert len(server.bodies(EMBED)) == 1
    assert "budget" not in str(told.value)


def test_a_model_in_this_process_is_not_counted() -> None:
    model = FakeEmbedder()
    assert guarded_embedder(model, Meter(Calls(max_calls=0)), "video") is model


def test_an_embedder_on_a_server_needs_a_name() -> None:
    with pytest.raises(UsageError, match="names no model"):
        backends.embedder("ollama", load().settings)


@pytest.fixture
def video(subtitled: VideoMaker) -> Path:
    return subtitled(SRT)


SRT = """1
00:00:01,000 --> 00:00:05,000
The coach to the harbour leaves at noon.

2
00:00:20,000 --> 00:00:25,000
Lunch was soup and bread again.
"""
QUIET = ["--reader", "none"]


def coach_is_a_bus(request: Asked) -> None:
    request.body["input"] = [text.replace("bus", "coach") for text in request.body["input"]]
    servers.embedded(request)


def test_find_and_search_go_by_what_a_server_makes_of_the_lines(
    video: Path, tmp_path: Path
) -> None:
    with serving(servers.openai_routes() | {EMBED: [coach_is_a_bus]}) as server:
        flags = ["--embed", "openai/small", "--base-url", f"{server.url}/v1", "--json"]
        found = silvr("find", video, "bus", *QUIET, *flags)
        asked = len(server.bodies(EMBED))
        again = silvr("find", video, "harbour bus", *QUIET, *flags)
        texts = [body["input"] for body in server.bodies(EMBED)[asked:]]
        searched = silvr("search", "the bus to the harbour", *flags)
    assert found.returncode == 0, found.stderr
    (first, *_) = json.loads(found.stdout)["moments"]
    assert (first["start"], first["end"]) == (1.0, 5.0)
    assert json.loads(again.stdout)["moments"][0]["start"] == 1.0
    assert [len(part) for part in texts] == [UNRELATED, 1, 1], "only the query and the probe"
    hit, *_ = json.loads(searched.stdout)["found"]
    assert (hit["start"], hit["by"]) == (1.0, "both")
    with closing(sqlite3.connect(tmp_path / "cache.sqlite")) as cache:
        rows = cache.execute("SELECT stage, model, prompt_tokens > 0 FROM calls").fetchall()
    assert ("embeddings", "openai/small", 1) in rows


def test_a_server_that_is_away_is_one_sentence(video: Path, tmp_path: Path) -> None:
    flags = ["--embed", "openai/small", "--base-url", "http://127.0.0.1:9/v1"]
    ran = silvr("find", video, "bus", *QUIET, *flags, "--set", "calls.retries=0")
    assert (ran.returncode, ran.stdout) == (4, "")
    assert "cannot be reached" in ran.stderr
    assert ran.stderr.count("silvr:") == 1
