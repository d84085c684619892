"""Plots: what they show, and how their axes are labelled."""

import math
from collections.abc import Callable
from dataclasses import field
from typing import Annotated, Any

import numpy as np
import pytest

from lk import Unit
from lk.common.dataset import Dataset
from lk.common.dataset.fields import field_at, leaves, split_key, unit_of
from lk.common.dataset.viz import plot_comparison, plot_heatmap, plot_histogram, plot_timeseries
from lk.msgs.msg import Msg

pytest.importorskip("matplotlib").use("agg")

from matplotlib import pyplot as plt  # noqa: E402
from matplotlib.axes import Axes  # noqa: E402


@pytest.fixture(autouse=True)
def no_open_figures() -> Any:
    yield
    plt.close("all")


class Vec2(Msg):
    x: float = 0.0
    y: float = 0.0


class Pose(Msg):
    position_m: Vec2
    yaw_rad: float = 0.0
    frame: str = "map"


def run(offset: float = 0.0, count: int = 20, start: float = 100.0) -> Dataset:
    made = Dataset.create()
    for n in range(count):
        wrong = offset if n >= 10 else 0.0
        pose = Pose(Vec2(math.sin(n), math.cos(n) + wrong), 0.1 * n)
        made.write("pose", pose, start + 0.5 * n)
        made.write("speed_m_s", float(n), start + 0.5 * n)
        made.write("mode", "idle", start + 0.5 * n)
    return made


def lines(ax: Axes) -> dict[str, Any]:
    return {str(line.get_label()): line for line in ax.get_lines()}


def test_a_histogram_counts_all_samples() -> None:
    ax = plot_histogram(run(), "speed_m_s", bins=4, show=False)
    (stairs,) = ax.patches
    np.testing.assert_array_equal(stairs.get_data().values, [5, 5, 5, 5])  # type: ignore[attr-defined]
    assert (ax.get_xlabel(), ax.get_ylabel()) == ("speed_m_s (m/s)", "samples")
    assert ax.get_title() == "speed_m_s: 20 samples"


def test_a_histogram_of_several_fields_has_a_line_and_a_name_for_each() -> None:
    ax = plot_histogram(run(), "pose.position_m", show=False, title="Where it was")
    assert [p.get_label() for p in ax.patches] == ["x", "y"]
    assert ax.get_xlabel() == "pose.position_m (m)" and ax.get_title() == "Where it was"
    assert ax.get_legend() is not None


def test_a_histogram_says_what_was_not_finite() -> None:
    made = Dataset.create()
    for n, value in enumerate((1.0, math.nan, 2.0, math.inf)):
        made.write("a", value, float(n))
    ax = plot_histogram(made, "a", bins=2, show=False)
    assert [p.get_label() for p in ax.patches] == ["a (2 not finite)"]
    made = Dataset.create()
    made.write("a", math.nan, 0.0)
    with pytest.raises(ValueError, match="'a' has no finite number"):
        plot_histogram(made, "a", show=False)


def test_a_timeseries_has_a_panel_for_each_key_with_numbers() -> None:
    first = plot_timeseries(run(), show=False)
    panels = first.figure.axes
    assert [p.get_ylabel() for p in panels] == ["pose", "speed_m_s (m/s)"]
    assert panels[0] is first and panels[-1].get_xlabel() == "time (s)"
    assert list(lines(first)) == ["position_m.x", "position_m.y", "yaw_rad"]
    np.testing.assert_allclose(lines(first)["yaw_rad"].get_xdata(), 0.5 * np.arange(20))
    np.testing.assert_allclose(lines(first)["yaw_rad"].get_ydata(), 0.1 * np.arange(20))


def test_a_timeseries_goes_into_given_axes() -> None:
    _, ax = plt.subplots()
    keys = ["pose.yaw_rad", "speed_m_s"]
    assert plot_timeseries(run(), keys, show=False, ax=ax) is ax
    assert len(ax.get_lines()) == 2 and len(plt.get_fignums()) == 1


