"""Prompts that ask a model, or a person, for a port of a component."""

from __future__ import annotations

import dataclasses
import inspect
import re
import textwrap
import typing
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from lk._kinds import _hints
from lk.common.component import Component
from lk.common.port import type_name

__all__ = ["Prompt", "create_prompt", "send_prompt"]

#: Names of languages as they are written, and as Markdown knows them.
_LANGUAGES = {"cpp": "C++", "c++": "C++", "rust": "Rust", "python": "Python", "c": "C"}


@dataclass
class Prompt:
    """What is asked for: the interface, the original, and how it will be judged.

    ``input_spec`` and ``output_spec`` are types by port; ``api_docs`` and ``examples``
    hold text, of headers for instance, and code.
    """

    target_language: str
    input_spec: dict[str, type]
    output_spec: dict[str, type]
    description: str = ""
    source_code: str | None = None
    component_name: str | None = None
    api_docs: dict[str, str] = field(default_factory=dict)
    examples: list[str] = field(default_factory=list)
    dataset_path: Path | None = None
    dependencies: list[str] = field(default_factory=list)
    build_instructions: str | None = None

    @classmethod
    def from_component(
        cls, component: Any, target_language: str = "cpp", **kwargs: Any
    ) -> Prompt:
        """The prompt for a component, or a function: ports or parameters are its
        interface, its docstring and source what it does. Keywords are further fields
        and go before what is found."""
        inputs, outputs = _interface(component)
        target = component if inspect.isroutine(component) else type(component)
        found: dict[str, Any] = {
            "input_spec": inputs,
            "output_spec": outputs,
            "description": inspect.getdoc(target) or "",
            "source_code": _source(target),
            "component_name": target.__name__,
        }
        return cls(target_language, **{**found, **kwargs})

    def to_markdown(self) -> str:
        """The prompt as Markdown, a section for each thing that is known."""
        language = _LANGUAGES.get(self.target_language.lower(), self.target_language)
        name = self.component_name or "a component"
        parts = [f"# Port {name} to {language}", _task(language)]
        if self.description:
            parts += ["## Description", self.description]
        parts += ["## Interface", self._interface_text()]
        if self.source_code:
            parts += ["## Source Code", _fenced("python", self.source_code)]
        for title, text in self.api_docs.items():
            if not parts.count("## API Docs"):
                parts.append("## API Docs")
            parts += [f"### {title}", text if "```" in text else _fenced("", text)]
        if self.examples:
            parts += ["## Examples", *(e if "```" in e else _fenced("", e) for e in self.examples)]
        if self.dataset_path is not None:
            parts += ["## Verification Dataset", _verification(self.dataset_path)]
        if self.dependencies:
            parts += ["## Dependencies", "\n".join(f"- {name}" for name in self.dependencies)]
        if self.build_instructions:
            parts += ["## Build Instructions", self.build_instructions]
        return "\n\n".join(parts) + "\n"

    def _interface_text(self) -> str:
        described: list[type] = []
        lines = []
        for title, spec in (("Inputs", self.input_spec), ("Outputs", self.output_spec)):
            lines.append(f"{title}:")
            lines += [f"- `{port}`: `{type_name(kind)}`" for port, kind in spec.items()]
            if not spec:
                lines.append("- none")
            for kind in spec.values():
                _collect(kind, described)
            lines.append("")
        if described:
            lines.append("Message types:")
        for kind in described:
            hints = _hints(kind)
            fields = ", ".join(
                f"{f.name}: {type_name(hints.get(f.name, f.type))}"
                for f in dataclasses.fields(kind)
            )
            lines.append(f"- `{kind.__name__}` ({fields})")
        return "\n".join(lines).strip()


def _task(language: str) -> str:
    return (
        f"Write the component below in {language}. It has to do what the original does, to the "
        "last digit that the tolerance asks for: it is run on recorded inputs, in lock-step, and "
        "each field of each output is compared. Keep the order of floating-point operations, and "
        "the state between steps."
    )


