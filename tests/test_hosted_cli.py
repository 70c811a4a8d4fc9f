"""The command against servers on loopback: cost, limits, resumption, secrets, what is in reach."""

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
from servers import Played, serving
from test_cli import silvr

CHAT = "/v1/chat/completions"
KEY = "sk-planted-0123456789abcdef"
QUIET = {"OPENAI_API_KEY": KEY, "OLLAMA_HOST": "127.0.0.1:9"}


@pytest.fixture
def video(make_video: VideoMaker) -> Path:
    """32 s that change all the time: four clips."""
    noise = np.random.default_rng(0)
    pictures = [noise.integers(0, 255, (72, 128, 3), np.uint8) for _ in range(64)]
    return make_video("talk.mp4", pictures, 2)


def ask(server: Played, video: Path, *words: str, **environ: str) -> Any:
    flags = ["--llm", "openai/small", "--vision", "openai/small", "--reader", "none"]
    url = ["--base-url", f"{server.url}/v1"]
    return silvr("ask", video, "What is shown?", *flags, *url, *words, **(QUIET | environ))


def calls(tmp_path: Path) -> list[tuple[Any, ...]]:
    with closing(sqlite3.connect(tmp_path / "cache.sqlite")) as cache:
        return cache.execute("SELECT stage, model, prompt_tokens > 0 FROM calls").fetchall()


def test_a_question_answered_by_servers_alone(video: Path, tmp_path: Path) -> None:
    with serving(servers.openai_routes()) as server:
        ran = ask(server, video, "--json")
    assert ran.returncode == 0, ran.stderr
    document = json.loads(ran.stdout)
    assert "[fake]" in document["context"], "captions came from the server"
    assert document["answer"]["usage"]["calls"] == 1
    assert sorted(calls(tmp_path)) == [("captions", "openai/small", 1)] * 4 + [
        ("reasoning", "openai/small", 1)
    ]


def test_a_limit_stops_before_it_is_passed_and_the_rest_goes_on_from_there(
    video: Path, tmp_path: Path
) -> None:
    with serving(servers.openai_routes()) as server:
        stopped = ask(server, video, "--max-calls", "2", "--set", "calls.slots=1")
        assert (stopped.returncode, stopped.stdout) == (5, "")
        assert "--max-calls 2 is reached" in stopped.stderr
        assert len(server.bodies(CHAT)) == 2
        assert ask(server, video).returncode == 0
        assert len(server.bodies(CHAT)) == 5, "two clips, then two more and the answer"


def test_a_cost_limit_without_a_price_is_refused(video: Path, tmp_path: Path) -> None:
    with serving(servers.openai_routes()) as server:
        ran = ask(server, video, "--max-cost", "1")
        assert ran.returncode == 2
        assert "no price is known for openai/small" in ran.stderr
        assert server.bodies(CHAT) == []
        prices = tmp_path / "prices.toml"
        prices.write_text('["openai/small"]\ninput = 100\noutput = 100\n', "utf-8")
        words = ["--set", f"calls.prices={prices}"]
        ran = ask(server, video, "--max-cost", "0.01", *words)
        assert ran.returncode == 5
        assert "--max-cost 0.01 would be passed" in ran.stderr
        assert server.bodies(CHAT) == []


def test_a_plan_tells_the_price_before_anything_is_sent(video: Path) -> None:
    ran = silvr("plan", video, "--vision", "openai/gpt-5-mini", "--llm", "fake", "--json", **QUIET)
    captions = next(state for state in json.loads(ran.stdout) if state["name"] == "captions")
    assert captions["expected"]["calls"] == 4
    assert 0.001 < captions["expected"]["cost"] < 0.1


@pytest.mark.parametrize(
    ("move", "says"),
    [
        (servers.error(503, "overloaded"), "refused 2 calls in a row: captions is stopped"),
        (servers.error(401, f"bad key {KEY}"), "refuses OPENAI_API_KEY"),
        (servers.cut_chat("half a"), "stopped"),
    ],
)
def test_a_bad_server_stops_the_stage_with_one_sentence(
    video: Path, tmp_path: Path, move: servers.Move, says: str
) -> None:
    routes = servers.openai_routes() | {CHAT: [move]}
    patience = ["--set", "calls.retries=0", "--set", "calls.refusals=2", "--set", "calls.slots=1"]
    with serving(routes) as server:
        ran = ask(server, video, *patience)
    assert ran.returncode == 4
    assert says in ran.stderr
    assert ran.stderr.count("silvr:") == 1
    assert "Traceback" not in ran.stderr


def test_a_key_is_nowhere_but_in_the_call(video: Path, tmp_path: Path) -> None:
    bad = servers.openai_routes() | {CHAT: [servers.error(401, f"key {KEY} is wrong")]}
    with serving(servers.openai_routes()) as good, serving(bad) as broken:
        said = [
            ask(good, video, "--json", "--show", "context"),
            ask(broken, video, "--set", "captions.frames=2"),
            silvr("doctor", "--base-url", f"{broken.url}/v1", **QUIET),
            silvr("config", **QUIET),
            silvr("plan", video, **QUIET),
            silvr("show", **QUIET),
        ]
        assert good.asked[-1][2]["authorization"] == f"Bearer {KEY}"
    kept = b"".join(path.read_bytes() for path in tmp_path.glob("cache.sqlite*"))
    assert len(kept) > 10_000
    assert KEY.encode() not in kept
    for ran in said:
        assert KEY not in ran.stdout + ran.stderr


def test_what_is_in_reach_is_listed_and_tried() -> None:
    with serving(servers.openai_routes()) as hosted, serving(servers.ollama_routes()) as own:
        environ = QUIET | {"OLLAMA_HOST": own.url, "SILVR_BASE_URL": f"{hosted.url}/v1"}
        listed = json.loads(silvr("models", "list", "--remote", "--json", **environ).stdout)
        tried = json.loads(silvr("doctor", "--json", **environ).stdout)
    assert {row["model"] for row in listed} == {"ollama/small", "openai/small"}
    found = {check["name"]: check for check in tried}
    for name in ("server ollama", "server openai"):
        assert found[name]["ok"] is True
        assert "replied in" in found[name]["found"]


def test_a_model_that_only_embeds_is_not_taken_for_one_that_answers() -> None:
    routes = servers.openai_routes() | {"/v1/models": [servers.models("BAAI/bge-m3", "small")]}
    alone = servers.openai_routes() | {"/v1/models": [servers.models("nomic-embed-text")]}
    with serving(routes) as both, serving(alone) as embeds:
        found = [
            json.loads(silvr("doctor", "--base-url", f"{server.url}/v1", "--json", **QUIET).stdout)
            for server in (both, embeds)
        ]
    said = [{check["name"]: check["found"] for check in checks} for checks in found]
    assert said[0]["llm, auto"].startswith("openai/small:")
    assert "openai/small replied" in said[0]["server openai"]
    assert "bge" not in said[0]["vision, auto"]
    assert said[1]["llm, auto"].startswith("llamacpp/")
    assert "nomic-embed-text embedded a word" in said[1]["server openai"]


def test_a_server_that_is_configured_and_away_is_told_by_doctor() -> None:
    ran = silvr("doctor", "--base-url", "http://127.0.0.1:9/v1", **QUIET)
    assert ran.returncode == 4
    assert "cannot be reached" in ran.stdout
