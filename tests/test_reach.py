"""A model that cannot be asked at all is told before the work that needs it, not after."""

from __future__ import annotations

import json
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest
import servers
from conftest import VideoMaker
from servers import serving
from test_cli import silvr

from silvr_cli import backends
from silvr_cli.configuration import load

SRT = "1\n00:00:01,000 --> 00:00:05,000\nThe coach to the harbour leaves at noon.\n"
NO_KEYS = dict.fromkeys(("OPENAI_API_KEY", "GEMINI_API_KEY", "GROQ_API_KEY"), "")
QUIET = NO_KEYS | {"OLLAMA_HOST": "127.0.0.1:9"}
IMPATIENT = ["--reader", "none", "--set", "calls.retries=0"]


@pytest.fixture
def video(subtitled: VideoMaker) -> Path:
    return subtitled(SRT)


def stages(tmp_path: Path) -> int:
    with closing(sqlite3.connect(tmp_path / "cache.sqlite")) as cache:
        count: int = cache.execute("SELECT count(*) FROM stages").fetchone()[0]
    return count


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (("ask", "Who?", "--llm", "openai/gpt-5-mini"), "OPENAI_API_KEY is not set"),
        (("ask", "Who?", "--llm", "ollama/small"), "there is no Ollama server"),
        (("ask", "Who?", "--llm", "vllm/small"), "cannot be reached"),
        (("ask", "Who?", "--llm", "fake", "--vision", "gemini/g"), "GEMINI_API_KEY is not set"),
        (("summarize", "--llm", "openai/gpt-5-mini"), "OPENAI_API_KEY is not set"),
        (("chapters", "--llm", "openai/gpt-5-mini"), "OPENAI_API_KEY is not set"),
        (("find", "coach", "--embed", "openai/small"), "OPENAI_API_KEY is not set"),
        (("find", "coach", "--embed", "ollama/small"), "there is no Ollama server"),
        (("find", "coach", "--llm", "openai/gpt-5-mini"), "OPENAI_API_KEY is not set"),
        (("events", "--llm", "openai/gpt-5-mini"), "OPENAI_API_KEY is not set"),
    ],
)
def test_nothing_is_begun_that_cannot_be_ended(
    video: Path, tmp_path: Path, words: tuple[str, ...], says: str
) -> None:
    command, *rest = words
    ran = silvr(command, video, *rest, *IMPATIENT, **QUIET)
    assert (ran.returncode, ran.stdout) == (4, "")
    assert says in ran.stderr
    assert ran.stderr.count("silvr:") == 1
    assert stages(tmp_path) == 0


@pytest.mark.parametrize(
    "model",
    [("--llm", "openai/gpt-5-mini"), ("--task", "find", "--set", "models.embed=openai/small")],
)
def test_a_batch_without_its_model_ends_before_the_first_video(
    video: Path, tmp_path: Path, model: tuple[str, ...]
) -> None:
    out = tmp_path / "out.jsonl"
    ran = silvr("batch", video, "--question", "Who?", *model, "-o", out, *IMPATIENT, **QUIET)
    assert ran.returncode == 4
    assert "OPENAI_API_KEY is not set" in ran.stderr
    assert not out.exists() or out.read_text("utf-8") == ""
    assert stages(tmp_path) == 0


def test_what_is_known_needs_no_server(video: Path) -> None:
    with serving(servers.openai_routes()) as server:
        flags = ["--vision", "openai/small", "--base-url", f"{server.url}/v1", *IMPATIENT]
        first = silvr("ask", video, "Who?", "--llm", "fake", *flags, "--json", **QUIET)
    again = silvr("ask", video, "When?", "--llm", "fake", *flags, "--json", **QUIET)
    assert (first.returncode, again.returncode) == (0, 0), again.stderr
    assert "[fake]" in json.loads(again.stdout)["context"], "captions came from the cache"


def test_a_server_that_lists_no_models_is_asked_all_the_same(video: Path) -> None:
    routes = servers.openai_routes()
    del routes["/v1/models"]
    with serving(routes) as server:
        flags = ["--llm", "openai/small", "--vision", "none", "--base-url", f"{server.url}/v1"]
        ran = silvr("ask", video, "Who?", *flags, *IMPATIENT, **QUIET)
    assert ran.returncode == 0, ran.stderr
    assert "[fake]" in ran.stdout


