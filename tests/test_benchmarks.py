"""Each benchmark reads its files as they are published; tests/official holds small ones."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from silvr_cli.errors import InputError
from silvr_cli.evals import choices, named, qmsum, run, table
from silvr_cli.evals.benchmark import Data, Item, Response, Span

OFFICIAL = Path(__file__).with_name("official")


def official(name: str, split: str, folder: str = "") -> Data:
    return run.load(named(name), OFFICIAL / (folder or name), split)


def parquet(path: Path, rows: list[dict[str, Any]]) -> Path:
    pyarrow = pytest.importorskip("pyarrow")
    from pyarrow import parquet as file

    path.parent.mkdir(parents=True, exist_ok=True)
    file.write_table(pyarrow.Table.from_pylist(rows), path)
    return path


# -- Video-MME

MME_ROW = {
    "video_id": "001",
    "duration": "short",
    "domain": "Knowledge",
    "sub_category": "Humanity & History",
    "url": "https://www.youtube.com/watch?v=fFjv93ACGo8",
    "videoID": "fFjv93ACGo8",
    "question_id": "001-1",
    "task_type": "Counting Problem",
    "question": "How many balls are on the tree?",
    "options": ["A. 4.", "B. 9.", "C. 5.", "D. 13."],
    "answer": "B",
}


def test_video_mme_parquet_and_nested_json_are_the_same_question(tmp_path: Path) -> None:
    parquet(tmp_path / "videomme" / "test-00000-of-00001.parquet", [MME_ROW])
    (released,) = run.load(named("video_mme"), tmp_path, "test").items
    assert released == official("video_mme", "test").items[0]
    assert released.choices == ("4.", "9.", "5.", "13.")
    assert (released.video, released.gold) == ("fFjv93ACGo8", 1)
    assert released.groups["duration"] == "short"


def test_a_table_in_parts_is_read_whole_or_not_at_all(tmp_path: Path) -> None:
    parquet(tmp_path / "test-00000-of-00002.parquet", [MME_ROW])
    with pytest.raises(InputError, match="lacks test-00001-of-00002"):
        run.load(named("video_mme"), tmp_path, "test")
    parquet(tmp_path / "test-00001-of-00002.parquet", [{**MME_ROW, "question_id": "001-2"}])
    items = run.load(named("video_mme"), tmp_path, "test").items
    assert [item.id for item in items] == ["001-1", "001-2"]


def test_video_mme_splits_are_its_durations() -> None:
    assert [item.id for item in official("video_mme", "long").items] == ["601-1"]
    assert len(official("video_mme", "test").items) == 3


def test_video_mme_results_are_what_the_authors_script_reads() -> None:
    benchmark, items = named("video_mme"), official("video_mme", "test").items
    assert benchmark.submit
    replies = (Response(choice=1), Response("unparsable"), Response(choice=0))
    file = benchmark.submit(list(zip(items, replies, strict=True)))
    template = json.loads((OFFICIAL / "video_mme" / "output_test_template.json").read_text())
    told = json.loads(file.text)
    assert [q["response"] for video in told for q in video["questions"]] == ["B", "", "A"]
    for video in told:
        for question in video["questions"]:
            question["response"] = ""
    for video in template:
        video.pop("url", None)
    assert told == template


# -- EgoSchema


def test_egoschema_subset_has_only_the_questions_with_public_answers() -> None:
    (item,) = official("egoschema", "subset").items
    assert (item.gold, item.choices[3]) == (3, "Washing dishes.")


def test_egoschema_test_makes_the_kaggle_table() -> None:
    benchmark, items = named("egoschema"), official("egoschema", "test").items
    assert [item.gold for item in items] == [3, None]
    assert benchmark.submit
    file = benchmark.submit([(items[0], Response(choice=3)), (items[1], Response("missing"))])
    assert file.text == (
        "q_uid,answer\n"
        "0074f737-11cb-497d-8d07-77c3a8127391,3\n"
        "00b9a0de-c59e-49cb-a127-6081e2fb8c8e,-1\n"
    )


def test_egoschema_parquet(tmp_path: Path) -> None:
    row = {
        "question_idx": "0",
        "question": "Why?",
        "video_idx": "0074f737",
        "option": ["A. One.", "B. Two.", "C. Three.", "D. Four.", "E. Five."],
        "answer": "4",
    }
    parquet(tmp_path / "Subset" / "test-00000-of-00001.parquet", [row])
    (item,) = run.load(named("egoschema"), tmp_path, "subset").items
    assert (item.gold, item.choices[4]) == (4, "Five.")


# -- LongVideoBench


def test_longvideobench_validation() -> None:
    (item,) = official("longvideobench", "val").items
    assert (item.video, item.gold, len(item.choices)) == ("86CxyhFV9MI", 1, 5)
    assert item.groups["duration"] == "3-10 min"
    assert item.more["subtitles_from"] == 60


def test_longvideobench_test_has_no_answers_and_makes_a_submission() -> None:
    benchmark, items = named("longvideobench"), official("longvideobench", "test").items
    assert items[0].gold is None
    assert benchmark.score(items[0], Response(choice=2)) == {}
    assert benchmark.submit
    file = benchmark.submit([(items[0], Response(choice=2))])
    assert json.loads(file.text) == {"vfbe1Zq1E4Y_0": "C"}


def test_longvideobench_parquet_names_its_options_one_by_one(tmp_path: Path) -> None:
    (row,) = json.loads((OFFICIAL / "longvideobench" / "lvb_val.json").read_text())
    options = [*row.pop("candidates")[:4], "N/A"]
    row |= {f"option{index}": text for index, text in enumerate(options)}
    parquet(tmp_path / "validation-00000-of-00001.parquet", [row])
    (item,) = run.load(named("longvideobench"), tmp_path, "val").items
    assert item.choices == ("A torch", "A rope", "A book", "A cup")


# -- MLVU


def test_mlvu_averages_over_tasks() -> None:
    benchmark, items = named("mlvu"), official("mlvu", "dev").items
    assert [item.groups["task"] for item in items] == ["plotQA", "plotQA", "count"]
    assert [item.gold for item in items] == [0, 1, 1]
    right = [(item, benchmark.score(item, Response(choice=0))) for item in items]
    # plotQA 1 of 2, count 0 of 1: M-Avg is (50 + 0) / 2, the accuracy 1 of 3.
    assert benchmark.aggregate(right) == {"accuracy": pytest.approx(1 / 3), "M-Avg": 0.25}


def test_mlvu_test_answers_are_taken_where_they_are(tmp_path: Path) -> None:
    questions = (OFFICIAL / "mlvu" / "test_question.json").read_text()
    (tmp_path / "test_question.json").write_text(questions)
    benchmark = named("mlvu")
    items = run.load(benchmark, tmp_path, "test").items
    assert [item.gold for item in items] == [None, None]
    assert benchmark.submit
    file = benchmark.submit([(items[0], Response(choice=5)), (items[1], Response("abstained"))])
    assert json.loads(file.text) == [
        {"question_id": "AR_0", "question_type": "anomaly_reco", "option": "F"},
        {"question_id": "SQA_0", "question_type": "sportsQA", "option": ""},
    ]
    (tmp_path / "test-ground-truth").mkdir()
    answers = '[{"question_id": "AR_0", "answer": "C"}, {"question_id": "SQA_0", "answer": "Blue"}]'
    (tmp_path / "test-ground-truth" / "test_mcq_gt.json").write_text(answers)
    assert [item.gold for item in run.load(benchmark, tmp_path, "test").items] == [2, 1]


# -- HourVideo


def test_hourvideo_and_its_submission() -> None:
    benchmark, items = named("hourvideo"), official("hourvideo", "dev").items
    assert [item.groups["area"] for item in items] == ["summarization", "navigation"]
    assert [item.groups["options"] for item in items] == ["words", "pictures"]
    assert benchmark.submit
    file = benchmark.submit([(items[0], Response(choice=4)), (items[1], Response("missing"))])
    assert json.loads(file.text) == {
        "0acbaf32": {
            "benchmark_dataset": [
                {"qid": "q1", "predicted_answer_label": "E"},
                {"qid": "q2", "predicted_answer_label": ""},
            ]
        }
    }


def test_hourvideo_captions_are_a_minute_each_in_order(tmp_path: Path) -> None:
    (item, _) = official("hourvideo", "dev").items
    place = tmp_path / item.video
    place.mkdir()
    for index in (10, 2):
        told = {"Scene Context": f"room {index}", "Summary": "c works"}
        (place / f"{index}.json").write_text(f"```json\n{json.dumps(told)}\n```\n")
    benchmark = named("hourvideo")
    assert benchmark.captions
    (lines,) = benchmark.captions(tmp_path, item)
    assert [line.text for line in lines] == [
        "Scene Context: room 2 Summary: c works",
        "Scene Context: room 10 Summary: c works",
    ]
    assert [(line.start, line.end) for line in lines] == [(0, 60), (60, 120)]


# -- EgoLife


def test_egolife_looks_back_half_an_hour_and_never_forward(tmp_path: Path) -> None:
    from silvr_cli.evals import egolife

    benchmark = named("egolife")
    (item,) = official("egolife", "A1_JAKE").items
    asked = 11 * 3600 + 21 * 60 + 2.17
    assert item.gold == 1
    assert (item.since, item.until) == (pytest.approx(asked - 1800), pytest.approx(asked))
    day = tmp_path / "captions_8s" / "DAY1"
    day.mkdir(parents=True)
    (day / "DAY1_A1_JAKE_11204500.txt").write_text("I sit.\n\nI stand.\nI walk.\n")
    (day / "DAY1_A1_JAKE_11210000.txt").write_text("I run.\n")
    (lines,) = egolife.captions(tmp_path, item)
    start = 11 * 3600 + 20 * 60 + 45
    # Fifteen seconds lie between the recordings: the second clip is cut, a third does not fit.
    assert [(n.start - start, n.end - start, n.text) for n in lines] == [
        (0, 8, "I sit."),
        (8, 15, "I stand."),
        (15, 23, "I run."),
    ]
    (tmp_path / "t" / "DAY1").mkdir(parents=True)
    cue = "1\n00:21:00,000 --> 00:21:01,000\nTasha: 我觉得OK。\nTasha: I think it is OK.\n"
    (tmp_path / "t" / "DAY1" / "A1_JAKE_DAY1_11000000.srt").write_text(cue)
    (said,) = egolife.subtitles(tmp_path / "t", item)
    assert said.start == 11 * 3600 + 21 * 60
    assert said.text == "Tasha: I think it is OK."
    assert benchmark.captions is egolife.captions


# -- open answers


def test_qmsum_turns_become_seconds() -> None:
    data = official("qmsum", "val")
    general, specific = data.items
    assert (general.ways, specific.ways) == (("open",), ("open", "moments"))
    # 7 words, then 6, at 2.5 a second: the second turn lasts from 2.8 to 5.2 seconds.
    assert specific.more["spans"] == [[pytest.approx(2.8), pytest.approx(5.2)]]
    lines = data.timelines[specific.video].lines
    assert lines[1].text == "Marketing: Yellow sells best this year."


@pytest.mark.parametrize(
    ("written", "read"),
    [
        ("the T_V_ is {vocalsound} on . Is n't it ?", "the TV is on. Isn't it?"),
        ("It 's an L_C_D_ {disfmarker} or two L_C_D_s , say .", "It's an LCD or two LCDs, say."),
        ("Save it as .PSD , then", "Save it as .PSD, then"),
        ("{vocalsound} {pause}", ""),
        ("a {two words} stays", "a {two words} stays"),
    ],
)
def test_qmsum_is_read_without_the_marks_of_its_transcription(written: str, read: str) -> None:
    assert qmsum.plain(written) == read
    assert qmsum.plain(read) == read


def test_tutorialvqa_sentences_get_the_times_of_segments() -> None:
    data = official("tutorialvqa", "test")
    (item,) = data.items
    assert item.more["spans"] == [[10.5, 18.0]]
    assert item.gold == "Choose File, Save As. Click Save."
    times = [line.start for line in data.timelines["14660"].lines]
    # 7 and 3 words before the segment at 10.5 s; 4 and 2 words in it; then 2.5 words a second.
    assert times == pytest.approx([0, 7.35, 10.5, 15.5, 18.0])


@pytest.mark.parametrize(("name", "split"), [("tutorialvqa", "train"), ("qmsum", "val")])
def test_the_shared_sets_are_read(shared: Path, name: str, split: str) -> None:
    data = run.load(named(name), shared / "bench" / name, split)
    assert len(data.items) == {"tutorialvqa": 3718, "qmsum": 272}[name]
    assert {item.video for item in data.items} <= set(data.timelines)


def test_a_place_and_an_answer_are_scored_by_hand() -> None:
    benchmark = named("tutorialvqa")
    item = Item(
        "1", "v", "?", (), ("open", "moments"), "click the save button", {}, {"spans": [[10, 20]]}
    )
    response = Response(
        text="click save", evidence=(Span(0, 4),), moments=(Span(15, 30), Span(10, 20))
    )
    figures = benchmark.score(item, response)
    # The first moment's middle is 22.5; it shares 5 of 20 seconds with the right stretch.
    assert (figures["hit@1"], figures["mIoU"]) == (0.0, 0.25)
    assert figures["evidence hit"] == 0.0
    # "click", "save" of "click", "save", "button" (articles do not count): 2 * 2 / (2 + 3).
    assert figures["F1"] == pytest.approx(0.8)
    assert set(benchmark.score(item, Response("unparsable")).values()) == {0.0}


def test_what_an_answer_rests_on_has_a_floor_as_the_first_moment_has() -> None:
    data = official("tutorialvqa", "test")
    benchmark, item = named("tutorialvqa"), data.items[0]
    floors = benchmark.floors(item, data.timelines[item.video])
    assert set(floors) == {"BM25", "random"}
    for each in floors.values():
        assert each["evidence hit"] == each["hit@1"]


# -- all of them


@pytest.mark.parametrize("name", list(table()))
def test_a_missing_answer_scores_nothing_and_a_wrong_folder_is_told(
    name: str, tmp_path: Path
) -> None:
    benchmark = named(name)
    with pytest.raises(InputError):
        run.load(benchmark, tmp_path, benchmark.splits[0])
    with pytest.raises(InputError):
        run.load(benchmark, tmp_path / "nowhere", benchmark.splits[0])


def test_files_unlike_the_published_ones_are_no_traceback(tmp_path: Path) -> None:
    (tmp_path / "lvb_val.json").write_text(
        '[{"id": "1", "candidates": ["a"], "correct_choice": "x"}]'
    )
    with pytest.raises(InputError, match="is not as LongVideoBench was published"):
        run.load(named("longvideobench"), tmp_path, "val")


def test_letters_before_options_are_taken_off() -> None:
    assert [choices.unlettered(t) for t in ("A. A dog.", "(B) x", "C) y", "A dog", "D: z")] == [
        "A dog.",
        "x",
        "y",
        "A dog",
        "z",
    ]
    assert choices.index("(b)", 4) == 1
    with pytest.raises(ValueError, match="none of 4"):
        choices.index("E", 4)
