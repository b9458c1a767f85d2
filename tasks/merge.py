"""The merge task: dirty records in, published records and documents out."""

import time
from collections.abc import Sequence
from contextlib import AbstractContextManager
from dataclasses import replace
from datetime import timedelta

from infra.records.flags import raise_flags, review_state
from infra.records.merging import MergeRound
from schemas.merging import MergeInput, Rules
from schemas.pipeline import MERGE
from schemas.record import Record, Visibility
from schemas.review import ReviewState
from schemas.rules import Finding
from tasks.index import ROUND, index_behind, index_these
from tasks.services import Services
from workers.merging import merge
from workers.moderation import evaluate

GATHER = timedelta(milliseconds=60)  # results of the same chunk arrive together: merge them once


def merge_dirty(services: Services) -> None:
    """Merge what is dirty and index what changed, until nothing is."""
    services.work.taken(MERGE)
    time.sleep(GATHER.total_seconds())
    while True:
        merged = _publish(services, services.merging.dirty(ROUND))
        indexed = index_behind(services)
        services.metrics.done.labels(MERGE).inc(merged)
        if not merged and not indexed:
            services.work.drained(MERGE)
        if max(merged, indexed) < ROUND:
            return


def refresh(services: Services, records: Sequence[int]) -> None:
    """Merge certain records and index them before returning: a decision shows in the very next search."""
    _publish(services, services.merging.these(records))
    index_these(services, records)


def _publish(services: Services, opened: AbstractContextManager[MergeRound]) -> int:
    """One transaction: merge, let moderation look at the raw results, publish."""
    with opened as this:
        rules = services.rules.at(this.connection)
        # A model that was registered since is no new version of any rule, so `at` may not know it yet.
        if any(answer.model not in rules.models for known in this.inputs for answer in known.said):
            rules = services.rules.fresh()
        this.mark_live()
        raise_flags(this.connection, {known.record: _findings(known, rules) for known in this.inputs})
        states = review_state(this.connection, [known.record for known in this.inputs])
        records = [_reviewed(merge(known, rules), states[known.record]) for known in this.inputs]
        this.publish(records, services.backend, (rules.vocabulary.version, rules.thresholds.version))
        return len(this.inputs)


def _findings(known: MergeInput, rules: Rules) -> tuple[Finding, ...]:
    said = [answer for answer in known.said if answer.model in rules.models]
    return evaluate(rules.policies, said, rules.models) if known.places else ()


def _reviewed(record: Record, state: ReviewState) -> Record:
    visibility = Visibility.REMOVED if state.removed else Visibility.HELD if state.held else Visibility.SHOWN
    return replace(record, flags=state.flags, visibility=visibility)