def _verification(path: Path) -> str:
    return (
        f"`{path}` holds recorded inputs and the original's outputs. A port passes when "
        "`lk verify` says so; its report names the first divergence, with the inputs before it."
    )


def _fenced(language: str, text: str) -> str:
    # A fence in the text would end a fence of the same length.
    longest = max(map(len, re.findall("`+", text)), default=0)
    fence = "`" * max(3, longest + 1)
    return f"{fence}{language}\n{text.rstrip()}\n{fence}"


def _source(target: Any) -> str | None:
    try:
        return textwrap.dedent(inspect.getsource(target))
    except (OSError, TypeError):
        # What was typed into an interpreter has no file.
        return None


def _interface(component: Any) -> tuple[dict[str, Any], dict[str, Any]]:
    if isinstance(component, Component) and (len(component.inputs) or len(component.outputs)):
        return (
            {port.name: port.msg_type for port in component.inputs},
            {port.name: port.msg_type for port in component.outputs},
        )
    function = component if inspect.isroutine(component) else None
    for name in ("forward", "step", "__call__"):
        function = function or getattr(component, name, None)
    if function is None:
        raise TypeError(f"{component!r} is no component and can't be called")
    try:
        hints = typing.get_type_hints(function)
    except NameError:
        # A class within a function has a name that only it can see.
        hints = inspect.get_annotations(function)
    result = hints.pop("return", None)
    names = [
        p.name
        for p in inspect.signature(function).parameters.values()
        if p.kind not in (p.VAR_POSITIONAL, p.VAR_KEYWORD)
    ]
    inputs = {name: hints.get(name, object) for name in names}
    return inputs, {} if result in (None, "None", type(None)) else {"output": result}


def _collect(kind: Any, found: list[type]) -> None:
    """Dataclasses in a type, each once, those that are part of others after them."""
    for inner in typing.get_args(kind):
        _collect(inner, found)
    if isinstance(kind, type) and dataclasses.is_dataclass(kind) and kind not in found:
        found.append(kind)
        for hint in _hints(kind).values():
            _collect(hint, found)


def create_prompt(
    component: Any | None = None,
    target_language: str = "cpp",
    input_spec: dict[str, type] | None = None,
    output_spec: dict[str, type] | None = None,
    **kwargs: Any,
) -> Prompt:
    """A prompt for a component, for types by port, or for both, where what is given
    goes before what is found. Keywords are fields of :class:`Prompt`.

    Raises:
        ValueError: with neither a component nor types.
    """
    if component is not None:
        if input_spec is not None:
            kwargs["input_spec"] = input_spec
        if output_spec is not None:
            kwargs["output_spec"] = output_spec
        return Prompt.from_component(component, target_language, **kwargs)
    if input_spec is None or output_spec is None:
        raise ValueError("a prompt needs a component, or both input_spec and output_spec")
    return Prompt(target_language, input_spec, output_spec, **kwargs)


def send_prompt(
    prompt: Prompt, method: str = "clipboard", path: str | Path | None = None
) -> None:
    """Sends a prompt to the ``clipboard`` (by the package pyperclip), to a ``file``
    (``path``, or ``prompt_<component>.md`` here), or ``print`` s it.

    Raises:
        ImportError: without pyperclip. ValueError: for another method.
    """
    text = prompt.to_markdown()
    if method == "print":
        print(text)
    elif method == "file":
        Path(path or f"prompt_{prompt.component_name or 'component'}.md").write_text(
            text, encoding="utf-8"
        )
    elif method == "clipboard":
        try:
            import pyperclip  # type: ignore[import-not-found,import-untyped,unused-ignore]
        except ImportError as error:
            error.add_note("hint: pip install pyperclip, or send_prompt(prompt, 'file')")
            raise
        pyperclip.copy(text)
    else:
        raise ValueError(f"no method {method!r}; there are clipboard, file and print")
