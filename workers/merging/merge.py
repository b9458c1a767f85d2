"""From everything that is known about one image to its record: pure and the same every time (R73, R42)."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace

from schemas.merging import MergeInput, RegisteredModel, Rules, Said, Unfinished
from schemas.pipeline import CAPTIONING, DETECTION, READING, TAGGING
from schemas.ratings import UNKNOWN
from schemas.record import Caption, Detection, Reading, Record, Score, StageState, Status, Tag, Visibility
from workers.characters.from_tags import character_of
from workers.merging.alt_text import alt_text
from workers.merging.candidates import choose, from_beside, from_models
from workers.merging.scores import derived, ladder, quality_class

_COUNTED = "person"
_OF_A_CAPTION = "clip_score"
_ORDER = {"copyright": 0, "character": 1, "artist": 2, "general": 3, "meta": 4}


def merge(known: MergeInput, rules: Rules) -> Record:
    """The record as models, sidecars and people make it; flags and visibility are put in by moderation."""
    said = tuple(answer for answer in known.said if answer.model in rules.models)
    categories = _categories(rules)
    beside = from_beside(known.beside, rules, categories)
    choice = choose(from_models(said, rules), beside, known.edits, rules, categories)
    tags = tuple(sorted(choice.tags.values(), key=_tag_order))
    detections = _detections(said, rules)
    rating, confidence = _rating(said, rules)
    people = _people(said, detections, choice.tags, rules)
    captions = _captions(said, rules)
    scores = derived(_scores(said, rules), tags, rules.scoring)
    percentile = _percentile(scores, rules)
    return replace(
        _unsaid(known, rules),
        tags=tags,
        dropped=choice.dropped,
        detections=detections,
        rating=rating,
        rating_confidence=confidence,
        people=people,
        character=character_of(tags, people),
        captions=captions,
        alt_text=alt_text(captions, tags),
        scores=scores,
        ladder=ladder(percentile),
        quality=quality_class(percentile, rules.scoring.cuts),
        readings=_readings(said, rules),
        stages=_stages(said, known.unfinished, rules),
        samples_only=bool(said) and all(rules.models[answer.model].sample for answer in said),
    )


def _unsaid(known: MergeInput, rules: Rules) -> Record:
    """What holds of an image before anything was said of it, and the versions that it is judged by."""
    image = known.image
    return Record(
        id=known.record,
        image=image.id,
        sha256=image.sha256,
        collection=known.collection,
        revision=known.revision,
        status=_status(known),
        visibility=Visibility.SHOWN,
        format=image.format,
        width=image.width,
        height=image.height,
        bytes=image.bytes,
        created_at=known.created_at,
        places=known.places,
        colours=image.colours,
        notes=image.notes,
        vocabulary=rules.vocabulary.version,
        thresholds=rules.thresholds.version,
        calibration=rules.scoring.version,
        plan=known.plan,
    )


def _categories(rules: Rules) -> dict[str, str]:
    """Categories of tags by name, as taggers know them, real ones best; a detector's labels and ratings are no tags."""
    taggers = sorted(
        (each for each in rules.models.values() if each.stage == TAGGING), key=lambda each: not each.sample
    )
    labels = [label for model in taggers for label in model.labels]
    return {label.name: label.category for label in labels if label.category != "rating"}


def _tag_order(tag: Tag) -> tuple[int, float, str]:
    return _ORDER.get(tag.category, 9), -(tag.confidence if tag.confidence is not None else 2.0), tag.name


def _status(known: MergeInput) -> Status:
    """Judged by the plan at ingest, so a model that was added later makes nothing incomplete."""
    done = {answer.model for answer in known.said}
    if all(model in done for model in known.models):
        return Status.COMPLETE
    failed = any(work.state != "pending" for work in known.unfinished)
    return Status.PARTIAL if failed or any(model in done for model in known.models) else Status.PENDING


def _detections(said: Iterable[Said], rules: Rules) -> tuple[Detection, ...]:
    found = []
    detectors = [each for each in said if rules.models[each.model].stage == DETECTION]
    models = [rules.models[each.model] for each in detectors]
    real = {label.name for model in models if not model.sample for label in model.labels}
    for model, answer in zip(models, detectors, strict=True):
        output = answer.output
        if output.boxes is None:
            continue
        for index, score, box in zip(
            output.labels.tolist(), output.scores.tolist(), output.boxes.tolist(), strict=True
        ):
            label = model.labels[index]
            if model.sample and label.name in real:
                continue
            if rules.holds(model, label, score):
                x0, y0, x1, y1 = (round(value, 1) for value in box)
                found.append(Detection(label.name, (x0, y0, x1, y1), round(score, 4), model.name))
    return tuple(sorted(found, key=lambda each: (-each.confidence, each.label, each.box, each.source)))


