"""What a person is told who wants to put files into the stack's store: a shell's commands, without a secret."""

import shlex
from collections.abc import Mapping

from tests.stack.minio import MinIO
from tests.stack.places import read_place

_CODE = (
    'import os, sys, boto3; boto3.client("s3", endpoint_url=os.environ["NAFUDA_TEST_S3_URL"])'
    ".upload_file(*sys.argv[1:])"
)
_PYTHON = ".venv/bin/python"


def how_to_put(bucket: str, environment: Mapping[str, str]) -> str:
    """Lines to print: where the bucket is, where its keys come from, and commands that put a file there.

    The keys themselves are left out: what `make run-stack` prints is often kept in a log.
    """
    address = environment["NAFUDA_TEST_S3_URL"]
    commands = [
        f"{_PYTHON} -c '{_CODE}' FILE {bucket} KEY",
        f"aws s3 cp FILE s3://{bucket}/KEY --endpoint-url {address}",
    ]
    if address == MinIO(read_place(environment)).url:
        keys = ["in another shell, in this folder:", f"  {_keys(environment)}"]
    else:
        keys = ["in another shell, with the variables of this one:"]
    lines = [f"To put files into the bucket {bucket} at {address}, {keys[0]}", *keys[1:]]
    return "\n".join([*lines, f"  {commands[0]}", "or with any other S3 client, for example", f"  {commands[1]}", ""])


def _keys(environment: Mapping[str, str]) -> str:
    """The command that gives a shell the address and the keys of this very stack."""
    named = [name for name in ("NAFUDA_STACK_DIR", "NAFUDA_STACK_PORT") if environment.get(name)]
    before = "".join(f"{name}={shlex.quote(environment[name])} " for name in named)
    return f'eval "$({before}{_PYTHON} -m tests.stack env minio)"'
