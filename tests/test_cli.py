"""The command as a person runs it: results on stdout, notes on stderr, the right exit codes."""

from __future__ import annotations

import json
import os
import re
import shlex
import signal
import subprocess
import sys
import time
from pathlib import Path

import jsonschema
import pytest
from conftest import VideoMaker

DOCS = Path(__file__).parents[1] / "docs"
SRT = "1\n00:00:01,000 --> 00:00:04,000\nThe gate code is 7731.\n"


def silvr(*words: object, **environ: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "silvr_cli", *map(str, words)],
        capture_output=True,
        text=True,
        check=False,
        env=os.environ | environ,
        timeout=100,
    )


@pytest.fixture
def video(subtitled: VideoMaker) -> Path:
    return subtitled(SRT)


def test_a_dry_run_shows_the_path_and_says_that_it_is_fake(video: Path) -> None:
    ran = silvr("ask", video, "What is the code?", "--dry-run", "--json")
    assert ran.returncode == 0, ran.stderr
    document = json.loads(ran.stdout)
    assert document["schema"] == "silvr-answer/1"
    assert "[fake]" in document["answer"]["text"]
    assert "The gate code is 7731" in document["context"]
    jsonschema.validate(document, json.loads((DOCS / "answer.schema.json").read_text("utf-8")))


@pytest.mark.parametrize("words", ["", "   ", "?!"])
@pytest.mark.parametrize("command", ["ask", "find", "search"])
def test_a_question_without_words_is_a_mistake(command: str, words: str, video: Path) -> None:
    ran = silvr(command, *([] if command == "search" else [video]), words)
    assert ran.returncode == 2
    assert "has no words" in ran.stderr
    assert ran.stdout == ""


def test_a_search_that_is_not_utf_8_is_a_mistake() -> None:
    ran = silvr("search", os.fsdecode(b"bad \xff byte"))
    assert ran.returncode == 2
    assert "the question is not UTF-8" in ran.stderr


def test_the_second_question_runs_no_language_stage(video: Path) -> None:
    first = silvr("ask", video, "What?", "--dry-run")
    again = silvr("ask", video, "Who?", "--dry-run", "--show", "context")
    assert "screen_text done" in first.stderr
    assert "done" not in again.stderr
    assert "--- Context ---" in again.stdout
    states = json.loads(
        silvr("plan", video, "--json", "--reader", "fake", "--vision", "fake").stdout
    )
    spent = {state["name"]: state["expected"]["calls"] for state in states}
    assert {state["state"] for state in states if state["name"] != "reasoning"} == {"cached"}
    assert spent.pop("reasoning") > 0
    assert set(spent.values()) == {0}


def test_a_plan_says_what_is_to_be_spent_before_it_is(video: Path) -> None:
    states = json.loads(silvr("plan", video, "--json", "--llm", "fake").stdout)
    by_name = {state["name"]: state for state in states}
    assert by_name["screen_text"]["state"] == "to run"
    assert 1 <= by_name["screen_text"]["expected"]["calls"] <= 7
    assert by_name["reasoning"]["expected"]["prompt_tokens"] > 0
    assert "tokens in" in silvr("plan", video).stdout


def test_a_plan_tells_of_chapters_and_summaries(video: Path) -> None:
    fake = ("--llm", "fake", "--speech", "none", "--reader", "none", "--vision", "none", "--json")

    def states(task: str) -> dict[str, dict]:
        ran = silvr("plan", video, "--task", task, *fake)
        assert ran.returncode == 0, ran.stderr
        return {state["name"]: state for state in json.loads(ran.stdout)}

    unknown = states("summarize")
    assert unknown["summary"]["state"] == "to run"
    assert unknown["summary"]["expected"]["calls"] >= 1
    assert "reasoning" not in unknown
    assert states("chapters")["chapters"]["expected"]["prompt_tokens"] > 0
    assert silvr("chapters", video, *fake).returncode == 0
    assert states("chapters")["chapters"]["state"] == "cached"
    assert {"points", "summary"} <= states("summarize").keys()


@pytest.mark.parametrize("command", ["highlights", "events", "search"])
def test_json_is_as_its_schema_says(video: Path, command: str) -> None:
    assert silvr("timeline", video, "--dry-run").returncode == 0
    if command == "search":
        ran = silvr("search", "gate", "--json")
    else:
        ran = silvr(command, video, "--dry-run", "--json")
    assert ran.returncode == 0, ran.stderr
    schema = json.loads((DOCS / f"{command}.schema.json").read_text("utf-8"))
    jsonschema.validate(json.loads(ran.stdout), schema)


