"""What a step is and how its parameters are checked: names and plain values, never expressions."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Generic, TypeVar

from schemas.errors import ManifestError

Value = int | float | str | bool | tuple[int | float, ...]
Function = TypeVar("Function")


@dataclass(frozen=True, slots=True)
class Step:
    """One operation named in a manifest with its parameters. Lists (from JSON) become tuples."""

    op: str
    params: Mapping[str, Value] = field(default_factory=dict)

    def __post_init__(self) -> None:
        plain = {name: tuple(value) if isinstance(value, list) else value for name, value in self.params.items()}
        object.__setattr__(self, "params", plain)

    def __hash__(self) -> int:
        return hash((self.op, tuple(sorted(self.params.items()))))


@dataclass(frozen=True, slots=True)
class Param:
    """A parameter of an operation: what it takes, in words for the error message, and the test for it."""

    takes: str
    accepts: Callable[[Value], bool]
    required: bool = False


@dataclass(frozen=True, slots=True)
class Op(Generic[Function]):
    """A row of a registry: the pure function and what it may be given."""

    apply: Function
    params: Mapping[str, Param] = field(default_factory=dict)


def check(step: Step, registry: Mapping[str, Op[Function]]) -> None:
    """Raise ManifestError unless `registry` has this step and takes these parameters."""
    op = registry.get(step.op)
    if op is None:
        raise ManifestError(f"step {step.op!r} does not exist; use one of: {', '.join(sorted(registry))}")
    for name, value in step.params.items():
        param = op.params.get(name)
        if param is None:
            known = ", ".join(op.params) or "none"
            raise ManifestError(f"step {step.op!r} has no parameter {name!r}; it takes: {known}")
        if not param.accepts(value):
            raise ManifestError(f"step {step.op!r}: {name} is {value!r}, it must be {param.takes}")
    missing = [name for name, param in op.params.items() if param.required and name not in step.params]
    if missing:
        raise ManifestError(f"step {step.op!r} lacks {', '.join(missing)}: {op.params[missing[0]].takes}")


def _is_whole(value: Value, low: int, high: int) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and low <= value <= high


def _is_number(value: Value, low: float, high: float) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and low <= value <= high


def whole(low: int, high: int, *, required: bool = False) -> Param:
    """A whole number in [low, high]."""
    return Param(f"a whole number from {low} to {high}", lambda value: _is_whole(value, low, high), required)


def number(low: float, high: float, *, required: bool = False) -> Param:
    """A finite number in [low, high]."""
    return Param(f"a number from {low} to {high}", lambda value: _is_number(value, low, high), required)


def flag() -> Param:
    """true or false."""
    return Param("true or false", lambda value: isinstance(value, bool))


def one_of(*names: str) -> Param:
    """One of a closed list of words."""
    return Param(f"one of {', '.join(names)}", lambda value: value in names)


def extent(high: int) -> Param:
    """A side in pixels for both axes, or (height, width). Required."""

    def accepts(value: Value) -> bool:
        sides = value if isinstance(value, tuple) else (value, value)
        return len(sides) == 2 and all(_is_whole(side, 1, high) for side in sides)

    return Param(f"a side or (height, width), each a whole number from 1 to {high}", accepts, required=True)


def colour() -> Param:
    """A grey level or (red, green, blue), each in 0..255."""

    def accepts(value: Value) -> bool:
        bands = value if isinstance(value, tuple) else (value,) * 3
        return len(bands) == 3 and all(_is_whole(band, 0, 255) for band in bands)

    return Param("a grey level or three bands, each a whole number from 0 to 255", accepts)


def three_numbers(low: float, high: float) -> Param:
    """One number for each of the three colour bands. Required."""

    def accepts(value: Value) -> bool:
        return isinstance(value, tuple) and len(value) == 3 and all(_is_number(band, low, high) for band in value)

    return Param(f"three numbers from {low} to {high}", accepts, required=True)