def _heard(answers: Iterable[Said], rules: Rules) -> Sequence[Said]:
    """Of answers to one question: the samples' only where no real model has spoken."""
    every = list(answers)
    return [each for each in every if not rules.models[each.model].sample] or every


def _rating(said: Iterable[Said], rules: Rules) -> tuple[str | None, float | None]:
    """The most probable rating of the model that is surest (read by arg max); none where its word means none (R51)."""
    raters = [each for each in said if any(label.category == "rating" for label in rules.models[each.model].labels)]
    found = []
    for answer in _heard(raters, rules):
        labels = rules.models[answer.model].labels
        for index, score in zip(answer.output.labels.tolist(), answer.output.scores.tolist(), strict=True):
            if labels[index].category == "rating":
                found.append((-score, labels[index].name))
    if not found:
        return None, None
    score, name = min(found)
    return (None, None) if name == UNKNOWN else (name, round(-score, 4))


def _captions(said: Iterable[Said], rules: Rules) -> tuple[Caption, ...]:
    """Every captioner's sentence by the captioner's name, the newest revision first."""
    found = []
    for answer in _heard(_captioners(said, rules), rules):
        name = rules.models[answer.model].name
        found.append((name, -answer.model, Caption((answer.output.texts or ("",))[0], name)))
    return tuple(each[-1] for each in sorted(found, key=lambda each: each[:2]))


def _captioners(said: Iterable[Said], rules: Rules) -> list[Said]:
    return [each for each in said if rules.models[each.model].stage == CAPTIONING and each.output.texts]


def _scores(said: Iterable[Said], rules: Rules) -> tuple[Score, ...]:
    """One figure a kind: real models before samples, then by name, the newest revision first.

    What a sample says of how well the caption fits, it says of a sample's: it leaves the record with that.
    """
    told = any(not rules.models[each.model].sample for each in _captioners(said, rules))
    found = []
    for answer in said:
        model, figures = rules.models[answer.model], answer.output.figures
        if figures is None:
            continue
        for index, value in zip(answer.output.labels.tolist(), figures.tolist(), strict=True):
            score = Score(model.labels[index].name, round(value, 4), model.name)
            if not (told and model.sample and score.kind == _OF_A_CAPTION):
                found.append((model.sample, model.name, -answer.model, score))
    chosen: dict[str, Score] = {}
    for *_, score in sorted(found, key=lambda each: each[:3]):
        chosen.setdefault(score.kind, score)
    return tuple(chosen.values())


def _percentile(scores: Iterable[Score], rules: Rules) -> float | None:
    whole = next((score.value for score in scores if score.kind == "commercial"), None)
    return None if whole is None else rules.scoring.calibration.percentile(whole)


def _readings(said: Iterable[Said], rules: Rules) -> tuple[Reading, ...]:
    """Words that were read, from top to bottom and left to right."""
    found = []
    readers = [each for each in said if rules.models[each.model].stage == READING]
    for answer in _heard(readers, rules):
        model, output = rules.models[answer.model], answer.output
        if output.boxes is None or output.texts is None:
            continue
        for index, score, box, text in zip(
            output.labels.tolist(), output.scores.tolist(), output.boxes.tolist(), output.texts, strict=True
        ):
            if rules.holds(model, model.labels[index], score):
                x0, y0, x1, y1 = (round(value, 1) for value in box)
                found.append(Reading(text, (x0, y0, x1, y1), round(score, 4), model.name))
    return tuple(sorted(found, key=lambda each: (each.box[1], each.box[0], each.text, each.source)))


def _people(said: Iterable[Said], detections: Iterable[Detection], tags: Mapping[str, Tag], rules: Rules) -> int | None:
    """How many people there are: boxes of a model that can see people; else none known, unless a tag says zero."""
    sees = [rules.models[answer.model].name for answer in said if _sees_people(rules.models[answer.model], answer)]
    if sees:
        counts = [sum(1 for each in detections if each.label == _COUNTED and each.source == name) for name in sees]
        return max(counts)
    return 0 if "no_humans" in tags else None


def _sees_people(model: RegisteredModel, answer: Said) -> bool:
    return answer.output.boxes is not None and any(label.name == _COUNTED for label in model.labels)


def _stages(said: Iterable[Said], unfinished: Iterable[Unfinished], rules: Rules) -> tuple[StageState, ...]:
    states = {}
    for answer in said:
        model = rules.models[answer.model]
        states[answer.model] = StageState(model.stage, model.name, "done", round(answer.millis, 2), answer.batch)
    for work in unfinished:
        model_name = rules.models[work.model].name if work.model in rules.models else ""
        states[work.model] = StageState(work.stage, model_name, work.state, reason=work.reason, attempts=work.attempts)
    ordered = sorted(states.items(), key=lambda each: (each[1].stage, each[1].model, each[0]))
    return tuple(state for _, state in ordered)
