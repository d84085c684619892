"""The order in which samples are played, as laws."""

from hypothesis import given
from hypothesis import strategies as st

from lk.common.dataset.ticks import Ticks, by_row, by_time

#: Few different times, so that many are the same; out of order, too.
COLUMNS = st.lists(st.lists(st.integers(-3, 3), max_size=8), max_size=4)


def samples(ticks: Ticks) -> list[tuple[int, int]]:
    return [sample for tick in range(len(ticks)) for sample in ticks.samples(tick)]


@given(COLUMNS)
def test_each_sample_is_played_once(columns: list[list[int]]) -> None:
    everything = [(key, n) for key, column in enumerate(columns) for n in range(len(column))]
    assert sorted(samples(by_time(columns))) == sorted(samples(by_row(columns))) == everything


@given(COLUMNS)
def test_a_tick_has_one_time_and_each_key_once(columns: list[list[int]]) -> None:
    ticks = by_time(columns)
    for tick in range(len(ticks)):
        keys = [key for key, _ in ticks.samples(tick)]
        assert keys == sorted(set(keys))
        assert {columns[key][n] for key, n in ticks.samples(tick)} == {ticks.times[tick]}
    assert list(ticks.times) == sorted(ticks.times)


@given(COLUMNS)
def test_samples_of_one_key_and_time_keep_their_order(columns: list[list[int]]) -> None:
    for key, column in enumerate(columns):
        played = [n for k, n in samples(by_time(columns)) if k == key]
        assert played == sorted(range(len(column)), key=lambda n: column[n])


@given(COLUMNS)
def test_row_by_row_the_nth_come_together_and_time_never_goes_back(
    columns: list[list[int]],
) -> None:
    ticks = by_row(columns)
    assert len(ticks) == max(map(len, columns), default=0)
    for tick in range(len(ticks)):
        assert {n for _, n in ticks.samples(tick)} == {tick}
    assert list(ticks.times) == sorted(ticks.times)


@given(COLUMNS, st.integers(-4, 4), st.integers(-4, 4))
def test_a_part_has_the_ticks_within_its_bounds(
    columns: list[list[int]], first: int, until: int
) -> None:
    ticks = by_time(columns)
    part = ticks.between(first / 1e9, until / 1e9)
    wanted = [n for n, time_s in enumerate(ticks.times) if first <= time_s < until]
    assert list(part.times) == [ticks.times[n] for n in wanted]
    assert samples(part) == [sample for n in wanted for sample in ticks.samples(n)]
