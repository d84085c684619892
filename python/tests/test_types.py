"""What is said of types is true: the stub, and the public layer."""

from __future__ import annotations

import ast
import inspect
import os
import subprocess
import sys
from pathlib import Path

import pytest

import lk
from lk import _lk

PACKAGE = Path(lk.__file__).parent


def stub() -> ast.Module:
    return ast.parse((PACKAGE / "_lk.pyi").read_text())


def parameters(function: ast.FunctionDef) -> list[tuple[str, bool]]:
    """Names, and whether there is a default."""
    args = function.args.args
    first_default = len(args) - len(function.args.defaults)
    return [(arg.arg, n >= first_default) for n, arg in enumerate(args)]


def native_parameters(function: object) -> list[tuple[str, bool]]:
    signature = inspect.signature(function)  # type: ignore[arg-type]
    return [(p.name, p.default is not p.empty) for p in signature.parameters.values()]


def names(scope: object) -> set[str]:
    return {name for name in vars(scope) if not name.startswith("_")}


def test_the_stub_names_what_the_native_module_has() -> None:
    classes = {node.name: node for node in stub().body if isinstance(node, ast.ClassDef)}
    functions = {node.name: node for node in stub().body if isinstance(node, ast.FunctionDef)}
    assert names(_lk) == set(classes) | set(functions)
    for name, function in functions.items():
        assert parameters(function) == native_parameters(getattr(_lk, name)), name
    for name, cls in classes.items():
        native = getattr(_lk, name)
        methods = {node.name: node for node in cls.body if isinstance(node, ast.FunctionDef)}
        assert names(native) == {m for m in methods if not m.startswith("_")}, name
        for method, node in methods.items():
            decorators = {d.id for d in node.decorator_list if isinstance(d, ast.Name)}
            if "property" not in decorators:
                assert parameters(node) == native_parameters(getattr(native, method)), method


def check(*command: str) -> None:
    missing = subprocess.run([sys.executable, "-c", f"import {command[0]}"], capture_output=True)
    if missing.returncode:
        assert "LK_REQUIRE_TOOLS" not in os.environ, f"{command[0]} is not installed"
        pytest.skip(f"{command[0]} is not installed")
    done = subprocess.run(
        [sys.executable, "-m", *command], capture_output=True, text=True, cwd=Path(__file__).parent
    )
    assert done.returncode == 0, done.stdout + done.stderr


def test_mypy_in_strict_mode_finds_nothing() -> None:
    config = Path(__file__).parent.parent / "pyproject.toml"
    check("mypy", "--config-file", str(config), "-p", "lk")


def test_pyright_finds_nothing() -> None:
    config = Path(__file__).parent.parent / "pyproject.toml"
    check("pyright", "--pythonpath", sys.executable, "--project", str(config))
