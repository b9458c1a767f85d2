"""Settings: read from the environment once, by whoever starts a process, and handed down from there."""

import json
import os
import re
from collections.abc import Container, Mapping, Sequence
from datetime import timedelta
from pathlib import Path
from typing import Annotated, Literal
from urllib.parse import urlsplit

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator, model_validator

from infra.models.in_force import read_in_force
from infra.objects.addresses import ENDPOINTS, BucketAddress, parse_address
from schemas.errors import ConfigurationError

_PREFIX = "NAFUDA_"
_AWS = ("s3:", "s3://")
_SQS = ("sqs:", "sqs://")
_SQS_ENDPOINTS = ("sqs+http://", "sqs+https://")
_SECRET = 16  # characters
_FOLDER = "file:///"
INSTANCE = "instance.json"
WHEREABOUTS = (
    *("database_url", "broker_url", "objects_url", "derived_url", "direct_url", "events_url", "events_queue"),
    *("search_url", "search_index", "bucket", "collection"),
)
"""Settings that say where an instance keeps things: a command that is to work with it needs the same."""
_SAMPLES = ("detector", "tagger", "rating", "encoder", "captioner", "quality", "brisque", "aesthetic", "clip-score")
SAMPLES = tuple(f"nafuda/sample-{name}" for name in _SAMPLES)


