from tests.bench.report import Figure, Section, page


def told(*figures, gaps=()):
    section = Section("Part", "How it was done.", figures=list(figures), gaps=list(gaps))
    return page("Benchmark", [("Commit", "`abc`")], [section])


def test_a_target_is_met_up_to_and_including_its_limit():
    assert Figure("memory", 65.0, "MB", most=65.0).met
    assert Figure("memory", 65.1, "MB", most=65.0).met is False
    assert Figure("queries", 16, same_as=16).met
    assert Figure("queries", 17, same_as=16).met is False
    assert Figure("a fact", 3).met is None


def test_what_was_missed_and_what_was_not_measured_comes_before_the_tables():
    text = told(
        Figure("memory", 70.0, "MB", most=65.0),
        Figure("start", 0.5, "s", most=1.0),
        Figure("a fact", 3),
        gaps=["the other program, which could not be installed"],
    )
    short = text[text.index("## In short") : text.index("## Part")]
    assert "1 of 2 targets met." in short
    assert "**Missed**: memory: 70 MB, the target is ≤ 65 MB" in short
    assert "**Not measured**: the other program" in short
    assert "start" not in short
