"""The pipeline as data: stages, what each needs, the groups that share a decoded image, and their queues."""

from dataclasses import dataclass

INGEST = "ingest"
DETECTION = "detection"
TAGGING = "tagging"
MERGE = "merge"


@dataclass(frozen=True, slots=True)
class Stage:
    """A step that gives each image a result per model. `needs` names stages that must have ended before."""

    name: str
    needs: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Group:
    """Stages that run in one worker process and decode an image once. Its name is its queue's name."""

    name: str
    stages: tuple[str, ...]


STAGES = (Stage(DETECTION), Stage(TAGGING))
VISION = Group("vision", (DETECTION, TAGGING))
GROUPS = (VISION,)
QUEUES = (INGEST, *(group.name for group in GROUPS), MERGE)


def group_of(stage: str) -> Group:
    """The group whose workers run a stage. KeyError for a stage that has none."""
    for group in GROUPS:
        if stage in group.stages:
            return group
    raise KeyError(stage)