class Settings(BaseModel):
    """Every setting, with its default. `NAFUDA_<NAME>` in the environment or `NAFUDA_<NAME>_FILE` sets it."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    data: Path = Field(Path("data"), description="folder of everything that this machine keeps")
    database_url: str = Field("", description="PostgreSQL: a URL or libpq keywords; empty: the embedded server")
    database_timeout: timedelta = timedelta(seconds=30)  # for a statement; half of it for a lock
    database_silence: timedelta = timedelta(seconds=20)  # unheard of for so long, a connection to it is given up
    broker_url: str = Field("", description="a kombu URL; empty: the pgmq transport on the database")
    broker_timeout: timedelta = timedelta(seconds=10)  # for connecting, and for the broker's confirmation of a hint
    broker_heartbeat: timedelta = timedelta(seconds=20)  # a broker that misses two of them is away
    objects_url: str = Field("", description="file:///FOLDER, s3: or s3+http://HOST:PORT; empty: DATA/buckets")
    derived_url: str = Field("", description="thumbnails and views: file:///FOLDER or s3://BUCKET; empty: DATA/derived")
    objects_timeout: timedelta = timedelta(seconds=10)  # for connecting to S3, and for each wait for bytes
    direct_url: str = Field(
        "", description="the S3 server as browsers reach it, https://HOST, or s3: for AWS; empty: never"
    )
    signed_for: timedelta = timedelta(minutes=5)  # how long a signed upload or download can be used
    events_url: str = Field("", description="where S3 events arrive: amqp://…, sqs: or sqs+http://…; empty: nowhere")
    events_queue: str = Field("nafuda.events", description="the queue in which they arrive; it must exist")
    events_secret: str = Field("", repr=False, description="what senders to the pages' webhook must know; empty: none")
    search_url: str = Field("", description="OpenSearch: http(s)://[USER:PASSWORD@]HOST:PORT; empty: on the database")
    search_index: str = Field("nafuda", description="its name there; indexes are called NAME-…")
    search_timeout: timedelta = timedelta(seconds=10)  # for each request to OpenSearch
    search_shards: Annotated[int, Field(ge=1, le=64, description="shards of a new index")] = 1
    search_replicas: Annotated[int, Field(ge=0, le=8, description="copies of each shard; 1 needs two nodes")] = 0
    models_dir: Path | None = Field(None, description="own manifests and model files; empty: DATA/models")
    hub_url: str = Field("https://huggingface.co", description="where `models pull` gets models, or a mirror of it")
    models: tuple[str, ...] = Field(SAMPLES, description="ids of the models in force, by comma")
    providers: tuple[str, ...] = Field(("auto",), description="ONNX Runtime providers in order, by comma")
    threads: Annotated[int, Field(ge=1, le=256, description="inference threads a model")] = 1
    decoders: Annotated[int, Field(ge=1, le=256, description="decoding processes a worker")] = min(
        4, os.cpu_count() or 1
    )
    concurrency: Annotated[int, Field(ge=1, le=64, description="chunks at work at once in a worker")] = 5
    chunk: Annotated[int, Field(ge=1, le=64, description="images in a chunk")] = 32
    requests: Annotated[int, Field(ge=1, le=32, description="requests to an S3 server at once in a worker")] = 16
    max_bytes: Annotated[int, Field(ge=1, description="largest object that is taken, in bytes")] = 64 * 2**20
    max_pixels: Annotated[int, Field(ge=1, description="largest picture that is decoded")] = 100_000_000
    bucket: str = Field("images", description="the bucket of uploads and of `nafuda ingest`")
    collection: str = Field("main", description="the collection of that bucket")
    hold: bool = Field(False, description="hold every image back until a moderator cleared it")
    web_host: str = Field("127.0.0.1", description="address that the pages listen on")
    web_port: Annotated[int, Field(ge=0, le=65535)] = 8420
    encoder_url: str = Field("", description="where the pages ask for the vector of a text; empty: nowhere")
    encoder_host: str = Field("127.0.0.1", description="address that the role `encode` listens on")
    encoder_port: Annotated[int, Field(ge=0, le=65535, description="its port")] = 8421
    secure_cookies: bool = Field(False, description="the pages are reached by https only")
    allowed_hosts: tuple[str, ...] = Field((), description="host names accepted; empty: any")
    metrics_host: str = Field("127.0.0.1", description="address that worker metrics are answered on")
    metrics_port: Annotated[int, Field(ge=0, le=65535, description="worker metrics; 0: none")] = 0
    log: Literal["text", "json"] = "text"
    log_level: Literal["DEBUG", "INFO", "WARNING", "ERROR"] = "INFO"
    place: str = Field("", description="a stable name of this worker's place; its successor frees its claims")
    model_timeout: timedelta = timedelta(minutes=10)  # for a batch; a model that takes longer hangs
    heartbeat: timedelta = timedelta(seconds=3)
    silent: timedelta = timedelta(seconds=20)  # a worker unheard of for so long is dead
    grace: timedelta = timedelta(seconds=20)  # for draining at shutdown
    reconcile_every: timedelta = timedelta(minutes=15)

    @field_validator("models", "providers", "allowed_hosts", mode="before")
    @classmethod
    def _by_comma(cls, value: object) -> object:
        return tuple(part.strip() for part in value.split(",") if part.strip()) if isinstance(value, str) else value

    @field_validator("objects_url")
    @classmethod
    def _store(cls, value: str) -> str:
        if value and not value.startswith((_FOLDER, *ENDPOINTS)) and value not in _AWS:
            raise ValueError("say file:///FOLDER, s3: for AWS, or s3+http://HOST:PORT or s3+https://HOST for another")
        return value

    @field_validator("derived_url")
    @classmethod
    def _derived(cls, value: str) -> str:
        if value and not value.startswith(_FOLDER):
            parse_address(value)
        return value

    @field_validator("direct_url")
    @classmethod
    def _direct(cls, value: str) -> str:
        found = urlsplit(value)
        server = found.scheme in ("http", "https") and found.hostname and found.path in ("", "/") and not found.query
        if value and value not in _AWS and not server:
            raise ValueError("say https://HOST[:PORT], the S3 server as browsers reach it, or s3: for AWS")
        return value

    @field_validator("signed_for")
    @classmethod
    def _brief(cls, value: timedelta) -> timedelta:
        if not timedelta(seconds=1) <= value <= timedelta(hours=1):
            raise ValueError("say PT1S to PT1H: whoever has what was signed can use it so long")
        return value

    @field_validator("database_silence", "broker_heartbeat")
    @classmethod
    def _whole_seconds(cls, value: timedelta) -> timedelta:
        if value < timedelta(seconds=1) or value % timedelta(seconds=1):
            raise ValueError("say whole seconds, PT1S or more")
        return value

    @field_validator("events_url")
    @classmethod
    def _events(cls, value: str) -> str:
        if value and not value.startswith(("amqp://", "amqps://", *_SQS_ENDPOINTS)) and value not in _SQS:
            raise ValueError("say amqp(s)://USER:PASSWORD@HOST:PORT/VHOST, sqs: for AWS, or sqs+http(s)://HOST:PORT")
        return value

    @field_validator("events_secret")
    @classmethod
    def _secret(cls, value: str) -> str:
        if value and len(value) < _SECRET:
            raise ValueError(f"take {_SECRET} characters or more, as `openssl rand -hex 32` prints")
        return value

    @model_validator(mode="after")
    def _queue(self) -> "Settings":
        if self.sqs_endpoint is not None and not re.fullmatch(r"[A-Za-z0-9_-]{1,80}(\.fifo)?", self.events_queue):
            raise ValueError("NAFUDA_EVENTS_QUEUE: SQS names queues with letters, digits, - and _ only")
        return self

    @field_validator("search_url")
    @classmethod
    def _search(cls, value: str) -> str:
        if value and not (value.startswith(("http://", "https://")) and urlsplit(value).hostname):
            raise ValueError("say http://HOST:PORT or https://USER:PASSWORD@HOST")
        return value

    @field_validator("search_index")
    @classmethod
    def _index(cls, value: str) -> str:
        if not re.fullmatch(r"[a-z0-9][a-z0-9_-]{0,99}", value):
            raise ValueError("use small letters, digits, - and _, a letter or digit first")
        return value

    @property
    def s3_endpoint(self) -> str | None:
        """URL of the S3 server, "" for AWS; None when buckets are folders."""
        if self.objects_url in _AWS:
            return ""
        return self.objects_url.removeprefix("s3+") if self.objects_url.startswith(ENDPOINTS) else None

    @property
    def derived_address(self) -> BucketAddress | None:
        """The bucket of derived pictures; None when they lie in a folder."""
        url = self.derived_url
        return parse_address(url) if url and not url.startswith(_FOLDER) else None

    @property
    def derived_folder(self) -> Path:
        """The folder of derived pictures, when they lie in one."""
        return Path(self.derived_url.removeprefix("file://")) if self.derived_url else self.data / "derived"

    @property
    def sqs_endpoint(self) -> str | None:
        """URL of the SQS server where events arrive, "" for AWS; None when they do not come over SQS."""
        if self.events_url in _SQS:
            return ""
        return self.events_url.removeprefix("sqs+") if self.events_url.startswith(_SQS_ENDPOINTS) else None

    @property
    def models_folder(self) -> Path | None:
        """Where own manifests and model files lie, when there is such a place."""
        own = self.data / "models"
        return self.models_dir or (own if own.is_dir() else None)

    @property
    def buckets_folder(self) -> Path:
        """Where the folder store's buckets lie."""
        if self.objects_url.startswith("file://"):
            return Path(self.objects_url.removeprefix("file://"))
        return self.data / "buckets"


