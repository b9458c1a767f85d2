"""The closed lists of the sample world: tags with their categories, ratings, and detector classes, in model order."""

from __future__ import annotations

RATINGS: tuple[str, ...] = ("general", "sensitive", "questionable", "explicit")

PEOPLE = (
    "1girl",
    "2girls",
    "3girls",
    "multiple_girls",
    "1boy",
    "2boys",
    "multiple_boys",
    "solo",
    "no_humans",
)
FRAMING = ("portrait", "upper_body", "full_body")
HAIR_COLOURS = (
    "black_hair", "brown_hair", "blonde_hair", "red_hair", "blue_hair", "green_hair", "pink_hair", "purple_hair",
    "white_hair",
)  # fmt: skip
HAIR = (
    "short_hair", "medium_hair", "long_hair", "ponytail", "twintails", "single_hair_bun", "double_bun",
    "twin_braids", "bob_cut", "curly_hair", "spiked_hair", "blunt_bangs", "ahoge",
)  # fmt: skip
EYES = (
    "blue_eyes", "brown_eyes", "green_eyes", "red_eyes", "purple_eyes", "yellow_eyes", "closed_eyes",
    "one_eye_closed",
)  # fmt: skip
EXPRESSION = ("smile", "open_mouth", "frown", "angry", "blush", "tears")
CLOTHES = (
    "school_uniform", "serafuku", "hoodie", "dress", "kimono", "collared_shirt", "striped_shirt", "suit",
    "sweater", "overalls", "swimsuit", "necktie", "skirt", "pants",
)  # fmt: skip
ACCESSORIES = (
    "hat", "red_headwear", "blue_headwear", "straw_hat", "witch_hat", "beret", "beanie", "baseball_cap",
    "hair_bow", "hair_flower", "cat_ears", "glasses", "earrings", "necklace", "scarf", "headphones", "beard",
    "dark_skin",
)  # fmt: skip
SETTING = (
    "simple_background", "white_background", "gradient_background", "outdoors", "indoors", "sky", "cloud",
    "beach", "ocean", "city", "night", "star_(sky)", "moon", "forest", "tree", "sunset", "window", "classroom",
    "snow", "cherry_blossoms", "mountain", "rain", "grass",
)  # fmt: skip
OBJECTS = (
    "book", "umbrella", "cat", "dog", "ball", "cup", "flower", "car", "balloon", "sword",
)  # fmt: skip
DERIVED = ("weapon", "animal", "holding", "monochrome", "pixel_art")
GENERAL: tuple[str, ...] = (
    *PEOPLE, *FRAMING, *HAIR_COLOURS, *HAIR, *EYES, *EXPRESSION, *CLOTHES, *ACCESSORIES, *SETTING, *OBJECTS, *DERIVED,
)  # fmt: skip
META: tuple[str, ...] = ("traditional_media",)

TAGS: tuple[str, ...] = (*GENERAL, *META)
CATEGORY_GENERAL, CATEGORY_META, CATEGORY_RATING = 0, 5, 9

CLASSES: tuple[str, ...] = ("person", "face", *OBJECTS)


def category(tag: str) -> int:
    """The WD category number of a tag or rating: 0 general, 5 meta, 9 rating."""
    if tag in RATINGS:
        return CATEGORY_RATING
    return CATEGORY_META if tag in META else CATEGORY_GENERAL
