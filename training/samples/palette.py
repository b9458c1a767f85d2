"""Colours by name and the arithmetic of mixing them; colours are `#rrggbb`."""

from __future__ import annotations

import colorsys

HAIR: dict[str, str] = {
    "black": "#33303c", "brown": "#8a5638", "blonde": "#f2cd6b", "red": "#c8402f", "blue": "#4d86d6",
    "green": "#55a36c", "pink": "#f293b6", "purple": "#8d63c4", "white": "#e4e6ee",
}  # fmt: skip
EYES: dict[str, str] = {
    "blue": "#2f7fe0", "brown": "#8a4f22", "green": "#2fa04c", "red": "#d8262f", "purple": "#8a3fd0",
    "yellow": "#f0b411",
}  # fmt: skip
SKIN: dict[str, str] = {"fair": "#fde3d2", "light": "#f9d6bd", "tan": "#e9b98f", "dark": "#9c6644"}
CLOTH: dict[str, str] = {
    "red": "#cc3b3b", "blue": "#3f68b5", "navy": "#2b3a63", "green": "#4c8a5e", "yellow": "#eec14f",
    "purple": "#7c5aa6", "pink": "#ec9ab2", "white": "#f6f4f1", "grey": "#8f97a3", "black": "#34333b",
    "orange": "#e8894a", "teal": "#3f9a9a", "beige": "#d9c3a0",
}  # fmt: skip


def _channels(colour: str) -> tuple[int, int, int]:
    return int(colour[1:3], 16), int(colour[3:5], 16), int(colour[5:7], 16)


def _hex(red: float, green: float, blue: float) -> str:
    return "#" + "".join(f"{max(0, min(255, round(v))):02x}" for v in (red, green, blue))


def mix(one: str, other: str, share: float) -> str:
    """`one` with `share` (0..1) of `other` in it."""
    a, b = _channels(one), _channels(other)
    return _hex(*(x + (y - x) * share for x, y in zip(a, b, strict=True)))


def saturate(colour: str, factor: float) -> str:
    """The colour with its saturation multiplied by `factor`."""
    hue, light, sat = colorsys.rgb_to_hls(*(v / 255 for v in _channels(colour)))
    return _hex(*(v * 255 for v in colorsys.hls_to_rgb(hue, light, min(1.0, sat * factor))))


def grey(colour: str) -> str:
    """The colour's luminance as a grey."""
    red, green, blue = _channels(colour)
    value = 0.299 * red + 0.587 * green + 0.114 * blue
    return _hex(value, value, value)


def shade(colour: str, amount: float = 0.25) -> str:
    """Towards shadow: a cool violet rather than black keeps shaded colours alive."""
    return mix(colour, "#3a2a58", amount)


def tint(colour: str, amount: float = 0.3) -> str:
    """Towards light."""
    return mix(colour, "#fffaf2", amount)