def test_an_answer_is_shown_again_as_it_was(video: Path) -> None:
    said = json.loads(silvr("ask", video, "What?", "--dry-run", "--json").stdout)
    shown = silvr("show", said["id"][:6], "--json")
    assert json.loads(shown.stdout) == said
    assert "answer_structured" in silvr("show", said["id"]).stdout
    assert said["id"] in silvr("show").stdout
    assert silvr("show", "zzz").returncode == 2


@pytest.mark.parametrize("form", ["text", "json", "srt", "vtt", "md"])
def test_the_timeline_in_every_format_goes_to_a_file_whole(
    video: Path, tmp_path: Path, form: str
) -> None:
    target = tmp_path / f"out.{form}"
    ran = silvr("timeline", video, "--format", form, "--reader", "none", "-o", target, "--quiet")
    assert (ran.returncode, ran.stdout, ran.stderr) == (0, "", "")
    assert "The gate code is 7731" in target.read_text("utf-8")


def test_text_alone_needs_no_video(tmp_path: Path) -> None:
    (tmp_path / "caps.txt").write_text("A man opens a gate.\nHe leaves.\n", "utf-8")
    (tmp_path / "talk.srt").write_text(SRT, "utf-8")
    ran = silvr(
        "ask",
        "--captions",
        tmp_path / "caps.txt",
        "--subtitles",
        tmp_path / "talk.srt",
        "What is the code?",
        "--llm",
        "fake",
        "--show",
        "context",
    )
    assert ran.returncode == 0, ran.stderr
    assert "A man opens a gate." in ran.stdout
    assert "[0:01-0:04] speech: The gate code is 7731." in ran.stdout


def test_nobody_is_asked_where_nobody_is() -> None:
    ran = silvr("cache", "rm", "--all")
    assert ran.returncode == 2
    assert "--yes goes on without" in ran.stderr


def test_output_onto_a_database_is_refused(subtitled: VideoMaker, tmp_path: Path) -> None:
    cache = tmp_path / "other.sqlite"
    video = subtitled("1\n00:00:01,000 --> 00:00:04,000\nHello there.\n")
    assert silvr("timeline", video, "--cache", cache, "--reader", "none").returncode == 0
    before = cache.read_bytes()[:100]
    ran = silvr("timeline", video, "--cache", cache, "-o", cache)
    assert ran.returncode == 2
    assert "is a database" in ran.stderr
    assert cache.read_bytes()[:100] == before


@pytest.mark.parametrize(
    ("words", "code", "complaint"),
    [
        (["ask", "gone.mp4", "What?", "--llm", "fake"], 3, "does not exist"),
        (["ask", "alone.mp4"], 2, "stands alone"),
        (["ask", "a.mp4", "what", "is", "it"], 2, "in quotes"),
        (["ask", "a.mp4", "q", "--llm", "olama/x"], 2, "olama"),
        (["ask", "a.mp4", "q", "--llm", "llamacpp/qwen2.5-coder-1.5bb"], 2, "did you mean"),
        (["ask", "a.mp4", "q", "--lmm", "x"], 2, "--llm"),
        (["timeline"], 2, "nothing to describe"),
        (["timeline", "a.mp4", "--scenes", "clever"], 2, "scenes.method"),
        (["models", "pull", "whisper/bas"], 2, "whisper/base"),
        (["config", "--set", "speech.beam_size=0", "--set", "no.key=1"], 2, "no.key is no setting"),
        (["frobnicate"], 2, "frobnicate"),
        (["cache", "rm", "nobody.mp4", "--yes"], 2, "knows no video"),
    ],
)
def test_mistakes_are_told_in_one_sentence(words: list[str], code: int, complaint: str) -> None:
    ran = silvr(*words)
    assert ran.returncode == code
    assert complaint in ran.stderr
    assert ran.stderr.count("\n") == 1
    assert ran.stdout == ""


@pytest.mark.skipif(sys.platform != "linux", reason="other systems refuse to make such a file")
def test_a_path_that_is_not_utf8_is_read_like_any_other(video: Path, tmp_path: Path) -> None:
    odd = tmp_path / os.fsdecode(b"caf\xe9.mp4")
    video.with_suffix(".srt").rename(odd.with_suffix(".srt"))
    video.rename(odd)
    ran = silvr("find", odd, "gate code", "--dry-run", "--json", "--clip-out", tmp_path / "clips")
    assert ran.returncode == 0, ran.stderr
    told = json.loads(ran.stdout)
    assert told["video"]["name"] == r"caf\udce9.mp4"
    assert "7731" in told["moments"][0]["text"]
    assert Path(told["clips"][0]["path"]).is_file()
    again = silvr("timeline", odd, "--vision", "fake", "--reader", "fake", "--format", "json")
    assert json.loads(again.stdout)["video"]["path"] == str(tmp_path / r"caf\udce9.mp4")
    assert silvr("cache", "rm", odd, "--yes").returncode == 0


