"""Writes what docker/compose.yaml reads as secrets: `python3 docker/secrets.py`, once. What is there stays as it is."""

import base64
import hashlib
import json
import os
import secrets
import sys
from pathlib import Path

FOLDER = Path(__file__).parent / "secrets"
EVENTS = "nafuda.events"  # the exchange that MinIO publishes to, and the queue that is bound to it
UNROUTED = "nafuda.events.unrouted"  # where it goes when nothing is bound: an exchange that is bound to nothing drops


def files() -> dict[str, str]:
    """Name and content of each, with new passwords."""
    database, broker, store = (secrets.token_hex(24) for _ in range(3))
    broker_url = f"amqp://nafuda:{broker}@rabbitmq:5672/nafuda"
    return {
        "database_password": database,
        "database_url": f"postgresql://nafuda:{database}@postgres:5432/nafuda",
        "broker_url": broker_url,
        "broker_definitions.json": json.dumps(definitions(broker), indent=1),
        "s3_credentials": f"[default]\naws_access_key_id = nafuda\naws_secret_access_key = {store}\n",
        "minio_environment": f"MINIO_ROOT_USER=nafuda\nMINIO_ROOT_PASSWORD={store}\n"
        f"MINIO_NOTIFY_AMQP_URL_NAFUDA={broker_url}\n",
    }


def definitions(password: str) -> dict[str, object]:
    """RabbitMQ's user, exchanges, queues and the policy that keeps what could not be routed."""
    salt = os.urandom(4)
    digest = base64.b64encode(salt + hashlib.sha256(salt + password.encode()).digest()).decode()
    hashed = {"password_hash": digest, "hashing_algorithm": "rabbit_password_hashing_sha256"}
    lasting = {"vhost": "nafuda", "durable": True, "auto_delete": False}
    quorum = {**lasting, "arguments": {"x-queue-type": "quorum"}}
    exchange = {**lasting, "internal": False, "arguments": {}}
    bound = {"vhost": "nafuda", "destination_type": "queue", "arguments": {}}
    everything = {"configure": ".*", "write": ".*", "read": ".*"}
    policy = {"pattern": r"^nafuda\.events$", "apply-to": "exchanges", "priority": 0}
    return {
        "users": [{"name": "nafuda", **hashed, "tags": [], "limits": {}}],
        "vhosts": [{"name": "nafuda"}],
        "permissions": [{"user": "nafuda", "vhost": "nafuda", **everything}],
        "queues": [{"name": EVENTS, **quorum}, {"name": UNROUTED, **quorum}],
        "exchanges": [{"name": EVENTS, "type": "direct", **exchange}, {"name": UNROUTED, "type": "fanout", **exchange}],
        "bindings": [
            {"source": EVENTS, "destination": EVENTS, "routing_key": EVENTS, **bound},
            {"source": UNROUTED, "destination": UNROUTED, "routing_key": "", **bound},
        ],
        "policies": [{"vhost": "nafuda", "name": "events", **policy, "definition": {"alternate-exchange": UNROUTED}}],
    }


def write(folder: Path) -> bool:
    """Write them all, or nothing where the folder is there: the servers keep the first passwords. True when written.

    The folder lets nobody else in; the files in it can be read, because each image reads them as a user of its own.
    """
    try:
        folder.mkdir(mode=0o700)
    except FileExistsError:
        return False
    for name, content in files().items():
        (folder / name).write_text(content, "utf-8")
        (folder / name).chmod(0o444)
    return True


if __name__ == "__main__":
    sys.stdout.write(f"{'written' if write(FOLDER) else 'there already'}: {FOLDER}\n")
