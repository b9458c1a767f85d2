"""Runs a group's models on a chunk: inputs from memory or decoded again, batches, results, failures by image."""

import hashlib
import time
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from concurrent.futures import Future
from dataclasses import dataclass, field
from functools import partial

from schemas.errors import NafudaError, PermanentError, TransientError
from schemas.images import Look
from schemas.ledger import LIVE, Claim, ImageRow, ObjectLedger, ResultLedger
from schemas.ports import ObjectStore
from schemas.results import Failure, ModelOutput, StageResult
from workers.batching.batch import Prepared, Runner
from workers.batching.batcher import Batcher
from workers.batching.ticket import Ticket
from workers.cache import InputCache
from workers.decode.pool import DecodedImage, DecodePool
from workers.fetching import Looks, Several, portions
from workers.scoring.answers import AnswerRunner, Answers
from workers.steps.program import InputProgram

Inputs = Mapping[InputProgram, Prepared]


@dataclass(frozen=True, slots=True)
class LoadedModel:
    """A model that this process runs: its id in the ledger, its runner, and the batcher in front of it."""

    id: int
    name: str
    stage: str
    runner: Runner
    batcher: Batcher


@dataclass(frozen=True, slots=True)
class AnswerModel:
    """A model over other models' answers: its id in the ledger, and its runner.

    needs: name → revision in force of each model that it wants to hear.
    """

    id: int
    name: str
    stage: str
    runner: AnswerRunner
    needs: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Analysis:
    """The parts that a group works with. models, answering: by id in the ledger.

    at_once: bytes of objects that wait in memory to be decoded; a larger object is alone there.
    """

    store: ObjectStore
    ledger: ObjectLedger
    decoder: DecodePool
    inputs: InputCache
    models: Mapping[int, LoadedModel]
    several: Several
    max_bytes: int
    at_once: int = 128 * 2**20
    answering: Mapping[int, AnswerModel] = field(default_factory=dict)
    results: ResultLedger | None = None  # needed by `answering` alone

    def run(self, claims: Sequence[Claim]) -> tuple[list[StageResult], list[Failure]]:
        """One result or one failure for each claim, whatever happens to its neighbours."""
        here = self.models.keys() | self.answering.keys()
        failures = [_not_here(claim) for claim in claims if claim.model not in here]
        todo = [claim for claim in claims if claim.model in self.models]
        inputs, errors = self._inputs(todo)
        results, refused = self._judged([claim for claim in claims if claim.model in self.answering])
        failures += refused
        submitted, refused = self._submitted([claim for claim in todo if claim.subject in inputs], inputs)
        failures += refused
        for claims_of_model, ticket in submitted:
            for claim, outcome in zip(claims_of_model, ticket.results(), strict=True):
                if isinstance(outcome.value, NafudaError):
                    failures.append(_failure(claim, outcome.value))
                else:
                    answer = StageResult(
                        claim.subject, claim.model, claim.stage, outcome.value, outcome.millis, outcome.batch
                    )
                    results.append(answer)
        failures += [_failure(claim, errors[claim.subject]) for claim in todo if claim.subject in errors]
        return results, failures

    def _judged(self, claims: Sequence[Claim]) -> tuple[list[StageResult], list[Failure]]:
        """Models over other models' answers: one look into the ledger a model, no picture."""
        results: list[StageResult] = []
        failures: list[Failure] = []
        by_model: dict[int, list[Claim]] = defaultdict(list)
        for claim in claims:
            by_model[claim.model].append(claim)
        for number, wanted in by_model.items():
            assert self.results is not None
            model = self.answering[number]
            known = self.results.needed([claim.subject for claim in wanted], model.needs)
            begun = time.perf_counter()
            answers = judge_each(model.runner, [known.get(claim.subject, {}) for claim in wanted])
            millis = (time.perf_counter() - begun) * 1000 / len(wanted)
            for claim, answer in zip(wanted, answers, strict=True):
                if isinstance(answer, NafudaError):
                    failures.append(_failure(claim, answer))
                else:
                    results.append(StageResult(claim.subject, number, claim.stage, answer, millis, len(wanted)))
        return results, failures

    def _submitted(
        self, claims: Sequence[Claim], inputs: Mapping[int, Inputs]
    ) -> tuple[list[tuple[list[Claim], Ticket]], list[Failure]]:
        """Every model gets its images before the first answer is waited for; one that takes none fails alone (R42)."""
        by_model: dict[int, list[Claim]] = defaultdict(list)
        for claim in claims:
            by_model[claim.model].append(claim)
        submitted: list[tuple[list[Claim], Ticket]] = []
        came = time.monotonic()  # for all models the same: one whose ring is full must not lose its turn by that
        failures: list[Failure] = []
        for number, wanted in by_model.items():
            model = self.models[number]
            images = [inputs[claim.subject][model.runner.program] for claim in wanted]
            try:
                submitted.append((wanted, model.batcher.submit(images, since=came)))
            except NafudaError as error:
                failures += [_failure(claim, error) for claim in wanted]
        return submitted, failures

    def _inputs(self, claims: Sequence[Claim]) -> tuple[dict[int, Inputs], dict[int, NafudaError]]:
        """Inputs by image: kept since ingest, or fetched and decoded again, or the reason why there are none."""
        programs: dict[int, dict[InputProgram, None]] = defaultdict(dict)
        for claim in claims:
            programs[claim.subject][self.models[claim.model].runner.program] = None
        live = {claim.subject for claim in claims if claim.priority <= LIVE}
        inputs: dict[int, Inputs] = {}
        errors: dict[int, NafudaError] = {}
        missing: list[int] = []
        rows = {row.id: row for row in self.ledger.images(list(programs))}
        for image, wanted in programs.items():
            kept = self.inputs.take(rows[image].sha256) if image in rows else {}
            if all(program in kept for program in wanted):
                inputs[image] = kept
            else:
                missing.append(image)
        for portion in portions(self._stored(missing, rows, errors), self.at_once):
            decoding: dict[int, Future[DecodedImage]] = {}
            reading = [(image, self.several.begin(self._read, (rows[image], look))) for image, look in portion]
            for image, read in reading:
                try:
                    decoding[image] = self.decoder.submit(
                        read.result(), tuple(programs[image]), facts=False, later=image not in live
                    )
                except NafudaError as error:
                    errors[image] = error
            _collect(programs, decoding, inputs, errors)
        return inputs, errors

    def _stored(
        self, images: Sequence[int], rows: Mapping[int, ImageRow], errors: dict[int, NafudaError]
    ) -> Iterator[tuple[int, Look]]:
        looks = Looks(self.store, self.at_once, self.max_bytes)
        for image, look in zip(images, self.several.each(partial(_look, looks), map(rows.get, images)), strict=True):
            if isinstance(look, NafudaError):
                errors[image] = look
            else:
                yield image, look

    def _read(self, this: tuple[ImageRow, Look]) -> bytes:
        """The image's bytes: results belong to content, and the object may hold something else since ingest."""
        row, look = this
        content = self.store.read(look.head, self.max_bytes) if look.content is None else look.content
        if hashlib.sha256(content).hexdigest() != row.sha256:
            raise TransientError(f"{row.bucket}/{row.key} holds other bytes now; waiting for its event", code="gone")
        return content