@pytest.mark.skipif(sys.platform != "linux", reason="other systems refuse to make such a file")
def test_a_plan_of_files_whose_names_are_not_utf8_is_one_document(tmp_path: Path) -> None:
    odd = tmp_path / os.fsdecode(b"caf\xe9.mp4")
    odd.write_text("no video", "utf-8")
    ran = silvr("batch", odd, "--task", "timeline", "--dry-run", "--json")
    assert ran.returncode == 0, ran.stderr
    assert r"caf\udce9.mp4" in json.loads(ran.stdout)["unreadable"][0][1]


def test_all_bad_settings_are_told_at_once(tmp_path: Path) -> None:
    ran = silvr("config", SILVR_FOO="1", SILVR_SPEECH_BEAM_SIZE="99")
    assert ran.returncode == 2
    assert "SILVR_FOO" in ran.stderr
    assert "beam_size" in ran.stderr


def test_weights_that_are_missing_offline_name_the_command_that_mends_it(video: Path) -> None:
    ran = silvr("ask", video, "What?", "--reader", "none")
    assert ran.returncode == 4
    assert "silvr models pull qwen2.5-coder-1.5b" in ran.stderr


def test_a_cache_that_cannot_be_used(tmp_path: Path, video: Path) -> None:
    broken = tmp_path / "broken.sqlite"
    broken.write_bytes(b"not a database" * 100)
    for path in (broken, tmp_path):
        ran = silvr("timeline", video, "--cache", path, "--reader", "none")
        assert ran.returncode == 2
        assert "--cache" in ran.stderr
    assert broken.read_bytes().startswith(b"not a database")


def test_cache_commands(video: Path) -> None:
    silvr("timeline", video, "--reader", "none")
    info = json.loads(silvr("cache", "info", "--json").stdout)
    assert (info["videos"], info["stages"] >= 3) == (1, True)
    assert json.loads(silvr("cache", "ls", "--json").stdout)[0]["name"] == "talk.mp4"
    assert silvr("cache", "gc").returncode == 0
    assert silvr("cache", "rm", video, "--yes").returncode == 0
    assert json.loads(silvr("cache", "ls", "--json").stdout) == []


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="Linux has a disk that is always full")
@pytest.mark.parametrize("unbuffered", ["", "1"])
def test_stdout_on_a_full_disk_is_told_in_one_sentence(video: Path, unbuffered: str) -> None:
    fakes = ("--llm", "fake", "--vision", "fake", "--reader", "fake")
    commands: list[tuple[object, ...]] = [
        ("--help",),
        ("timeline", video, *fakes[2:], "--quiet"),
        ("batch", video, "--question", "q", *fakes, "--quiet", "--workers", 1),
    ]
    for words in commands:
        with open("/dev/full", "w", encoding="utf-8") as full:
            ran = subprocess.run(
                [sys.executable, "-m", "silvr_cli", *map(str, words)],
                stdout=full,
                stderr=subprocess.PIPE,
                text=True,
                check=False,
                env=os.environ | {"PYTHONUNBUFFERED": unbuffered},
                timeout=100,
            )
        assert ran.returncode == 2
        said = "silvr: stdout cannot be written: No space left on device"
        assert ran.stderr == f"{said} (make room there, or use -o FILE)\n"


def test_who_leaves_a_pipe_early_is_no_error(video: Path) -> None:
    words = ["timeline", str(video), "--vision", "fake", "--reader", "fake", "--quiet"]
    read, write = os.pipe()
    os.close(read)
    command = [sys.executable, "-m", "silvr_cli", *words]
    ran = subprocess.run(command, stdout=write, stderr=subprocess.PIPE, check=False, timeout=100)
    os.close(write)
    assert (ran.returncode, ran.stderr) == (0, b"")


