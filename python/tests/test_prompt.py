"""Prompts: all that a port has to know, and nothing that isn't so."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from lk.common.component import Component
from lk.common.port import InputPort, OutputPort
from lk.msgs.msg import Msg
from lk.utils.prompt import Prompt, create_prompt, send_prompt


class Vec3(Msg):
    x: float = 0.0
    y: float = 0.0


@dataclass
class Pose(Msg):
    position: Vec3
    tags: list[str]


class Mirror(Component):
    """Turns a pose around."""

    pose = InputPort("pose", Pose)
    mirrored = OutputPort("mirrored", Pose)

    def forward(self, pose: Pose) -> Pose:
        return Pose(Vec3(-pose.position.x, -pose.position.y), pose.tags)


def test_a_component_says_what_it_takes_gives_and_does() -> None:
    prompt = Prompt.from_component(Mirror())
    assert prompt.target_language == "cpp" and prompt.component_name == "Mirror"
    assert prompt.input_spec == {"pose": Pose} and prompt.output_spec == {"mirrored": Pose}
    assert prompt.description == "Turns a pose around."
    assert prompt.source_code is not None and "return Pose(Vec3(-pose" in prompt.source_code


def test_a_function_says_so_by_its_annotations() -> None:
    def half(x: float, n: int = 2) -> float:
        """Divides."""
        return x / n

    prompt = Prompt.from_component(half, "rust")
    assert prompt.input_spec == {"x": float, "n": int}
    assert prompt.output_spec == {"output": float} and prompt.description == "Divides."
    with pytest.raises(TypeError, match="is no component and can't be called"):
        Prompt.from_component(3)


def test_the_text_has_a_section_for_all_that_is_known() -> None:
    prompt = Prompt.from_component(
        Mirror(),
        api_docs={"types.hpp": "struct Vec3;"},
        examples=["1 -> -1"],
        dataset_path=Path("reference.mcap"),
        dependencies=["eigen"],
        build_instructions="make",
    )
    text = prompt.to_markdown()
    titles = [line for line in text.splitlines() if line.startswith("#")]
    assert titles == [
        "# Port Mirror to C++", "## Description", "## Interface", "## Source Code", "## API Docs",
        "### types.hpp", "## Examples", "## Verification Dataset", "## Dependencies",
        "## Build Instructions",
    ]  # fmt: skip
    assert "- `pose`: `Pose`" in text
    assert "- `Pose` (position: Vec3, tags: list[str])\n- `Vec3` (x: float, y: float)" in text
    assert "```python\nclass Mirror(Component):" in text and "- eigen" in text


def test_what_is_not_known_has_no_section() -> None:
    text = Prompt("rust", {"x": float}, {}).to_markdown()
    assert text.startswith("# Port a component to Rust\n")
    assert "Source Code" not in text and "Dataset" not in text and "None" not in text
    assert "Outputs:\n- none" in text


def test_types_can_be_given_by_hand_and_go_before_what_is_found() -> None:
    given: dict[str, Any] = {"x": float}
    prompt = create_prompt(input_spec=given, output_spec={"y": float}, description="Doubles.")
    assert prompt.input_spec == {"x": float} and prompt.description == "Doubles."
    both = create_prompt(Mirror(), "rust", input_spec=given, component_name="Other")
    assert (both.input_spec, both.component_name) == (given, "Other")
    assert both.output_spec == {"mirrored": Pose}
    with pytest.raises(ValueError, match="a component, or both"):
        create_prompt(input_spec=given)


def test_a_prompt_goes_to_a_file_or_is_printed(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    prompt = Prompt.from_component(Mirror())
    monkeypatch.chdir(tmp_path)
    send_prompt(prompt, "file")
    send_prompt(prompt, "file", path=tmp_path / "other.md")
    assert (tmp_path / "prompt_Mirror.md").read_text() == prompt.to_markdown()
    assert (tmp_path / "other.md").read_text() == prompt.to_markdown()
    send_prompt(prompt, "print")
    assert capsys.readouterr().out == prompt.to_markdown() + "\n"
    with pytest.raises(ValueError, match="no method 'pigeon'; there are clipboard, file and print"):
        send_prompt(prompt, "pigeon")


def test_without_a_clipboard_there_is_a_hint(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(__import__("sys").modules, "pyperclip", None)
    with pytest.raises(ImportError) as caught:
        send_prompt(Prompt("cpp", {}, {}))
    assert caught.value.__notes__ == ["hint: pip install pyperclip, or send_prompt(prompt, 'file')"]


def test_types_that_only_a_function_can_see_are_described() -> None:
    @dataclass
    class Inner:
        x: float

    @dataclass
    class Outer:
        inner: "Inner"

    prompt = create_prompt(input_spec={"outer": Outer}, output_spec={"y": float})
    assert "`Outer` (inner: " in prompt.to_markdown()


def test_a_fence_in_the_source_does_not_end_its_block() -> None:
    source = 'def f():\n    """\n    ```\n    """\n'
    prompt = Prompt("cpp", {"x": float}, {"y": float}, source_code=source)
    assert f"````python\n{source.rstrip()}\n````" in prompt.to_markdown()
