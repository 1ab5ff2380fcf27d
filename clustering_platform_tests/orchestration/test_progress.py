"""Progress: sparse in the log, every step for who watches."""

from clustering_platform.orchestration.progress import Progress, Standing, watched


class Watch:
    """A clock set by hand."""

    def __init__(self) -> None:
        self.time = 0.0

    def __call__(self) -> float:
        return self.time


def test_lines_are_written_at_both_ends_and_every_five_seconds_between() -> None:
    lines: list[str] = []
    clock = Watch()
    progress = Progress(lines.append, clock=clock)
    for done in range(0, 1001, 10):
        progress(done, 1000)
        clock.time += 0.12
    assert lines == [
        "0 of 1,000 (0%)",
        "420 of 1,000 (42%), 83.3/s, 0:07 left",
        "840 of 1,000 (84%), 83.3/s, 0:02 left",
        "1,000 of 1,000 (100%)",
    ]


def test_what_was_done_before_does_not_count_for_the_rate() -> None:
    lines: list[str] = []
    clock = Watch()
    progress = Progress(lines.append, clock=clock)
    progress(9_000, 10_000)
    clock.time = 10
    progress(9_100, 10_000)
    assert lines == ["9,000 of 10,000 (90%)", "9,100 of 10,000 (91%), 10/s, 1:30 left"]


def test_other_work_begins_anew() -> None:
    lines: list[str] = []
    progress = Progress(lines.append, clock=Watch())
    progress(5, 5)
    progress(0, 5)
    progress(2, 9)
    assert lines == ["5 of 5 (100%)", "0 of 5 (0%)", "2 of 9 (22%)"]


def test_long_waits_are_told_in_hours() -> None:
    assert Standing(1, 40_001, 2.0).pace == "2/s, 5:33:20 left"
    assert Standing(0, 9, None).pace == ""
    assert str(Standing(0, 0, None)) == "0 of 0"


def test_who_watches_sees_every_step_until_the_block_ends() -> None:
    seen: list[Standing] = []
    progress = Progress(lambda line: None, clock=Watch())
    with watched(seen.append):
        progress(0, 3)
        progress(1, 3)
    progress(2, 3)
    assert [(standing.done, standing.total) for standing in seen] == [(0, 3), (1, 3)]
