"""House rules that no linter knows: names, modules, queries, locked requirements."""

import ast
import re
from importlib.metadata import packages_distributions
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
FLOORS = ("schemas", "infra", "workers", "tasks", "web", "training", "nafuda")
QUERIES = sorted((ROOT / "schemas" / "sql" / "queries").glob("*.sql"))
MODULES = sorted(path for floor in FLOORS for path in (ROOT / floor).rglob("*.py"))


@pytest.mark.parametrize("floor", FLOORS)
def test_no_installed_package_owns_one_of_our_names(floor: str) -> None:
    assert set(packages_distributions().get(floor, ["nafuda"])) == {"nafuda"}


def test_every_module_says_what_belongs_in_it() -> None:
    silent = [path for path in MODULES if not ast.get_docstring(ast.parse(path.read_text("utf-8")))]
    assert silent == []


def test_no_file_is_over_four_hundred_lines() -> None:
    assert [path for path in MODULES if len(path.read_text("utf-8").splitlines()) > 400] == []


def test_no_function_is_over_forty_lines() -> None:
    found = [(path, node) for path in MODULES for node in ast.walk(ast.parse(path.read_text("utf-8")))]
    functions = [(path, node) for path, node in found if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)]
    assert [(path, each.name) for path, each in functions if (each.end_lineno or 0) - each.lineno >= 40] == []


@pytest.mark.parametrize("file", QUERIES, ids=lambda path: path.stem)
def test_every_query_states_its_index_and_is_used(file: Path) -> None:
    code = "\n".join(path.read_text("utf-8") for path in (ROOT / "infra").rglob("*.py"))
    for used in ("tasks", "benchmarks"):
        code += "\n".join(path.read_text("utf-8") for path in (ROOT / used).rglob("*.py"))
    parts = re.split(r"^-- name: (\w+)\n", file.read_text("utf-8"), flags=re.MULTILINE)[1:]
    for name, text in zip(parts[::2], parts[1::2], strict=True):
        comment = " ".join(line.removeprefix("--") for line in text.splitlines() if line.startswith("--")).lower()
        assert re.search(r"index|scan|primary key|lock", comment), f"{file.name}: {name} does not say its index"
        assert f'"{name}"' in code, f"{file.name}: {name} is used by nobody"


@pytest.mark.parametrize("name", ["run", "web", "cuda", "tensorrt", "build", "dev", "training", "imgutils"])
def test_locked_requirements_name_no_index(name: str) -> None:
    text = (ROOT / "requirements" / f"{name}.txt").read_text("utf-8")
    assert "://" not in text
    assert "--hash=sha256:" in text


def test_the_audit_asks_about_every_locked_set() -> None:  # R76
    (asked,) = re.findall(r"for set in (.*); do \$\(BIN\)/pip-audit", (ROOT / "Makefile").read_text("utf-8"))
    assert set(asked.split()) == {file.stem for file in (ROOT / "requirements").glob("*.txt")}


def test_the_base_install_has_no_onnx_runtime_and_no_torch() -> None:
    project = (ROOT / "pyproject.toml").read_text("utf-8")
    base = project.partition("dependencies = [")[2].partition("]\n")[0]
    assert "onnxruntime" not in base and "torch" not in base
