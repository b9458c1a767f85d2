"""The colour of each name in the closed palette, for swatches; unknown names get none."""

from collections.abc import Mapping

SWATCHES: Mapping[str, str] = {
    "red": "#c8392b",
    "orange": "#e2813a",
    "yellow": "#eac94f",
    "green": "#4f8a4c",
    "teal": "#2f8f8b",
    "cyan": "#5bb8c9",
    "blue": "#3467b0",
    "purple": "#7d5aa6",
    "violet": "#7d5aa6",
    "magenta": "#b8489a",
    "pink": "#e898b4",
    "brown": "#7f5539",
    "beige": "#e3d2b0",
    "black": "#24242a",
    "gray": "#8f8e8c",
    "grey": "#8f8e8c",
    "white": "#fdfcf9",
}
