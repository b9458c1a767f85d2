"""Preparing a database: migrations, the broker's schema, the collection, the first rules, the models in force."""

from collections.abc import Mapping
from importlib import resources

from infra.broker.config import install_pgmq
from infra.records.migrate import migrate
from schemas.errors import ConfigurationError, TransientError
from schemas.policies import parse_policies
from schemas.rules import RuleKind
from schemas.scoring import parse_scoring
from schemas.vocabulary import parse_vocabulary
from tasks.apart import check_apart
from tasks.index import prepare_index
from tasks.models import Active, load_active, register
from tasks.services import DERIVED_BUCKETS, Services
from workers.embedding.embedder import Embedder

_BY = "nafuda"


def prepare(services: Services) -> list[str]:
    """Bring a database to the state that workers expect; again does no harm. Returns what was done, in words."""
    settings = services.settings
    if not settings.database_url:
        raise ConfigurationError("set NAFUDA_DATABASE_URL, or start the embedded server with `nafuda run`")
    done = [f"applied {name}" for name in migrate(settings.database_url)]
    if not settings.broker_url or settings.broker_url.startswith("pgmq"):
        install_pgmq(settings.database_url)
    done += first_rules(services)
    check_apart(settings, [(settings.bucket, "")])
    collection = services.rules.ensure_collection(settings.collection, settings.bucket, hold=settings.hold)
    services.store.make_bucket(settings.bucket)
    for bucket in DERIVED_BUCKETS:
        services.derived.make_bucket(bucket)
    registered = register(services, load_active(services))
    plan = services.rules.ensure_plan(collection, list(registered))
    done += _index(services, registered)
    models = ", ".join(each.manifest.id for each in registered.values())
    return [*done, f"collection {settings.collection}: plan {plan} with {models}"]


def _spaces(services: Services, registered: Mapping[int, Active]) -> list[str]:
    """An index for the vectors of each embedder, or a word on why there is none."""
    done = []
    for number, each in registered.items():
        if isinstance(each.runner, Embedder):
            lacking = services.similar.open_space(number, each.runner.width)
            done.append(lacking or f"vectors of {each.manifest.id} are indexed")
    return done


def _index(services: Services, registered: Mapping[int, Active]) -> list[str]:
    """The search index, and an account of what it is to be given; one that is away holds nobody up."""
    try:
        done = _spaces(services, registered)
        untold = prepare_index(services) or services.indexing.adopt(anew=False)
    except TransientError as error:
        return [f"{error}; the sweeper goes on when it is back"]
    return [*done, *([f"the search index is given {untold:,} records"] if untold else [])]


def first_rules(services: Services) -> list[str]:
    """Version 1 of vocabulary and policies, where there is none yet."""
    current = services.rules.fresh()
    done = []
    if not current.vocabulary.version:
        text = (resources.files("schemas.vocabulary") / "default.toml").read_text("utf-8")
        version = services.rules.set_vocabulary(parse_vocabulary(text, "default.toml"), _BY)
        done.append(f"{RuleKind.VOCABULARY} version {version}")
    if not current.policies.version:
        text = (resources.files("schemas.policies") / "default.toml").read_text("utf-8")
        version = services.rules.set_policies(parse_policies(text, "default.toml"), _BY)
        done.append(f"{RuleKind.POLICIES} version {version}")
    if not current.scoring.version:
        text = (resources.files("schemas.scoring") / "default.toml").read_text("utf-8")
        version = services.rules.set_scoring(parse_scoring(text, "default.toml"), _BY)
        done.append(f"{RuleKind.SCORING} version {version}")
    return done