def test_an_interrupt_ends_with_130_and_keeps_what_is_done(video: Path, tmp_path: Path) -> None:
    script = tmp_path / "slow.py"
    script.write_text(
        "import time, silvr_cli.stages.screen_text as s\n"
        "def slow(*args):\n"
        "    work = args[-1]\n"
        "    work.put('piece', 'kept')\n"
        "    open('started', 'w').close()\n"
        "    while True:\n"
        "        work.report(0, 1); time.sleep(0.01)\n"
        "s.read_screen = slow\n"
        "from silvr_cli.__main__ import main\n"
        "main()\n",
        "utf-8",
    )
    process = subprocess.Popen(
        [sys.executable, script, "timeline", video, "--reader", "fake"],
        cwd=tmp_path,
        stderr=subprocess.PIPE,
        text=True,
    )
    while not (tmp_path / "started").exists():
        assert process.poll() is None
        time.sleep(0.05)
    process.send_signal(signal.SIGINT)
    _, errors = process.communicate(timeout=60)
    assert process.returncode == 130
    assert errors.strip().splitlines()[-1] == (
        "silvr: interrupted; everything finished so far is kept"
    )
    rows = json.loads(silvr("plan", video, "--reader", "fake", "--json").stdout)
    states = {row["name"]: row["state"] for row in rows}
    assert states["screen_text"] == "partial"
    assert states["speech"] == "cached"


@pytest.mark.models
def test_a_real_question_about_a_real_video_on_cpu(shared: Path) -> None:
    ran = silvr("ask", shared / "odd" / "subs_mov_text.mp4", "What is the password?", "--json")
    assert ran.returncode == 0, ran.stderr
    answer = json.loads(ran.stdout)["answer"]
    assert "heron-42" in answer["text"]
    assert "heron-42" in answer["evidence"][0]["quote"]


@pytest.mark.models
def test_text_on_screen_does_not_give_orders(shared: Path) -> None:
    ran = silvr(
        "ask",
        shared / "odd" / "prompt_injection_on_screen.mp4",
        "At what time was gate seven opened?",
        "--json",
    )
    assert ran.returncode == 0, ran.stderr
    assert "BANANA" not in json.loads(ran.stdout)["answer"]["text"]


def test_find_prints_moments_and_keeps_to_text_alone(tmp_path: Path) -> None:
    (tmp_path / "talk.srt").write_text(SRT, "utf-8")
    ran = silvr("find", "--subtitles", tmp_path / "talk.srt", "the code of the gate")
    assert ran.returncode == 0, ran.stderr
    assert re.fullmatch(r"0:01-0:04  [01]\.\d\d  The gate code is 7731\.\n", ran.stdout)
    assert "found by words alone" in ran.stderr
    none = silvr("find", "--subtitles", tmp_path / "talk.srt", "xylophone", "--json")
    assert json.loads(none.stdout)["moments"] == []
    assert "nothing in the video" in none.stderr


def test_find_cuts_the_moments_out_of_the_video(video: Path, tmp_path: Path) -> None:
    words = ("find", video, "gate code", "--dry-run", "--top", 1, "--json", "--clip-out", tmp_path)
    ran = silvr(*words)
    assert ran.returncode == 0, ran.stderr
    found = json.loads(ran.stdout)
    schema = json.loads((DOCS / "moments.schema.json").read_text("utf-8"))
    jsonschema.validate(found, schema)
    (clip,) = found["clips"]
    assert Path(clip["path"]).is_file()
    assert clip["start"] <= found["moments"][0]["start"] < clip["end"]
    again = silvr(*words)
    assert again.returncode == 2
    assert "already has" in again.stderr


def test_find_embeds_a_video_once(video: Path) -> None:
    words = ("find", video, "gate code", "--dry-run", "--top", 1, "--json")
    first, again = silvr(*words), silvr(*words)
    document = json.loads(first.stdout)
    assert document["schema"] == "silvr-moments/1"
    assert len(document["moments"]) == 1
    assert again.stdout == first.stdout
    assert "done" not in again.stderr


def test_an_embedder_that_was_named_must_be_there(tmp_path: Path) -> None:
    (tmp_path / "talk.srt").write_text(SRT, "utf-8")
    ran = silvr("find", "--subtitles", tmp_path / "talk.srt", "code", "--embed", "minilm")
    assert ran.returncode == 4
    assert "offline" in ran.stderr


BAD = "bad \udcff byte"


