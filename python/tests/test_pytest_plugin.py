"""The fixture lk_regression, in pytest runs of their own."""

from importlib.metadata import entry_points
from pathlib import Path

import pytest

TEST = """
import lk

def test_speed(lk_regression):
    dataset = lk.Dataset.create()
    for n in range(5):
        dataset.write("speed", {value}, float(n))
    lk_regression(dataset, tol=1e-3)
"""


def write(pytester: pytest.Pytester, value: str) -> None:
    pytester.makepyfile(test_it=TEST.replace("{value}", value))


#: Where the package is installed its plugin is there already; else it is named.
NAMED = [] if entry_points(group="pytest11", name="lk") else ["-p", "lk.pytest_plugin"]


def run(pytester: pytest.Pytester, *args: str) -> pytest.RunResult:
    return pytester.runpytest_inprocess(*NAMED, "-p", "no:cacheprovider", *args)


def stored(pytester: pytest.Pytester) -> Path:
    return pytester.path / "lk_regression" / "test_it" / "test_speed.mcap"


def test_what_was_never_recorded_fails_with_a_hint(pytester: pytest.Pytester) -> None:
    write(pytester, "0.5 * n")
    result = run(pytester)
    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines(["*there is no *test_speed.mcap; hint: pytest --lk-update*"])
    assert not stored(pytester).exists()


def test_an_update_records_and_the_same_behaviour_passes(pytester: pytest.Pytester) -> None:
    write(pytester, "0.5 * n")
    result = run(pytester, "--lk-update")
    result.assert_outcomes(passed=1)
    result.stdout.fnmatch_lines(["lk: recorded *test_speed.mcap"])
    run(pytester).assert_outcomes(passed=1)
    write(pytester, "0.5 * n + 1e-4")
    run(pytester).assert_outcomes(passed=1)


def test_another_behaviour_fails_and_says_where(pytester: pytest.Pytester) -> None:
    write(pytester, "0.5 * n")
    run(pytester, "--lk-update")
    write(pytester, "0.5 * n + (n == 3)")
    result = run(pytester)
    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines(["*speed*", "*hint: pytest --lk-update takes the new*"])
    run(pytester, "--lk-update").assert_outcomes(passed=1)
    run(pytester).assert_outcomes(passed=1)


def test_an_update_leaves_alone_what_is_the_same(pytester: pytest.Pytester) -> None:
    write(pytester, "0.5 * n")
    run(pytester, "--lk-update")
    before = stored(pytester).stat().st_mtime_ns
    run(pytester, "--lk-update").stdout.no_fnmatch_line("lk: recorded*")
    assert stored(pytester).stat().st_mtime_ns == before


def test_plain_values_and_several_names_can_be_compared(pytester: pytest.Pytester) -> None:
    pytester.makepyfile(
        test_it="""
        import pytest

        @pytest.mark.parametrize("gain", [1, 2])
        def test_values(lk_regression, gain):
            lk_regression({"y": [gain * 1.0, gain * 2.0], "sum": gain * 3.0})
            lk_regression({"y": 4.0}, name="more")
            with pytest.raises(ValueError, match="'more' was compared before"):
                lk_regression({"y": 4.0}, name="more")
        """
    )
    run(pytester, "--lk-update").assert_outcomes(passed=2)
    run(pytester).assert_outcomes(passed=2)
    names = sorted(p.name for p in (pytester.path / "lk_regression/test_it").iterdir())
    assert names == [
        "test_values_1-more.mcap", "test_values_1.mcap",
        "test_values_2-more.mcap", "test_values_2.mcap",
    ]  # fmt: skip


def test_two_tests_do_not_share_a_recording(pytester: pytest.Pytester) -> None:
    method = "    def test_it(self, lk_regression):\n        lk_regression({'x': [1.0]})\n"
    pytester.makepyfile(test_both=f"class TestA:\n{method}\nclass TestB:\n{method}")
    result = run(pytester)
    result.stdout.fnmatch_lines(["*test_it.mcap is that of test_both.py::TestA::test_it; hint:*"])
