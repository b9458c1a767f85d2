"""Label lists as they come with models."""

import pytest

from schemas.errors import ManifestError
from schemas.labels import from_csv, from_json, from_names
from schemas.models import Label

HEADER = "tag_id,name,category,count\n"


def test_a_wd_file_gives_names_and_categories_in_its_order() -> None:
    text = HEADER + '9999999,general,9,807858\n470575,1girl,0,4225150\n1,"don\'t_say_""lazy""",4,3\r\n2,comic,5,1\n'
    assert from_csv(text, "tags.csv") == (
        Label("general", "rating"),
        Label("1girl", "general"),
        Label('don\'t_say_"lazy"', "character"),
        Label("comic", "meta"),
    )


def test_one_name_in_two_categories_is_two_labels() -> None:
    assert len(from_csv(HEADER + "1,general,9,1\n2,general,0,1\n", "tags.csv")) == 2


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("name,count\na,1\n", "tags.csv: expected the columns"),
        ("", "expected the columns"),
        (HEADER, r"expected 1\.\.32767 labels, got 0"),
        (HEADER + "1,a,7,1\n", r"tags.csv, line 2: .*'a', '7'"),
        (HEADER + "1,,0,1\n", "line 2"),
        (HEADER + "1\n", "line 2"),
        (HEADER + "1,a,0,1\n2,a,0,1\n", "the label 'a' is listed twice"),
    ],
)
def test_a_bad_csv_is_refused_by_line(text: str, message: str) -> None:
    with pytest.raises(ManifestError, match=message):
        from_csv(text, "tags.csv")


def test_a_json_list_gives_labels_of_one_category() -> None:
    assert from_json('["face", "手"]', "l.json", "object") == (Label("face", "object"), Label("手", "object"))


@pytest.mark.parametrize("text", ["", "{}", '["a", 1]', "[]", '["a", "a"]', '[""]'])
def test_a_bad_json_list_is_refused(text: str) -> None:
    with pytest.raises(ManifestError, match=r"labels\.json"):
        from_json(text, "labels.json", "object")


@pytest.mark.parametrize("text", ["{0: 'a', 1: 'b'}", "{1: 'b', 0: 'a'}", "['a', 'b']", "('a', 'b')"])
def test_names_in_a_graph_are_read_as_a_literal(text: str) -> None:
    assert [label.name for label in from_names(text, "m", "object")] == ["a", "b"]


@pytest.mark.parametrize(
    "text", [None, "__import__('os').getcwd()", "{1: 'a'}", "{0: 1}", "{'0': 'a'}", "3", "{", "{}"]
)
def test_names_that_are_no_plain_list_are_refused(text: str | None) -> None:
    with pytest.raises(ManifestError, match="m: "):
        from_names(text, "m", "object")