@pytest.mark.parametrize(
    "odd",
    [
        servers.raw(b"<html>hello</html>"),
        servers.raw(b""),
        servers.error(429, "slow down"),
        servers.error(500, "no such thing here"),
    ],
)
def test_a_gateway_whose_list_is_odd_is_asked_all_the_same(odd: servers.Move) -> None:
    with serving(servers.openai_routes() | {"/v1/models": [odd]}) as server:
        settings = load({"servers.base_url": f"{server.url}/v1"}).settings
        with closing(backends.text_model("openai/small", settings)) as model:
            model.reach()  # type: ignore[attr-defined]
        assert len(server.asked) == 1


@pytest.mark.parametrize(
    "complaint",
    [
        servers.error(404, "no such thing"),
        servers.error(400, "Invalid model name passed in model=smal"),
        servers.error(400, "Model Not Exist"),
        servers.error(400, "The model `smal` does not exist"),
        servers.error(400, 'model "smal" not found, try pulling it first'),
        servers.error(400, "No such model: smal"),
        servers.error(422, "smal is not a valid model ID"),
    ],
)
def test_a_models_name_that_a_server_does_not_have_is_told_before_the_video_is_read(
    video: Path, tmp_path: Path, complaint: servers.Move
) -> None:
    with serving(servers.openai_routes() | {"/v1/chat/completions": [complaint]}) as server:
        flags = ["--llm", "openai/smal", "--base-url", f"{server.url}/v1", *IMPATIENT]
        ran = silvr("ask", video, "Who?", *flags, **QUIET)
    assert (ran.returncode, ran.stdout) == (4, "")
    assert "openai/smal" in ran.stderr
    assert "silvr models list --remote" in ran.stderr
    assert stages(tmp_path) == 0


@pytest.mark.parametrize(
    "odd",
    [
        servers.good_openai,
        servers.error(400, "max_tokens is too few"),
        servers.error(400, "Invalid model parameter: seed is not supported"),
    ],
)
def test_a_server_that_takes_any_name_is_asked_all_the_same(odd: servers.Move) -> None:
    with serving(servers.openai_routes() | {"/v1/chat/completions": [odd]}) as server:
        settings = load({"servers.base_url": f"{server.url}/v1"}).settings
        with closing(backends.text_model("openai/any", settings)) as model:
            model.reach()  # type: ignore[attr-defined]
            # What it has learned of a server that it only tried is not kept.
            assert model._without == frozenset()  # type: ignore[attr-defined]


def test_a_key_that_is_refused_is_told_before_the_video_is_read(
    video: Path, tmp_path: Path
) -> None:
    refused = servers.error(401, "no such key")
    with serving(servers.openai_routes() | {"/v1/models": [refused]}) as server:
        flags = ["--llm", "openai/small", "--base-url", f"{server.url}/v1", "--vision", "none"]
        ran = silvr("ask", video, "Who?", *flags, *IMPATIENT, **QUIET)
    assert (ran.returncode, ran.stdout) == (4, "")
    assert "openai refuses OPENAI_API_KEY: no such key" in ran.stderr
    assert stages(tmp_path) == 0


@pytest.mark.parametrize("command", ["ask", "chapters", "summarize", "find"])
def test_a_dry_run_sends_nothing_to_an_embedder(video: Path, command: str) -> None:
    with serving(servers.openai_routes()) as server:
        words = ["coach dinner", "--budget", "100"] if command == "ask" else []
        words = ["coach"] if command == "find" else words
        flags = ["--set", "models.embed=openai/small", "--base-url", f"{server.url}/v1"]
        ran = silvr(command, video, *words, "--dry-run", *flags, **QUIET)
        assert ran.returncode == 0, ran.stderr
        assert server.bodies("/v1/embeddings") == []


def test_a_dry_run_is_one_whatever_the_settings_name(video: Path) -> None:
    flags = ["--set", "models.llm=openai/gpt-5", "--set", "models.vision=gemini/g"]
    ran = silvr("ask", video, "Who?", "--dry-run", *flags, **QUIET)
    assert ran.returncode == 0, ran.stderr
    assert "[fake]" in ran.stdout


def test_a_batch_of_chapters_that_are_known_needs_no_model(video: Path, tmp_path: Path) -> None:
    words = ["batch", video, "--task", "chapters", "--vision", "none", *IMPATIENT]
    with serving(servers.openai_routes()) as server:
        words += ["--llm", "openai/small", "--base-url", f"{server.url}/v1"]
        first = silvr(*words, "-o", tmp_path / "one.jsonl", **QUIET)
    again = silvr(*words, "-o", tmp_path / "two.jsonl", **QUIET)
    assert (first.returncode, again.returncode) == (0, 0), again.stderr
    assert '"chapters"' in (tmp_path / "two.jsonl").read_text("utf-8")
