# %% [markdown]
# # AI-compile: a Python component becomes C++, and is held against the original
#
# 1. a component that works, and inputs for it
# 2. record the original, generate the project and the prompt
# 3. a port is written: here two are at hand, a careful one and a careless one
# 4. build it, run it on the same inputs in lock-step, compare
# 5. play both recordings, look where they part
#
# The port is compiled by g++ and run for real. Whoever writes it, a model or a
# person, gets the prompt and a folder.

# %%
import tempfile
from pathlib import Path

import lk
from lk import Component, DataPlayback, Dataset, InputPort, Msg, OutputPort, Prompt
from lk import RandomFloat, RandomMsg, ai_compile
from lk.utils.compile import AICompiled

folder = tempfile.TemporaryDirectory(prefix="lk-ai-compile-")
work = Path(folder.name)


# %% The component
class Vec3(Msg):
    """A vector in space."""

    x: float = 0.0
    y: float = 0.0
    z: float = 0.0


class VectorNormalizer(Component):
    """The direction of a vector: the same vector at length one.

    The zero vector stays what it is.
    """

    vector = InputPort("vector", Vec3)
    unit = OutputPort("unit", Vec3)

    def forward(self, vector: Vec3) -> Vec3:
        length = (vector.x**2 + vector.y**2 + vector.z**2) ** 0.5
        if length < 1e-9:
            return vector
        return Vec3(vector.x / length, vector.y / length, vector.z / length)


# %% Inputs: drawn from a distribution, and cases at the edge
DIST = RandomMsg(
    Vec3,
    x=RandomFloat.uniform(-10.0, 10.0),
    y=RandomFloat.normal(0.0, 5.0),
    z=RandomFloat.log_uniform(1e-6, 1e3),
).with_seed(7)


def make_inputs(n_samples: int = 200) -> Dataset:
    """Vectors at 100 Hz; every tenth is short, and every fiftieth zero."""
    inputs = Dataset.create()
    for n, vector in enumerate(DIST.generate_dataset(n_samples)):
        if n % 50 == 0:
            vector = Vec3()
        elif n % 10 == 0:
            vector = Vec3(1e-10, -2e-10, 0.0)
        inputs.write("vector", vector, timestamp=0.01 * n)
    return inputs


# %% Two ports. The careless one forgets the short vectors.
CAREFUL = """
#include "component.hpp"

#include <cmath>

namespace vector_normalizer {

void Component::step(const Inputs& in, Outputs& out) {
  Vec3 v = *in.vector;
  const double length = std::sqrt(v.x * v.x + v.y * v.y + v.z * v.z);
  if (length >= 1e-9) {
    v.x /= length;
    v.y /= length;
    v.z /= length;
  }
  out.unit.write(v);
}

}  // namespace vector_normalizer
"""
CARELESS = CAREFUL.replace("length >= 1e-9", "length > 0.0")


def writes(code: str):
    """Somebody who has written this port. A model would read the prompt."""

    def write(prompt: Prompt, port: Path) -> None:
        (port / "component.cpp").write_text(code)

    return write


def compile_with(code: str, name: str) -> AICompiled:
    return ai_compile(
        VectorNormalizer(), make_inputs(), work / name, "cpp", writes(code), rules=["1e-12"]
    )


# %% The port that is right
good = compile_with(CAREFUL, "careful")
print((good.directory / "prompt.md").read_text())
print(good.report)
assert good.passed

# %% The port that is wrong: the report names the first divergence and its inputs
bad = compile_with(CARELESS, "careless")
print(bad.report)
assert not bad.passed

# %% A second attempt has the report of the first in its prompt
drafts = iter([CARELESS, CAREFUL])


def learns(prompt: Prompt, port: Path) -> None:
    print("the prompt has", len(prompt.examples), "reports of former attempts")
    (port / "component.cpp").write_text(next(drafts))


second = ai_compile(
    VectorNormalizer(), make_inputs(), work / "again", "cpp", learns, rules=["1e-12"], attempts=2
)
assert second.passed and second.attempts == 2

# %% What the port did is a dataset: play it, compare it, look at it
assert bad.candidate is not None
playback = DataPlayback(bad.candidate)
for _ in range(3):
    print(playback())

result = lk.diffdiff(bad.reference, bad.candidate, tol=1e-12)
print(result.summary())
print("first divergence:", result.first_divergence)

# %%
try:
    ax = result.plot_comparison("unit.y", labels=("original", "careless port"), show=False)
    ax.figure.savefig(work / "careless.png")
except ImportError:
    print("no matplotlib, no picture")

# %%
folder.cleanup()
