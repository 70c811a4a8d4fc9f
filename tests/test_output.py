"""The output file: claims by key, replaced lines, order, refusals; nothing half-written."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pytest

from silvr_cli import interrupt
from silvr_cli.engine.jobs import Ask, Done, Error, Failure, Job, Result, Seen, Told, line
from silvr_cli.engine.lines import Ident, Known
from silvr_cli.engine.output import Output, finished
from silvr_cli.engine.work import with_language
from silvr_cli.errors import UsageError
from silvr_cli.records import Timeline, Usage, Video

VIDEO = Video("sha256:1", "talk.mp4", 1.0)


def made(video: str = "talk.mp4", key: str = "k1", failed: bool = False, id: str = "q") -> Result:
    job = Job(0, video, "timeline", (Ask(id=id),))
    outcome = Failure("input_error", "no") if failed else Done(Timeline(VIDEO))
    return line(job, job.asks[0], Seen("sha256:1", key), key, {"llm": "fake"}, outcome)


def ident(video: str) -> Ident:
    return Ident("timeline", video, "q")


def read(path: Path) -> list[tuple[str, str, str]]:
    found = [json.loads(text) for text in path.read_text("utf-8").splitlines()]
    return [(each["video"], each["key"], each["status"]) for each in found]


def test_a_line_is_taken_by_its_key_whoevers_name_it_carries(tmp_path: Path) -> None:
    with Output(tmp_path / "out.jsonl") as output:
        output.write(made("a.mp4"))
        output.write(made("b.mp4"))
        output.write(made("c.mp4", "k2", failed=True))
    with Output(tmp_path / "out.jsonl") as output:
        moved = [ident(f"{name}.mp4") for name in "xyz"]
        assert [output.take(new, "k1", "done") for new in moved] == [True, True, True]
        assert not output.take(moved[0], "k2", "done")
        assert output.take(moved[0], "k2", "failed")
    (tmp_path / "out.jsonl").unlink()
    with Output(tmp_path / "out.jsonl") as output:
        output.write(made("a.mp4"))
        assert not output.take(moved[0], "k1", "done"), "copies in one run are each done"


def test_a_copy_takes_a_line_and_leaves_the_others_theirs(tmp_path: Path) -> None:
    path = tmp_path / "out.jsonl"
    names = [ident(f"{name}.mp4") for name in "abc"]
    with Output(path) as output:
        output.write(made("a.mp4"))
        output.write(made("b.mp4"))
        output.write(made("c.mp4", "broken", failed=True))
    # c.mp4 has become a third copy, and is looked at before the others.
    with Output(path, {name: at for at, name in enumerate(names)}) as output:
        assert all(output.take(name, "k1", "done") for name in reversed(names))
        output.finish()
    assert read(path) == [(f"{name}.mp4", "k1", "done") for name in "abc"]


@pytest.mark.parametrize("files", ["bca", "cab", "bac"])
@pytest.mark.parametrize("ordered", [False, True])
def test_files_that_have_exchanged_their_names_keep_their_lines(
    tmp_path: Path, files: str, ordered: bool
) -> None:
    path, names = tmp_path / "out.jsonl", [ident(f"{name}.mp4") for name in "abc"]
    with Output(path) as output:
        for name in "bca":
            output.write(made(f"{name}.mp4", f"key of {name}"))
    order = {name: at for at, name in enumerate(names)}
    for _ in range(2):
        with Output(path, order, ordered) as output:
            for name, was in zip(names, files, strict=True):
                assert output.take(name, f"key of {was}", "done")
            output.finish()
        found = {video: key for video, key, _ in read(path)}
        assert found == {f"{n}.mp4": f"key of {was}" for n, was in zip("abc", files, strict=True)}
        assert len(read(path)) == 3, "nothing stands twice"
        assert not ordered or list(found) == [name.video for name in names]


def test_of_a_name_that_only_changed_its_spelling_one_line_stays_and_of_a_copy_both(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    for name in ("a.mp4", "copy.mp4"):
        (tmp_path / name).touch()
    path = tmp_path / "out.jsonl"
    with Output(path) as output:
        output.write(made("a.mp4"))
    for name in (str(tmp_path / "a.mp4"), "copy.mp4"):
        with Output(path, {ident(name): 0}) as output:
            assert output.take(ident(name), "k1", "done")
            output.finish()
    assert [video for video, _, _ in read(path)] == [str(tmp_path / "a.mp4"), "copy.mp4"]


def test_a_line_that_is_taken_over_is_the_same_but_for_its_name(tmp_path: Path) -> None:
    path, new = tmp_path / "out.jsonl", Ident("timeline", "b.mp4", "other")
    with Output(path) as output:
        output.write(made("ä.mp4"))
    (before,) = map(json.loads, path.read_text("utf-8").splitlines())
    with Output(path, {new: 0}) as output:
        assert output.take(new, "k1", "done")
        output.finish()
    (after,) = map(json.loads, path.read_text("utf-8").splitlines())
    assert after == {**before, "video": "b.mp4", "id": "other"}
    assert list(after) == list(before)


def test_a_moved_file_takes_the_place_of_what_had_its_name(tmp_path: Path) -> None:
    path = tmp_path / "out.jsonl"
    with Output(path) as output:
        output.write(made("incoming.mp4"))
        output.write(made("c.mp4", "broken", failed=True))
    with Output(path, {ident("c.mp4"): 0}) as output:
        assert output.take(ident("c.mp4"), "k1", "done")
        output.finish()
    assert read(path) == [("c.mp4", "k1", "done")]


def test_the_last_line_of_a_video_and_id_counts_and_the_others_go_at_the_end(
    tmp_path: Path,
) -> None:
    path = tmp_path / "out.jsonl"
    with Output(path) as output:
        for result in (made("a.mp4", "old"), made("b.mp4"), made("a.mp4", "other", id="q2")):
            output.write(result)
    with Output(path) as output:
        output.write(made("a.mp4", "new"))
        assert len(read(path)) == 4, "nothing is dropped before the end"
    with Output(path) as output:
        assert not output.take(ident("x.mp4"), "old", "done"), (
            "a line that was replaced does not count"
        )
        output.finish()
    assert [key for _, key, _ in read(path)] == ["k1", "other", "new"]


def test_lines_are_put_in_order_at_the_end(tmp_path: Path) -> None:
    path = tmp_path / "out.jsonl"
    names = ["c.mp4", "a.mp4", "b.mp4"]
    with Output(path) as output:
        output.write(made("stranger.mp4", "other"))
    order = {ident(name): number for number, name in enumerate(sorted(names))}
    with Output(path, order, ordered=True) as output:
        for name in names:
            output.write(made(name))
        assert [name for name, _, _ in read(path)] == ["stranger.mp4", *names]
        output.finish()
        output.write(made("later.mp4"))
    assert [name for name, _, _ in read(path)] == ["stranger.mp4", *sorted(names), "later.mp4"]


def test_only_one_writes_at_a_time_and_leaves_no_lock_behind(tmp_path: Path) -> None:
    path = tmp_path / "out.jsonl"
    path.touch()
    with Output(path), pytest.raises(UsageError, match=r"another silvr is writing .*out\.jsonl"):
        Output(path).__enter__()
    assert [each.name for each in tmp_path.iterdir()] == ["out.jsonl"]
    (tmp_path / "link.jsonl").symlink_to(path)
    with Output(path), pytest.raises(UsageError, match="another silvr"):
        Output(tmp_path / "link.jsonl").__enter__()


def test_a_disk_that_fills_up_leaves_whole_lines(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "out.jsonl"
    with Output(path) as output:
        output.write(made("a.mp4"))

        class Full:
            """Takes ten bytes, then is full."""

            def __init__(self, file: Any) -> None:
                self.file, self.taken = file, 0

            def __getattr__(self, name: str) -> Any:
                return getattr(self.file, name)

            def write(self, data: bytes) -> int:
                if self.taken:
                    raise OSError(28, "No space left on device")
                self.taken = self.file.write(data[:10])
                return self.taken

        monkeypatch.setattr(output, "_file", Full(output._file))
        with pytest.raises(UsageError, match=r"cannot be written: No space left"):
            output.write(made("b.mp4"))
    assert [name for name, _, _ in read(path)] == ["a.mp4"]


TORN = (
    b"{",
    b'{"id":"',
    b'{"id":"a \\" quote \\',
    b'{"id":"q","vid',
    b'{"id":"q","video":"a.mp4"',
    b'{"id":"q","video":"a.mp4","content":\0\0\0\0',
)


@pytest.mark.parametrize("torn", TORN)
def test_half_a_line_is_cut_off(tmp_path: Path, torn: bytes) -> None:
    path = tmp_path / "out.jsonl"
    path.write_bytes(torn)
    with Output(path) as output:
        output.write(made("a.mp4"))
    path.write_bytes(path.read_bytes() + torn)
    with Output(path) as output:
        assert output.take(ident("a.mp4"), "k1", "done")
    assert [name for name, _, _ in read(path)] == ["a.mp4"]


FOREIGN = (
    b'{"id":"mine","rows":[1,2,3]}',
    b'{"id":"mine","rows":[1,2,3',
    b'{"id":"q"}',
    b'{"id":"q","video":"a.mp4"}',
    b"my own note",
    b"[" * 100_000,
    b"[" * 100_000 + b"\n",
)


@pytest.mark.parametrize("foreign", [*FOREIGN, b"\0\0\0"])
def test_what_somebody_else_wrote_is_left_as_it_is(tmp_path: Path, foreign: bytes) -> None:
    path = tmp_path / "out.jsonl"
    path.write_bytes(foreign)
    with pytest.raises(UsageError, match=r"was not written by silvr batch \(line 1\)"):
        Output(path).__enter__()
    assert path.read_bytes() == foreign


@pytest.mark.parametrize("foreign", FOREIGN)
def test_a_note_at_the_end_of_our_own_file_is_not_cut_off(tmp_path: Path, foreign: bytes) -> None:
    path = tmp_path / "out.jsonl"
    with Output(path) as output:
        output.write(made("a.mp4"))
    noted = path.read_bytes() + foreign
    path.write_bytes(noted)
    with pytest.raises(UsageError, match=r"was not written by silvr batch \(line 2\)"):
        Output(path).__enter__()
    assert path.read_bytes() == noted
    assert [each.name for each in tmp_path.iterdir()] == ["out.jsonl"]


def test_a_last_line_that_lacks_only_its_newline_counts(tmp_path: Path) -> None:
    path = tmp_path / "out.jsonl"
    with Output(path) as output:
        output.write(made("a.mp4"))
    path.write_bytes(path.read_bytes().rstrip())
    with Output(path) as output:
        assert output.take(ident("a.mp4"), "k1", "done")
        assert output.take(ident("moved.mp4"), "k1", "done")
        output.write(made("b.mp4"))
    assert [name for name, _, _ in read(path)] == ["a.mp4", "moved.mp4", "b.mp4"]


def test_what_is_no_regular_file_is_refused(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    for path in (tmp_path / "pipe", Path("/dev/full")):
        with pytest.raises(UsageError, match=f"{path} is no regular file"):
            Output(path).__enter__()
        with pytest.raises(UsageError, match=f"{path} is no regular file"):
            finished(path)
    assert [each.name for each in tmp_path.iterdir()] == ["pipe"]


def test_a_name_that_is_not_utf8_is_written_in_words_and_found_again(tmp_path: Path) -> None:
    path, name = tmp_path / "out.jsonl", os.fsdecode(b"n\xff.mp4")
    job = Job(0, name, "timeline", (Ask(id="q"),))
    own = Ident.of(job, job.asks[0])
    failure = Failure("input_error", f"{name} is broken", "a \\ and \ud800")
    for told in (made(name), line(job, job.asks[0], Seen(None, "k2"), "k2", {}, failure)):
        with Output(path, {own: 0}) as output:
            output.write(told)
            output.finish()
        with Output(path, {own: 0}) as output:
            assert output.take(own, told.key, told.status)
            assert not output.replaced
    (only,) = map(json.loads, path.read_bytes().decode("utf-8").splitlines())
    assert only["video"] == "n\\udcff.mp4"
    assert only["error"]["message"] == "n\\udcff.mp4 is broken"
    assert only["error"]["hint"] == "a \\ and \\ud800"


def test_whoever_only_asks_what_is_finished_locks_and_writes_nothing(tmp_path: Path) -> None:
    path = tmp_path / "out.jsonl"
    assert finished(None) == finished(path) == frozenset()
    with Output(path) as output:
        output.write(made("a.mp4"))
        path.write_bytes(whole := path.read_bytes() + TORN[-1])
        assert finished(path) == {Known("k1", "done")}
    assert path.read_bytes() == whole


def test_a_batch_that_writes_nothing_leaves_no_new_file(tmp_path: Path) -> None:
    with Output(tmp_path / "new.jsonl"):
        pass
    (tmp_path / "old.jsonl").touch()
    with Output(tmp_path / "old.jsonl"):
        pass
    assert [path.name for path in tmp_path.iterdir()] == ["old.jsonl"]


def test_a_folder_that_is_not_there_is_told(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="cannot be written"):
        Output(tmp_path / "nowhere" / "out.jsonl").__enter__()


def test_ctrl_c_waits_for_the_end_of_a_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import signal

    before = signal.getsignal(signal.SIGINT)
    interrupt.listen()
    try:
        with Output(tmp_path / "out.jsonl") as output:
            append = Output._append

            def interrupted(self: Output, file: Any, data: bytes) -> None:
                append(self, file, data[:10])
                os.kill(os.getpid(), signal.SIGINT)
                append(self, file, data[10:])

            monkeypatch.setattr(Output, "_append", interrupted)
            output.write(made("a.mp4"))
            with pytest.raises(KeyboardInterrupt):
                interrupt.check()
        assert [name for name, _, _ in read(tmp_path / "out.jsonl")] == ["a.mp4"]
    finally:
        interrupt.listen()
        signal.signal(signal.SIGINT, before)


def test_the_first_line_of_a_video_carries_what_its_timeline_took() -> None:
    told = Told(("a note",), Usage(3, 10, 5, 2.0, 0.5), 7.0)
    first, second = (with_language(made(), told, first) for first in (True, False))
    assert (first.usage.calls, first.seconds, first.notes) == (3, 7.0, ("a note",))
    assert (second.usage.calls, second.seconds, second.notes) == (0, 0.0, ("a note",))
    assert made(failed=True).error == Error("input_error", "no")
