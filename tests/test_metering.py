"""Calls: counted, recorded, limited before the limit is passed, patient, and stopped in time."""

from __future__ import annotations

import threading
from collections.abc import Callable
from pathlib import Path

import pytest

from silvr_cli.errors import LimitReached, ModelError, Refused, SettingsError, UsageError
from silvr_cli.metering import Guard, Meter, Prices
from silvr_cli.records import Usage
from silvr_cli.settings import Calls

GUESS, CAME_TO = Usage(1, 1_000_000, 0), Usage(1, 1_000_000, 100_000)


def guard(meter: Meter, spec: str = "openai/gpt-5-mini", slots: int = 4) -> Guard:
    return Guard(meter, "video", "captions", spec, slots)


def send(guarded: Guard, reply: Usage = CAME_TO) -> Usage:
    return guarded.call(lambda: reply, GUESS, lambda usage: usage)


def failing(times: int, error: Exception) -> Callable[[], Usage]:
    left = [error] * times

    def call() -> Usage:
        if left:
            raise left.pop()
        return Usage(1, 5, 5)

    return call


def test_every_call_is_recorded_with_its_price() -> None:
    rows: list[tuple[str, str, str, Usage]] = []
    meter = Meter(Calls(), lambda *row: rows.append(row))
    send(guard(meter))
    (video, stage, model, usage) = rows[0]
    assert (video, stage, model) == ("video", "captions", "openai/gpt-5-mini")
    assert usage.cost == pytest.approx(0.25 + 0.2)
    assert meter.spent.calls == 1
    assert meter.spent.cost == usage.cost


def test_the_call_limit_is_never_passed() -> None:
    guarded = guard(Meter(Calls(max_calls=2)))
    send(guarded)
    send(guarded)
    with pytest.raises(LimitReached, match="--max-calls 2"):
        send(guarded)
    assert guarded.meter.spent.calls == 2


def test_the_cost_limit_counts_what_the_next_call_may_cost() -> None:
    guarded = guard(Meter(Calls(max_cost=0.8)))
    send(guarded)  # 0.45
    with pytest.raises(LimitReached, match=r"--max-cost 0\.8"):
        guarded.call(lambda: Usage(1), Usage(1, 1_600_000, 0), lambda usage: usage)
    assert guarded.meter.spent.cost <= 0.8


def test_calls_under_way_hold_back_what_they_may_cost() -> None:
    guarded = guard(Meter(Calls(max_cost=0.4)))
    inside, go_on = threading.Event(), threading.Event()

    def waiting() -> Usage:
        inside.set()
        assert go_on.wait(10)
        return Usage(1)

    thread = threading.Thread(target=lambda: guarded.call(waiting, GUESS, lambda u: u))
    thread.start()
    assert inside.wait(10)
    with pytest.raises(LimitReached):
        send(guarded)
    go_on.set()
    thread.join()
    guarded.call(lambda: Usage(1), GUESS, lambda usage: usage)


def test_a_cost_limit_needs_a_price(tmp_path: Path) -> None:
    meter = Meter(Calls(max_cost=1.0))
    with pytest.raises(UsageError, match=r"no price is known for openai/house-model"):
        guard(meter, "openai/house-model")
    own = tmp_path / "prices.toml"
    own.write_text('["openai/house-model"]\ninput = 1.0\noutput = 2\n', "utf-8")
    priced = guard(Meter(Calls(max_cost=1.0, prices=own)), "openai/house-model")
    assert priced.price.of(Usage(1, 500_000, 0)) == 0.5


@pytest.mark.parametrize("text", ["[", '["x"]\ninput = "cheap"', "x = 3", '["x"]\ninput = -1'])
def test_a_price_file_that_is_wrong_is_told(tmp_path: Path, text: str) -> None:
    own = tmp_path / "prices.toml"
    own.write_text(text, "utf-8")
    with pytest.raises(SettingsError, match=r"prices\.toml"):
        Prices.load(own)


@pytest.mark.parametrize(
    ("spec", "known"),
    [
        ("openai/gpt-5-mini", 0.25),
        ("openai/gpt-5-mini-2025-08-07", 0.25),
        ("openai/gpt-5", 1.25),
        ("openai/gpt-5x", None),
        ("ollama/qwen3:8b", 0.0),
        ("llamacpp/x", 0.0),
    ],
)
def test_prices_go_by_the_longest_name(spec: str, known: float | None) -> None:
    price = Prices.load().known(spec).price
    assert (price.prompt if price else None) == known


def test_a_busy_server_is_asked_again_when_it_said() -> None:
    guarded = guard(Meter(Calls(retries=3)))
    busy = Refused("busy", retry_after=0.0)
    assert guarded.call(failing(3, busy), GUESS, lambda usage: usage).prompt_tokens == 5
    assert guarded.meter.spent.calls == 4


def test_patience_ends_and_a_lasting_error_is_not_tried_again() -> None:
    guarded = guard(Meter(Calls(retries=1)))
    with pytest.raises(Refused, match="busy"):
        guarded.call(failing(9, Refused("busy", retry_after=0.0)), GUESS, lambda usage: usage)
    tries = []
    with pytest.raises(ModelError, match="no such model"):
        guarded.call(
            lambda: tries.append(1) or failing(1, ModelError("no such model"))(),
            GUESS,
            lambda usage: usage,
        )
    assert tries == [1]


def test_the_circuit_opens_after_refusals_in_a_row() -> None:
    guarded = guard(Meter(Calls(retries=0, refusals=2)))
    asked = []

    def refuse() -> Usage:
        asked.append(1)
        raise Refused("busy", retry_after=0.0)

    for _ in range(2):
        with pytest.raises(Refused):
            guarded.call(refuse, GUESS, lambda usage: usage)
    with pytest.raises(ModelError, match="refused 2 calls in a row: captions is stopped") as caught:
        guarded.call(refuse, GUESS, lambda usage: usage)
    assert not isinstance(caught.value, Refused)
    assert len(asked) == 2


def test_one_good_reply_closes_the_circuit_again() -> None:
    guarded = guard(Meter(Calls(retries=0, refusals=2)))
    for _ in range(3):
        with pytest.raises(Refused):
            guarded.call(failing(1, Refused("busy", retry_after=0.0)), GUESS, lambda usage: usage)
        send(guarded)


def test_nobody_waits_for_a_busy_server_once_the_run_is_stopped() -> None:
    meter = Meter(Calls(retries=5))
    meter.stopping.set()
    with pytest.raises(Refused):
        guard(meter).call(failing(9, Refused("busy", retry_after=60)), GUESS, lambda usage: usage)
    assert meter.spent.calls == 1


def test_no_more_calls_at_once_than_the_model_takes() -> None:
    guarded = guard(Meter(Calls()), slots=2)
    lock, under_way, most = threading.Lock(), 0, 0
    meet = threading.Barrier(2, timeout=10)

    def call() -> Usage:
        nonlocal under_way, most
        with lock:
            under_way += 1
            most = max(most, under_way)
        meet.wait()
        with lock:
            under_way -= 1
        return Usage(1)

    threads = [
        threading.Thread(target=lambda: guarded.call(call, Usage(), lambda usage: usage))
        for _ in range(6)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert most == 2