def test_a_comparison_shows_both_and_what_lies_between() -> None:
    labels = ("original", "port")
    top = plot_comparison(run(), run(0.25), "pose.position_m.y", labels, show=False)
    assert list(lines(top)) == ["original", "port"]
    assert top.get_ylabel() == "pose.position_m.y (m)"
    bottom = top.figure.axes[1]
    difference: Any = bottom.get_lines()[0].get_ydata()
    np.testing.assert_allclose(difference, [0.0] * 10 + [0.25] * 10, atol=1e-12)
    assert bottom.get_ylabel() == "difference (m)" and bottom.get_xlabel() == "time (s)"


def test_what_has_no_common_time_is_compared_by_place() -> None:
    top = plot_comparison(run(), run(0.25, start=500.1), "pose.position_m.y", show=False)
    difference: Any = top.figure.axes[1].get_lines()[0].get_ydata()
    np.testing.assert_allclose(difference, [0.0] * 10 + [0.25] * 10, atol=1e-12)


def test_a_missing_sample_shifts_no_other() -> None:
    shorter = Dataset.create()
    for n, (pose, time_s) in enumerate(
        zip(run(0.25).read("pose"), run().get_timestamps("pose"), strict=True)
    ):
        if n != 3:
            shorter.write("pose", pose, time_s)
    top = plot_comparison(run(), shorter, "pose.position_m.y", show=False)
    difference: Any = top.figure.axes[1].get_lines()[0].get_ydata()
    np.testing.assert_allclose(difference, [0.0] * 9 + [0.25] * 10, atol=1e-12)


def test_a_heatmap_has_a_row_for_each_field_and_the_size_of_the_difference() -> None:
    ax = plot_heatmap(run(), run(0.25), "pose", show=False)
    assert [t.get_text() for t in ax.get_yticklabels()] == [
        "position_m.x",
        "position_m.y",
        "yaw_rad",
    ]
    (mesh,) = ax.collections
    errors = np.asarray(mesh.get_array()).reshape(3, 20)
    expected = np.zeros((3, 20))
    expected[1, 10:] = 0.25
    np.testing.assert_allclose(errors, expected, atol=1e-12)
    assert ax.get_xlabel() == "time (s)" and ax.figure.axes[1].get_ylabel() == "absolute difference"
    assert plot_heatmap(run(), run(), "speed_m_s", show=False).figure.axes[1].get_ylabel() == (
        "absolute difference (m/s)"
    )


def test_an_infinity_on_both_sides_is_no_difference_and_a_nan_on_one_is() -> None:
    def made(*values: float) -> Dataset:
        dataset = Dataset.create()
        for n, value in enumerate(values):
            dataset.write("a", value, float(n))
        return dataset

    first, second = made(math.inf, math.nan, math.nan, 1.0), made(math.inf, math.nan, 0.0, 1.5)
    (mesh,) = plot_heatmap(first, second, "a", show=False).collections
    array = mesh.get_array()
    assert array is not None
    np.testing.assert_array_equal(np.ma.getmaskarray(array).ravel(), [False, False, True, False])
    np.testing.assert_array_equal(np.ma.filled(array, -1.0).ravel(), [0.0, 0.0, -1.0, 0.5])


@pytest.mark.parametrize(
    ("plot", "error", "message"),
    [
        (lambda d: plot_histogram(d, "nose", show=False), KeyError, "no key 'nose'; there are"),
        (lambda d: plot_histogram(d, "pose.w", show=False), KeyError, "no field 'w' in 'w'"),
        (lambda d: plot_histogram(d, "mode", show=False), ValueError, "no numbers in 'mode'"),
        (lambda d: plot_timeseries(Dataset.create(), show=False), ValueError, "no key with numbers"),
    ],
)
def test_what_can_not_be_drawn_is_named(
    plot: Callable[[Dataset], object], error: type[Exception], message: str
) -> None:
    with pytest.raises(error, match=message):
        plot(run())


