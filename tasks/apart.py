"""That derived pictures never lie where a collection's images do: they would be taken for images themselves."""

from collections.abc import Iterable
from pathlib import Path

from infra.settings import Settings
from schemas.errors import ConfigurationError


def check_apart(settings: Settings, sources: Iterable[tuple[str, str]]) -> None:
    """ConfigurationError, naming both, when a source (bucket, prefix) and the place of derived pictures overlap."""
    for bucket, prefix in sources:
        if _meet(settings, bucket, prefix):
            place = settings.derived_url or settings.derived_folder
            raise ConfigurationError(
                f"derived pictures ({place}) would lie in the images of a collection ({bucket}/{prefix}), and be "
                "analysed as images: set NAFUDA_DERIVED_URL to a bucket of their own"
            )


def _meet(settings: Settings, bucket: str, prefix: str) -> bool:
    address = settings.derived_address
    if address is not None:
        return settings.s3_endpoint is not None and address.meets(bucket, prefix)
    if settings.s3_endpoint is not None:
        return False
    images, derived = (settings.buckets_folder / bucket).resolve(), settings.derived_folder.resolve()
    return _within(images, derived) or _within(derived, images)


def _within(inner: Path, outer: Path) -> bool:
    return inner.is_relative_to(outer)
