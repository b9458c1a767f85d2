"""Character attributes from tags, words brought into the closed sets, and the JSON with its keys (R35, R36)."""

import pytest

from schemas.characters import VALUES, Attribute, Character, Trait, character_document, meanings, normalise
from schemas.record import Tag
from tests.merging.known import merged, said
from workers.characters.from_tags import character_of


def tag(name: str, confidence: float | None = 0.9, source: str = "m") -> Tag:
    return Tag(name, "general", confidence, source)


def told(*tags: Tag, people: int | None = 1) -> dict[str, object]:
    """What is known, without what is not."""
    return {key: value for key, value in character_document(character_of(tags, people)).items() if value}


@pytest.mark.parametrize(
    ("attribute", "word", "value"),
    [
        (Attribute.AGE, "teenage", "teen"),
        (Attribute.AGE, "adult", "young adult"),
        (Attribute.AGE, "Middle Aged", "middle-aged"),
        (Attribute.GENDER, "Female", "female"),
        (Attribute.GENDER, "emale", None),
        (Attribute.BODY_TYPE, "short", None),
        (Attribute.HAIR_LENGTH, "short", "short"),
        (Attribute.HAIR_COLOR, "blond", "blonde"),
        (Attribute.DRESS, "school_uniform", "school uniform"),
        (Attribute.EYE_COLOR, "", None),
    ],
)
def test_words_mean_a_value_or_nothing(attribute: Attribute, word: str, value: str | None) -> None:
    assert normalise(attribute, word) == value


def test_every_value_means_itself_and_no_word_or_tag_means_two_values_of_one_attribute() -> None:
    for attribute, values in VALUES.items():
        words = [word.strip() for names in values.values() for word in names.words.split(",") if word.strip()]
        tags = [each for names in values.values() for each in names.tags.split()]
        assert all(normalise(attribute, value) == value for value in values)
        assert len({*words, *values}) == len(words) + len(values) and len(set(tags)) == len(tags)
        assert all(attribute in [found for found, _ in meanings(each)] for each in tags)


def test_the_seeds_example_comes_out_with_its_keys() -> None:
    tags = ("1girl", "teenage", "ponytail", "black_hair", "long_hair", "brown_eyes", "slim", "school_uniform", "smile")
    known = told(*(tag(name, 0.85) for name in tags), tag("glasses", 0.85), tag("hat", 0.85))
    assert known == {
        "Age": "teen", "Gender": "female", "Hair Style": "ponytail", "Hair Color": "black", "Hair Length": "long",
        "Eye Color": "brown", "Body Type": "slim", "Dress": "school uniform", "Facial Expression": "happy",
        "Accessories": ["glasses", "hat"], "Confidence Score": 0.85,
    }  # fmt: skip


def test_what_is_not_known_is_null_and_never_guessed() -> None:
    document = character_document(Character())
    assert set(document) == {each.value for each in Attribute} | {"Confidence Score"}
    assert document.pop("Accessories") == [] and set(document.values()) == {None}
    assert told(tag("chair"), tag("male_focus"), tag("emale")) == {}


def test_ethnicity_is_not_read_from_tags() -> None:
    assert told(tag("dark_skin"), tag("asian")) == {}


def test_of_one_person_the_surest_value_is_told() -> None:
    assert told(tag("red_hair", 0.6), tag("pink_hair", 0.7))["Hair Color"] == "pink"
    assert told(tag("red_hair", 0.6), tag("pink_hair", 0.7), people=None)["Hair Color"] == "pink"


def test_of_several_people_only_what_they_share_is_told() -> None:
    tags = (tag("2girls"), tag("red_hair", 0.6), tag("pink_hair", 0.7), tag("glasses"))
    known = told(*tags, people=2)
    assert known == {"Gender": "female", "Accessories": ["glasses"], "Confidence Score": 0.9}


def test_several_tags_of_one_value_count_once_with_the_surest_and_a_persons_word_is_sure() -> None:
    character = character_of([tag("earrings", 0.6), tag("necklace", 0.8)], 1)
    assert character.traits == (Trait(Attribute.ACCESSORIES, "jewelry", 0.8, "necklace"),)
    assert character_of([tag("1girl", 0.5, "human")], 1).confidence == 1.0
    assert character_of([tag("1girl", None, "sidecar"), tag("smile", 0.5)], 1).confidence == 0.75


def test_a_record_tells_its_characters_attributes() -> None:
    record = merged(said(1, {"2girls": 0.9}))
    assert [(trait.value, trait.source) for trait in record.character.traits] == [("female", "2girls")]
    assert merged(said(1, {"sword": 0.9})).character == Character()