def read_settings(environment: Mapping[str, str], *, alone: bool = False, **overrides: object) -> Settings:
    """Settings of an environment. ConfigurationError names the variable that is wrong and what is allowed.

    Where an instance runs on the data folder, with this database or none named, what is not named is as it has it (see
    `WHEREABOUTS`). alone: whether one runs there or not.
    """
    given = _named(environment)
    given.update({name: value for name, value in overrides.items() if value is not None})
    if "models" not in given:
        chosen = read_in_force(Path(str(given.get("data", "data"))))
        if chosen is not None:
            given["models"] = chosen
    try:
        settings = Settings.model_validate(given)
    except ValidationError as error:
        lines = [f"{_variable(each['loc'])}{each['msg']}" for each in error.errors()]
        raise ConfigurationError("settings: " + "; ".join(lines)) from None
    return settings if alone else with_instance(settings, given)


def _variable(place: Sequence[object]) -> str:
    """Which variable is wrong; nothing where the message says it itself, because two do not go together."""
    return f"{_PREFIX}{str(place[0]).upper()}: " if place else ""


def with_instance(settings: Settings, named: Container[str]) -> Settings:
    """The settings completed by the note that a running instance leaves in its data folder. named: those to be kept."""
    note = instance_note(settings)
    if not note or settings.database_url not in ("", note["database_url"]):
        return settings
    lacking = {name: note[name] for name in WHEREABOUTS if name in note and name not in named}
    return settings.model_copy(update={**lacking, "database_url": note["database_url"]})


def instance_note(settings: Settings) -> Mapping[str, str]:
    """What `nafuda run` wrote down of itself: address, pid, and `WHEREABOUTS`; empty when none runs on the folder."""
    note = settings.data / INSTANCE
    if not note.is_file():
        return {}
    return {str(name): str(value) for name, value in json.loads(note.read_text("utf-8")).items()}


def _named(environment: Mapping[str, str]) -> dict[str, object]:
    given: dict[str, object] = {}
    for name in Settings.model_fields:
        variable = _PREFIX + name.upper()
        if file := environment.get(variable + "_FILE"):
            try:
                given[name] = Path(file).read_text("utf-8").strip()
            except OSError as error:
                raise ConfigurationError(f"{variable}_FILE: {file} cannot be read: {error}") from error
        elif (value := environment.get(variable)) is not None:
            given[name] = value
    return given
