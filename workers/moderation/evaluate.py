"""Which policies an image matches by raw results: before thresholds, aliases and filters (R15, R67)."""

from collections.abc import Iterator, Mapping, Sequence

import numpy as np

from schemas.merging import RegisteredModel, Said
from schemas.models import Label
from schemas.pipeline import DETECTION
from schemas.rules import Finding, Policies, Policy

Watch = Mapping[str, Sequence[Policy]]


def watched(policies: Policies) -> Watch:
    """Policies by the subject that they look at."""
    found: dict[str, list[Policy]] = {}
    for policy in policies.policies:
        found.setdefault(policy.subject, []).append(policy)
    return found


def evaluate(policies: Policies, said: Sequence[Said], models: Mapping[int, RegisteredModel]) -> tuple[Finding, ...]:
    """What policies find in everything that was said of one image, ordered by policy and subject.

    There is one finding for each policy and subject: the highest score names the source, and of equal scores
    the model whose name comes first. The other scores stay in the raw results. A policy matches from its
    score on (>=).
    """
    watch = watched(policies)
    best: dict[tuple[str, str], Finding] = {}
    for answer in said:
        for policy, score, source in _matches(watch, answer, models[answer.model]):
            key = (policy.name, policy.subject)
            known = best.get(key)
            if known is None or (-score, source) < (-known.score, known.source):
                best[key] = _finding(policy, policies.version, score, source)
    return tuple(best[key] for key in sorted(best))


def subject(label: Label, stage: str) -> str:
    """How policies call a label: "label:…" of a detector, "rating:…" or "tag:…" of any other model."""
    if stage == DETECTION:
        return f"label:{label.name}"
    kind = "rating" if label.category == "rating" else "tag"
    return f"{kind}:{label.name}"


def _matches(watch: Watch, said: Said, model: RegisteredModel) -> Iterator[tuple[Policy, float, str]]:
    scores = said.output.scores
    for place, index in enumerate(said.output.labels.tolist()):
        for policy in watch.get(subject(model.labels[index], model.stage), ()):
            # Scores are float32: the float32 nearest to .35 is below .35, and must match all the same.
            if scores[place] >= np.float32(policy.at_least):
                yield policy, float(scores[place]), model.name


def _finding(policy: Policy, version: int, score: float, source: str) -> Finding:
    return Finding(
        policy=policy.name,
        version=version,
        subject=policy.subject,
        score=score,
        threshold=policy.at_least,
        source=source,
        severity=policy.severity,
        action=policy.action,
        queue=policy.queue,
    )
