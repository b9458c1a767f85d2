"""Derived pictures lie nowhere that a collection looks (R15, R71)."""

from pathlib import Path

import pytest

from infra.settings import Settings
from schemas.errors import ConfigurationError
from tasks.apart import check_apart
from tasks.prepare import prepare
from tasks.services import Services
from tests.records.books import Books

S3, HERE = "s3+http://127.0.0.1:9000", "s3+http://localhost:9000"


@pytest.mark.parametrize(
    ("objects", "derived", "source", "apart"),
    [
        ("", "", ("images", ""), True),
        ("", "", ("../derived", ""), False),
        ("file:///all", "file:///all/derived", ("images", ""), True),
        ("file:///all", "file:///all/images/derived", ("images", ""), False),
        ("file:///all", "file:///all/images", ("images", "art/"), False),
        ("file:///all", "file:///", ("images", ""), False),
        ("file:///all", f"{S3}/images", ("images", ""), True),
        (S3, "", ("images", ""), True),
        (S3, f"{S3}/derived", ("images", ""), True),
        (S3, f"{S3}/images", ("images", ""), False),
        (S3, f"{HERE}/images", ("images", ""), False),  # two addresses of one server
        (S3, f"{S3}/images/made", ("images", ""), False),
        (S3, f"{S3}/images/made", ("images", "art/"), True),
        (S3, f"{S3}/images/made", ("images", "made/by/"), False),
        (S3, f"{S3}/images/made", ("images", "ma"), False),
        (S3, f"{S3}/images", ("images", "art/"), False),
        ("s3:", "s3://images/made/", ("images", "made/"), False),
        ("s3:", "s3://images-derived", ("images", ""), True),
    ],
)
def test_a_place_that_meets_a_collection_is_refused(
    objects: str, derived: str, source: tuple[str, str], apart: bool
) -> None:
    settings = Settings(data=Path("/data"), objects_url=objects, derived_url=derived)
    if apart:
        check_apart(settings, [source])
        return
    with pytest.raises(ConfigurationError, match="NAFUDA_DERIVED_URL") as refused:
        check_apart(settings, [source, ("elsewhere", "")])
    assert f"({source[0]}/{source[1]})" in str(refused.value)
    assert derived.rstrip("/") in str(refused.value)


def test_the_collections_of_the_database_count_too(services: Services, books: Books) -> None:
    """One that another program of ours added is met before anything is written there."""
    books.collection(name="other", bucket="pictures", prefix="art/")
    settings = services.settings.model_copy(update={"objects_url": S3, "derived_url": f"{S3}/pictures/art/made"})
    with pytest.raises(ConfigurationError, match=r"pictures/art/\)"):
        assert Services(settings).derived


def test_nothing_is_prepared_where_they_meet(services: Services) -> None:
    settings = services.settings.model_copy(update={"derived_url": f"file://{services.settings.buckets_folder}/images"})
    with pytest.raises(ConfigurationError, match="derived pictures"):
        prepare(Services(settings))
    assert services.objects.sources() == []