def test_too_many_lines_are_refused_with_a_hint() -> None:
    made = Dataset.create()
    made.write("scan", np.zeros(20), 0.0)
    with pytest.raises(ValueError, match=r"'scan' has 20 numbers.*hint: choose one.*scan\[0\]"):
        plot_timeseries(made, show=False)
    made.write("scan", np.ones(20), 1.0)
    assert plot_timeseries(made, ["scan[3]"], show=False).get_ylabel() == "scan[3]"
    assert plot_heatmap(made, made, "scan", show=False) is not None


def test_showing_without_a_screen_is_silent(recwarn: pytest.WarningsRecorder) -> None:
    plot_histogram(run(), "speed_m_s")
    assert len(recwarn) == 0


@pytest.mark.parametrize(
    ("path", "unit"),
    [
        ("imu.rate_rad_s", "rad/s"),
        ("position_m.x", "m"),
        ("force_n", "N"),
        ("wind_m_s[2]", "m/s"),
        ("name", None),
        ("_s", None),
        ("s", None),
    ],
)
def test_a_unit_is_read_from_the_name(path: str, unit: str | None) -> None:
    assert unit_of(path) == unit


def test_an_annotation_says_the_unit_before_the_name_does() -> None:
    class Wheel(Msg):
        turn_s: Annotated[float, Unit("rpm")] = 0.0
        hub: Annotated[Vec2, Unit("mm")] = field(default_factory=Vec2)

    made = Dataset.create()
    made.write("wheel", Wheel(), 0.0)
    assert plot_histogram(made, "wheel.turn_s", show=False).get_xlabel() == "wheel.turn_s (rpm)"
    assert plot_histogram(made, "wheel.hub", show=False).get_xlabel() == "wheel.hub (mm)"


def test_the_fields_of_a_value_have_paths() -> None:
    value = Pose(Vec2(1.0, 2.0), 3.0)
    found = dict(leaves(value))
    assert found == {"position_m.x": 1.0, "position_m.y": 2.0, "yaw_rad": 3.0, "frame": "map"}
    assert all(field_at(value, path) == leaf for path, leaf in found.items())
    assert dict(leaves(2.5)) == {"": 2.5}
    assert dict(leaves({"a": [1, (2, 3)]})) == {"a[0]": 1, "a[1][0]": 2, "a[1][1]": 3}


def test_the_longest_key_is_meant() -> None:
    keys = ["a", "a.b", "ab"]
    assert split_key(keys, "a.b.c") == ("a.b", "c")
    assert split_key(keys, "a.c[2].d") == ("a", "c[2].d")
    assert split_key(keys, "a[2]") == ("a", "[2]")
    with pytest.raises(KeyError, match="no key 'b'; there are: a, a.b, ab"):
        split_key(keys, "b")


def test_a_comparison_draws_its_differences() -> None:
    from lk.common.dataset import diffdiff

    result: Any = diffdiff(run(), run(0.25))
    ax = result.plot_histogram("pose.position_m.y", show=False)
    assert ax.get_xlabel() == "difference in pose.position_m.y (m)"
    assert ax.get_title() == "pose.position_m.y: differences"
    (stairs,) = ax.patches
    counts, edges, _ = stairs.get_data()
    assert counts.sum() == 20 and edges[-1] == pytest.approx(0.25)
    series = result.plot_timeseries(show=False)
    assert [panel.get_ylabel() for panel in series.figure.axes] == ["pose"]
    assert len(result.plot_comparison("pose.yaw_rad", show=False).figure.axes) == 2
    assert result.plot_heatmap("pose", show=False).get_title() == "pose: where they differ"


def test_a_class_that_only_a_function_can_see_is_drawn() -> None:
    class Hidden(Msg):
        speed: "Annotated[float, Unit('m/s')]" = 0.0

    class Outer(Msg):
        inner: "Hidden"

    dataset = Dataset.create()
    for n in range(3):
        dataset.write("outer", Outer(Hidden(float(n))), float(n))
    assert plot_timeseries(dataset, ["outer"], show=False).get_ylabel() == "inner.speed (m/s)"
