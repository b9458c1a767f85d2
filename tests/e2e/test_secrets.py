"""Secrets stay where they belong: out of command lines."""  # R76

import pytest
from psycopg.conninfo import conninfo_to_dict

from tasks.backup import without_password


@pytest.mark.parametrize(
    "database",
    [
        "postgresql://ada:s3cr3t%20x@db.example:5433/nafuda",
        "host=db.example user=ada password='s3cr3t x' dbname=nafuda",
    ],
)
def test_a_password_is_not_on_the_command_line_of_the_backup(database: str) -> None:
    address, environment = without_password(database)
    assert "s3cr3t" not in address and environment == {"PGPASSWORD": "s3cr3t x"}
    assert conninfo_to_dict(address) | {"password": "s3cr3t x"} == conninfo_to_dict(database)


def test_an_address_without_a_password_brings_none_along() -> None:
    assert without_password("host=/run dbname=nafuda")[1] == {}
