# %% [markdown]
# # NN-compile: a controller is recorded, and a stand-in for it is compared with it
#
# 1. a PD controller with a limit, and the plant that it drives
# 2. collect what it got and gave, over many episodes
# 3. hand the data over to what trains
# 4. compare two stand-ins with the original, on states that they were not trained on
# 5. record where they differ: that is what to train on next
#
# lk trains no network yet. What trains here is a least-squares fit on features, a
# dozen lines of NumPy, in the place where your own training goes.

# %%
import numpy as np
import numpy.typing as npt

import lk
from lk import Component, ConsensusRecorder, DataRecorder, Dataset, InputPort, Msg, OutputPort
from lk import RandomFloat, RandomMsg, nn_compile

Floats = npt.NDArray[np.float64]


# %% The messages, the controller, the plant
class State(Msg):
    position_m: float = 0.0
    velocity_m_s: float = 0.0


class Control(Msg):
    force_n: float = 0.0


class PDController(Component):
    """Pushes back to the origin, with at most 10 N."""

    state = InputPort("state", State)
    control = OutputPort("control", Control)

    def forward(self, state: State) -> Control:
        force = -4.0 * state.position_m - 1.5 * state.velocity_m_s
        return Control(min(max(force, -10.0), 10.0))


DT_S, MASS_KG = 0.02, 1.0


def plant(state: State, control: Control) -> State:
    """A mass on a rail, semi-implicit Euler."""
    velocity = state.velocity_m_s + control.force_n / MASS_KG * DT_S
    return State(state.position_m + velocity * DT_S, velocity)


# %% Collect: closed loop, from starts that are drawn
def collect_training_data(n_episodes: int = 40, steps: int = 100) -> Dataset:
    """The states that the controller meets, one episode after the other."""
    starts = RandomMsg(
        State,
        position_m=RandomFloat.uniform(-3.0, 3.0),
        velocity_m_s=RandomFloat.normal(0.0, 2.0),
    ).with_seed(1)
    controller, dataset = PDController(), Dataset.create()
    recorder = DataRecorder(dataset)
    for episode in range(n_episodes):
        state = starts.sample()
        for step in range(steps):
            control = controller(state)
            time_s = (episode * steps + step) * DT_S
            recorder.record_all({"state": state, "control": control}, timestamp=time_s)
            state = plant(state, control)
    stats = recorder.get_stats()
    print(f"{stats['total_writes']:,} samples, {stats['dropped']} dropped")
    return dataset


recorded = collect_training_data()


# %% What trains. Its data are rows of (position, velocity) and of (force).
def linear(x: Floats, y: Floats):
    """Knows nothing of the limit."""
    weights, *_ = np.linalg.lstsq(x, y, rcond=None)
    return lambda inputs: inputs @ weights


def saturated(x: Floats, y: Floats):
    """A linear part fitted within the limits, and the limits as they were seen."""
    low, high = y.min(axis=0), y.max(axis=0)
    inside = ((y > low) & (y < high)).all(axis=1)
    weights, *_ = np.linalg.lstsq(x[inside], y[inside], rcond=None)
    return lambda inputs: np.clip(inputs @ weights, low, high)


# %% Train each on the first episodes, compare on the last
first = nn_compile(PDController(), recorded, linear, tolerance=1e-3)
second = nn_compile(PDController(), recorded, saturated, tolerance=1e-3)
for name, made in (("linear", first), ("saturated", second)):
    print(f"{name}: from {made.input_fields} to {made.output_fields}")
    print(made.comparison.summary())
assert not first.comparison.matches and second.comparison.matches

# %% What lk itself does not do, it says
try:
    nn_compile(PDController(), recorded)
except NotImplementedError as error:
    print(error)


# %% Where they differ is what to look at next
def stand_in(made):
    """The fit in the place of the controller."""

    def control(state: State) -> Control:
        row = np.array([[state.position_m, state.velocity_m_s]])
        return Control(float(made.predict(row)[0, 0]))

    return control


consensus = ConsensusRecorder(
    Dataset.create(),
    {"original": PDController(), "linear": stand_in(first), "saturated": stand_in(second)},
    config=ConsensusRecorder.Config(tolerance=1e-3),
)
for time_s, state in zip(recorded.get_timestamps("state"), recorded.read("state"), strict=True):
    consensus.evaluate({"state": state}, timestamp=time_s)
print(f"{len(consensus.dataset):,} of {consensus.diagnostics.samples:,} states are disputed")
for pair, fields in consensus.diagnostics.statistics().items():
    for field, stats in fields.items():
        print(f"  {' and '.join(pair)}: {field} agrees in {stats.agreement:.1%}, "
              f"largest difference {stats.max_error:.3g}")  # fmt: skip

# %% In the closed loop
def drive(controller, start: State, steps: int = 150) -> Dataset:
    """What the plant does under a controller."""
    dataset, state = Dataset.create(), start
    for step in range(steps):
        control = controller(state)
        dataset.write("state", state, timestamp=step * DT_S)
        dataset.write("control", control, timestamp=step * DT_S)
        state = plant(state, control)
    return dataset


start = State(3.0, 4.0)
original = drive(PDController(), start)
print(lk.diffdiff(original, drive(stand_in(second), start), tol=1e-2).summary())
worse = lk.diffdiff(original, drive(stand_in(first), start), tol=1e-2)
print(worse.summary())
assert not worse.matches

# %%
try:
    ax = worse.plot_comparison("control.force_n", labels=("original", "linear"), show=True)
except ImportError:
    print("no matplotlib, no picture")