def _look(looks: Looks, row: ImageRow | None) -> Look:
    if row is None:
        raise TransientError("no object holds this image any more; it is tried again if one does", code="gone")
    look = looks.look(row.bucket, row.key)
    if look is None:
        raise TransientError(f"{row.bucket}/{row.key} is gone; waiting for its event", code="gone")
    return look


def judge_each(runner: AnswerRunner, images: Sequence[Answers]) -> Sequence[ModelOutput | NafudaError]:
    """One answer or error for each image; a runner that raises is asked for halves, until the guilty stand alone."""
    try:
        return runner.judge(images)
    except NafudaError as error:
        found: NafudaError = error
    except Exception as error:  # noqa: BLE001  whatever a runtime raises is about these answers
        found = PermanentError(f"the model failed: {type(error).__name__}: {error}", code="bad-output")
    if len(images) == 1:
        return [found]
    middle = len(images) // 2
    return [*judge_each(runner, images[:middle]), *judge_each(runner, images[middle:])]


def _collect(
    programs: Mapping[int, Iterable[InputProgram]],
    decoding: Mapping[int, Future[DecodedImage]],
    inputs: dict[int, Inputs],
    errors: dict[int, NafudaError],
) -> None:
    """Wait for what is being decoded."""
    for image, future in decoding.items():
        try:
            pairs = zip(programs[image], future.result().inputs, strict=True)
            inputs[image] = {program: Prepared(pixels, shape) for program, (pixels, shape) in pairs}
        except NafudaError as error:
            errors[image] = error


def _failure(claim: Claim, error: NafudaError) -> Failure:
    permanent = isinstance(error, PermanentError)
    return Failure(claim.stage, claim.subject, claim.model, error.code, str(error), permanent, claim.attempts)


def _not_here(claim: Claim) -> Failure:
    """This worker does not run that model (yet): the work waits for one that does."""
    reason = f"no worker has model {claim.model} loaded; check NAFUDA_MODELS on the workers"
    return Failure(claim.stage, claim.subject, claim.model, "model-not-loaded", reason, False, claim.attempts)
