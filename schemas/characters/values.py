"""The closed sets of values of character attributes (R35), and the words and whole tags that mean each of them."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum


class Attribute(StrEnum):
    """What is told of a character; the value is its key in JSON (R36)."""

    AGE = "Age"
    GENDER = "Gender"
    ETHNICITY = "Ethnicity"
    HAIR_STYLE = "Hair Style"
    HAIR_COLOR = "Hair Color"
    HAIR_LENGTH = "Hair Length"
    EYE_COLOR = "Eye Color"
    BODY_TYPE = "Body Type"
    DRESS = "Dress"
    EXPRESSION = "Facial Expression"
    ACCESSORIES = "Accessories"


@dataclass(frozen=True, slots=True)
class Names:
    """What means a value: words of a text, separated by commas, and tags (Danbooru's names), separated by spaces."""

    words: str = ""
    tags: str = ""


VERSION = 1  # of the sets below: a change of them is a new version
# In the order in which they are told. A word that stands nowhere means nothing: "short" is no body type.
VALUES: Mapping[Attribute, Mapping[str, Names]] = {
    Attribute.AGE: {
        "child": Names("kid, little girl, little boy", "child female_child male_child"),
        "teen": Names("teenage, teenager, adolescent", "teenage"),
        "young adult": Names("adult, grown-up"),
        "middle-aged": Names("middle aged", "mature_female mature_male"),
        "elderly": Names("old, senior, aged", "old old_man old_woman"),
    },
    Attribute.GENDER: {
        "female": Names("girl, woman, lady", "1girl 2girls 3girls 4girls 5girls 6+girls multiple_girls"),
        "male": Names("boy, man, guy", "1boy 2boys 3boys 4boys 5boys 6+boys multiple_boys"),
        "non-binary": Names("nonbinary, androgynous", "1other 2others multiple_others androgynous"),
    },
    Attribute.ETHNICITY: {
        "Asian": Names(),
        "African": Names("black person"),
        "Caucasian": Names("white person, european"),
        "Hispanic": Names("latino, latina"),
        "Middle Eastern": Names(),
        "Indigenous": Names(),
    },
    Attribute.HAIR_STYLE: {
        "ponytail": Names("", "ponytail side_ponytail high_ponytail"),
        "twintails": Names("twin tails, pigtails", "twintails low_twintails"),
        "bun": Names("hair bun, double bun", "single_hair_bun double_bun hair_bun"),
        "braids": Names("braid, twin braids", "braid single_braid twin_braids"),
        "bob": Names("bob cut, bobbed", "bob_cut"),
        "curly": Names("wavy", "curly_hair wavy_hair"),
        "spiky": Names("spiked", "spiked_hair"),
        "straight": Names("", "straight_hair"),
    },
    Attribute.HAIR_COLOR: {
        "black": Names("", "black_hair"),
        "brown": Names("brunette", "brown_hair"),
        "blonde": Names("blond, golden", "blonde_hair"),
        "red": Names("ginger", "red_hair"),
        "blue": Names("", "blue_hair"),
        "green": Names("", "green_hair"),
        "pink": Names("", "pink_hair"),
        "purple": Names("violet", "purple_hair"),
        "orange": Names("", "orange_hair"),
        "white": Names("silver", "white_hair silver_hair"),
        "grey": Names("gray", "grey_hair"),
    },
    Attribute.HAIR_LENGTH: {
        "short": Names("", "short_hair very_short_hair"),
        "medium": Names("shoulder-length", "medium_hair"),
        "long": Names("very long", "long_hair very_long_hair absurdly_long_hair"),
    },
    Attribute.EYE_COLOR: {
        "brown": Names("", "brown_eyes"),
        "blue": Names("", "blue_eyes"),
        "green": Names("", "green_eyes"),
        "red": Names("", "red_eyes"),
        "purple": Names("violet", "purple_eyes"),
        "yellow": Names("golden, amber", "yellow_eyes amber_eyes"),
        "pink": Names("", "pink_eyes"),
        "orange": Names("", "orange_eyes"),
        "black": Names("", "black_eyes"),
        "grey": Names("gray", "grey_eyes"),
    },
    Attribute.BODY_TYPE: {
        "slim": Names("thin, slender, skinny", "skinny slim"),
        "average": Names(),
        "muscular": Names("athletic", "muscular muscular_female muscular_male toned"),
        "curvy": Names("", "curvy wide_hips"),
        "plump": Names("chubby, fat", "plump fat"),
    },
    Attribute.DRESS: {
        "casual": Names("", "hoodie sweater t-shirt striped_shirt overalls jeans shorts casual"),
        "formal": Names("suit", "suit formal tuxedo evening_gown"),
        "traditional": Names("kimono", "kimono yukata hanfu hakama"),
        "school uniform": Names("serafuku, sailor uniform", "school_uniform serafuku gakuran"),
        "swimwear": Names("swimsuit, bikini", "swimsuit bikini school_swimsuit"),
        "sportswear": Names("gym uniform", "gym_uniform sportswear"),
        "armor": Names("armour", "armor"),
        "costume": Names("", "cosplay costume maid"),
    },
    Attribute.EXPRESSION: {
        "happy": Names("smile, smiling, laughing", "smile grin laughing happy"),
        "sad": Names("crying, frown, frowning", "frown tears crying sad"),
        "angry": Names("", "angry"),
        "surprised": Names("", "surprised"),
        "embarrassed": Names("blushing", "embarrassed"),
        "serious": Names("neutral, expressionless", "serious expressionless"),
    },
    Attribute.ACCESSORIES: {
        "glasses": Names("spectacles", "glasses sunglasses"),
        "hat": Names("cap", "hat beret beanie baseball_cap straw_hat witch_hat"),
        "jewelry": Names("jewellery", "jewelry earrings necklace ring bracelet"),
        "hair ornament": Names("", "hair_ornament hair_bow hair_flower hairband hair_ribbon"),
        "scarf": Names("", "scarf"),
        "headphones": Names("", "headphones"),
        "necktie": Names("tie", "necktie"),
        "gloves": Names("", "gloves"),
        "mask": Names("", "mask mouth_mask"),
        "bag": Names("", "bag backpack"),
    },
}
