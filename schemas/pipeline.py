"""The pipeline as data: stages, what each needs, the groups that share a decoded image, and their queues."""

from collections.abc import Collection
from dataclasses import dataclass

INGEST = "ingest"
DETECTION = "detection"
TAGGING = "tagging"
CAPTIONING = "captioning"
EMBEDDING = "embedding"
SCORING = "scoring"
READING = "reading"
JUDGING = "judging"
MERGE = "merge"


@dataclass(frozen=True, slots=True)
class Stage:
    """A step that gives each image a result per model; before it stages in `needs` must have ended, well or not."""

    name: str
    needs: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Group:
    """Stages that run in one worker process and decode an image once. Its name is its queue's name."""

    name: str
    stages: tuple[str, ...]

    @property
    def chunks(self) -> tuple[tuple[str, ...], ...]:
        """Stages that are claimed together: those that look at the image, and those that take others' answers.

        A chunk of answers is done in a moment; claimed with the others it would cost images their place in the queue.
        """
        parts = (tuple(name for name in self.stages if take_answers([name]) is apart) for apart in (False, True))
        return tuple(part for part in parts if part)


STAGES = (
    Stage(DETECTION),
    Stage(TAGGING),
    Stage(EMBEDDING),
    Stage(CAPTIONING),
    Stage(READING),
    Stage(SCORING),
    Stage(JUDGING, needs=(CAPTIONING, EMBEDDING)),  # figures of what other stages found
)
# What takes milliseconds shares a group; what writes word by word has its own, so that tags never wait for sentences.
VISION = Group("vision", (DETECTION, TAGGING, EMBEDDING, SCORING))
LANGUAGE = Group("language", (CAPTIONING, READING, JUDGING))
GROUPS = (VISION, LANGUAGE)
QUEUES = (INGEST, *(group.name for group in GROUPS), MERGE)


def take_answers(stages: Collection[str]) -> bool:
    """Whether stages look at what others found, and at no picture: that is done in a moment, without a device."""
    return {stage.name for stage in STAGES if stage.needs}.issuperset(stages)


def group_of(stage: str) -> Group:
    """The group whose workers run a stage. KeyError for a stage that has none."""
    for group in GROUPS:
        if stage in group.stages:
            return group
    raise KeyError(stage)


def needs() -> list[tuple[str, str]]:
    """(stage, needed stage) for every need there is."""
    return [(stage.name, need) for stage in STAGES for need in stage.needs]
