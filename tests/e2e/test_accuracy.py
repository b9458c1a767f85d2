"""From upload to record nothing is lost of what the models can do (R11): within a point of the models themselves."""

from pathlib import Path

from tests.e2e.instance import Instance
from training.samples import draw
from training.samples.shipped import TAG_THRESHOLD, SampleTagger
from training.samples.vocabulary import TAGS

_SEED = 9_500_000
_COUNT = 60


def _micro_f1(pairs: list[tuple[set[str], set[str]]]) -> float:
    """2·TP / (2·TP + FP + FN) over all (said, true) pairs."""
    right = sum(len(said & true) for said, true in pairs)
    return 2 * right / sum(len(said) + len(true) for said, true in pairs)


def test_records_are_as_right_as_the_tagger_itself(nafuda: Instance, tmp_path: Path) -> None:
    known = set(TAGS)
    tagger = SampleTagger()
    direct, stored = [], []
    drawings = {f"accuracy-{number}.png": draw(_SEED + number) for number in range(_COUNT)}
    for name, drawing in drawings.items():
        drawing.image.save(tmp_path / name)
        scores = dict(zip(tagger.names, tagger.scores(drawing.image).tolist(), strict=True))
        said = {tag for tag, score in scores.items() if tag in known and score >= TAG_THRESHOLD}
        direct.append((said, set(drawing.truth.tags)))
    lines = nafuda.json("ingest", str(tmp_path), "--wait")
    assert {line["outcome"] for line in lines} == {"complete"}
    with nafuda.services() as services:
        for line in lines:
            record = services.records.record(line["image"])
            said = {tag.name for tag in record.tags} & known
            stored.append((said, set(drawings[Path(line["path"]).name].truth.tags)))
    assert abs(_micro_f1(stored) - _micro_f1(direct)) <= 0.01, (_micro_f1(stored), _micro_f1(direct))