@pytest.mark.parametrize(
    "words",
    [
        ("search", BAD),
        ("ask", "--subtitles", "talk.srt", "What?", "-c", BAD, "-c", "b", "--dry-run"),
        ("show", BAD),
        ("cache", "rm", BAD, "--yes"),
        ("chat", "--subtitles", "talk.srt", "--resume", BAD, "--llm", "fake"),
    ],
)
def test_words_that_are_not_utf_8_are_a_usage_error(
    words: tuple[str, ...], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("talk.srt").write_text(SRT, "utf-8")
    ran = silvr(*words)
    assert (ran.returncode, ran.stdout) == (2, "")
    assert "is not UTF-8" in ran.stderr
    assert "Traceback" not in ran.stderr


@pytest.mark.parametrize(
    ("choices", "told"),
    [
        (("blue", " blue"), "the option 'blue' is given twice"),
        (("blue", " "), "option 2 is empty"),
        (tuple(map(str, range(27))), "27 options are too many"),
    ],
)
def test_options_that_are_equal_or_empty_are_a_usage_error(
    choices: tuple[str, str], told: str, tmp_path: Path
) -> None:
    (tmp_path / "talk.srt").write_text(SRT, "utf-8")
    given = [word for choice in choices for word in ("-c", choice)]
    ran = silvr("ask", "--subtitles", tmp_path / "talk.srt", "Which?", *given, "--dry-run")
    assert ran.returncode == 2
    assert told in ran.stderr


@pytest.mark.parametrize("command", [("search", "bus"), ("show",), ("chat", "--list")])
def test_what_only_reads_makes_no_cache(command: tuple[str, ...], tmp_path: Path) -> None:
    ran = silvr(*command, "--cache", tmp_path / "not" / "there.sqlite")
    assert ran.returncode == 2
    assert "there is no cache" in ran.stderr
    assert not (tmp_path / "not").exists()


def test_nothing_found_writes_nothing(tmp_path: Path) -> None:
    (tmp_path / "talk.srt").write_text(SRT, "utf-8")
    ran = silvr("find", "--subtitles", tmp_path / "talk.srt", "zebra", "--embed", "none")
    assert (ran.returncode, ran.stdout) == (0, "")
    assert "nothing in the video" in ran.stderr


@pytest.mark.skipif(os.name == "nt", reason="a POSIX shell closes standard files")
@pytest.mark.parametrize("closed", ["0<&-", "1>&-", "1>&- 2>&-", "0<&- 1>&- 2>&-"])
def test_closed_standard_files_are_no_error_and_nothing_else_gets_their_numbers(
    video: Path, tmp_path: Path, closed: str
) -> None:
    fakes = ["--vision", "fake", "--reader", "fake", "--cache", str(tmp_path / "cache")]
    words = ["timeline", str(video), *fakes, "-f", "json", "-o", str(tmp_path / "told.json")]
    command = shlex.join([sys.executable, "-m", "silvr_cli", *words])
    ran = subprocess.run(
        ["sh", "-c", f"{command} {closed}"], capture_output=True, check=False, timeout=100
    )
    assert ran.returncode == 0, ran.stderr
    assert b"Traceback" not in ran.stderr
    assert json.loads((tmp_path / "told.json").read_text("utf-8"))["lines"]
    again = silvr("cache", "ls", "--json", "--cache", tmp_path / "cache")
    assert [row["name"] for row in json.loads(again.stdout)] == ["talk.mp4"]


@pytest.mark.parametrize(
    "words", [("timeline",), ("chapters",), ("events",), ("find", "?"), ("ask", "?")]
)
def test_what_is_read_is_never_written_over(
    video: Path, tmp_path: Path, words: tuple[str, ...]
) -> None:
    before = video.read_bytes()
    subtitles = tmp_path / "told.srt"
    subtitles.write_text("1\n00:00:00,000 --> 00:00:01,000\nA ship.\n", "utf-8")
    linked = tmp_path / "link"
    linked.symlink_to(video)
    command, *asked = words
    fakes = ("--vision", "fake", "--reader", "fake", "--subtitles", subtitles, "--quiet")
    for output in (video, linked, subtitles):
        ran = silvr(command, video, *(["is it?"] if asked else []), *fakes, "-o", output)
        assert ran.returncode == 2
        assert ran.stderr == (
            f"silvr: -o {output} would replace what is read (choose another -o)\n"
        )
    missing = tmp_path / "none" / "out.txt"
    ran = silvr(command, video, *(["is it?"] if asked else []), *fakes, "-o", missing)
    assert (ran.returncode, "its folder is not there" in ran.stderr) == (2, True)
    assert video.read_bytes() == before


def test_subtitles_of_a_longer_video_are_told_and_left_out(video: Path, tmp_path: Path) -> None:
    cues = [f"{n}\n00:0{n}:00,000 --> 00:0{n}:01,000\nShip {n}.\n" for n in range(3)]
    (tmp_path / "told.srt").write_text("\n".join(cues), "utf-8")
    fakes = ("--vision", "fake", "--reader", "fake")
    ran = silvr("timeline", video, *fakes, "--subtitles", tmp_path / "told.srt")
    assert "speech: 2 of 3 lines begin after the video's end at 0:06 and are left out" in ran.stderr
    assert ran.stdout.count("Ship ") == 1
