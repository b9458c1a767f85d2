"""RabbitMQ, MinIO, PostgreSQL and OpenSearch for a benchmark, as the environment of whoever works with them."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.stack.given import environment
from tests.stack.own import own_stack


@contextmanager
def on_real_servers(folder: Path, *, spool: bool) -> Iterator[None]:
    """They run, in a folder of their own, and Nafuda's settings lead there. spool: MinIO's events pass its spool."""
    with environment({"NAFUDA_STACK_SPOOL": "on" if spool else "off"}), own_stack(folder) as stack:
        given = stack.up("rabbitmq", "opensearch", "postgres", "minio")
        ours = {
            "NAFUDA_OBJECTS_URL": f"s3+{given['NAFUDA_TEST_S3_URL']}",
            "NAFUDA_EVENTS_URL": given["NAFUDA_TEST_BROKER_URL"],
            "NAFUDA_SEARCH_URL": given["NAFUDA_TEST_OPENSEARCH_URL"],
        }
        with environment({**given, **ours}):
            yield
