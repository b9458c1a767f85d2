"""Candidates: every tag that anybody said, before rules decide which of them hold."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from schemas.merging import Beside, Edit, Rules, Said
from schemas.pipeline import TAGGING
from schemas.record import DroppedTag, Tag
from schemas.vocabulary import implied


@dataclass(frozen=True, slots=True)
class Choice:
    """Tags that hold so far, by name, and those that were dropped on the way with the reason."""

    tags: Mapping[str, Tag]
    dropped: tuple[DroppedTag, ...] = ()


def from_models(said: Iterable[Said], rules: Rules, *, category: str | None = None) -> list[Tag]:
    """Labels of models at or above their thresholds, aliases applied; the most confident source of each wins.

    A sample is not heard where a real model can speak; a real tagger of general tags takes its place in every category,
    as `models use` does, though it may have no word for some (WD taggers have no meta tags). Ratings and places of
    detectors are read elsewhere.
    """
    best: dict[str, Tag] = {}
    taggers = [(rules.models[each.model], each) for each in said if rules.models[each.model].stage == TAGGING]
    real = {label.category for model, _ in taggers if not model.sample for label in model.labels}
    for model, answer in taggers:
        for index, score in zip(answer.output.labels.tolist(), answer.output.scores.tolist(), strict=True):
            label = model.labels[index]
            if label.category == "rating" or category not in (None, label.category):
                continue
            if model.sample and real.intersection((label.category, "general")):
                continue
            if not rules.holds(model, label, score):
                continue
            name = rules.vocabulary.aliases.get(label.name, label.name)
            tag = Tag(name, label.category, round(score, 4), model.name)
            if name not in best or _surer(tag) < _surer(best[name]):
                best[name] = tag
    return list(best.values())


def _surer(tag: Tag) -> tuple[float, str, str]:
    """Orders what models said of one tag; of equals the model whose name comes first, whatever came first."""
    return -(tag.confidence or 0.0), tag.source, tag.category


def from_beside(beside: Iterable[Beside], rules: Rules, categories: Mapping[str, str]) -> list[Tag]:
    """Tags that came along with the objects (R79), aliases applied; they hold unless a person says otherwise."""
    tags = {}
    for source in beside:
        for said in source.tags:
            name = rules.vocabulary.aliases.get(said, said)
            tags[name] = Tag(name, categories.get(name, "general"), None, "sidecar")
    return list(tags.values())


def choose(
    models: Sequence[Tag],
    beside: Sequence[Tag],
    edits: Sequence[Edit],
    rules: Rules,
    categories: Mapping[str, str] | None = None,
) -> Choice:
    """Who outranks whom: a person over a sidecar over models (R73); then what cannot be together (R15).

    edits: the latest word on each tag, oldest first: after an alias two of them may speak of one tag.
    categories: of implied tags, by name; one that is not there has its cause's.
    """
    tags = {tag.name: tag for tag in models}
    for tag in beside:
        tags[tag.name] = replace(tag, confidence=tags[tag.name].confidence if tag.name in tags else None)
    words = {rules.vocabulary.aliases.get(edit.tag, edit.tag): edit for edit in edits}
    dropped = []
    for name, edit in sorted(words.items()):
        known = tags.get(name)
        if edit.action == "add":
            tags[name] = Tag(name, edit.category, known.confidence if known else None, "human", edit.person)
        elif edit.action == "remove" and known is not None:
            del tags[name]
            dropped.append(_drop(known, "removed-by-person", f"{edit.person} removed it"))
    removed = frozenset(name for name, edit in words.items() if edit.action == "remove")
    kept, contradicted = without_contradictions(tags, rules, removed)
    return Choice(_closure(kept, rules, removed, categories or {}).tags, (*dropped, *contradicted))


def _drop(tag: Tag, reason: str, detail: str) -> DroppedTag:
    return DroppedTag(tag.name, tag.category, tag.confidence, tag.source, reason, detail)


_Rank = tuple[int, float, str]


def _rank(tag: Tag) -> _Rank:
    """People before sidecars before models, then by confidence; the name breaks ties the same way every time."""
    order = {"human": 2, "sidecar": 1}.get(tag.source, 0)
    return order, tag.confidence or 0.0, tag.name


def without_contradictions(
    tags: Mapping[str, Tag], rules: Rules, removed: frozenset[str] = frozenset()
) -> tuple[dict[str, Tag], tuple[DroppedTag, ...]]:
    """Of each set of tags that exclude each other the strongest stays; what a person said always stays.

    An implied tag is as strong as the strongest that implies it, and what implies a loser goes with it.
    """
    kept = dict(tags)
    dropped = []
    held = _closure(kept, rules, removed)
    for group in rules.vocabulary.exclusive:
        rivals = sorted((name for name in group if name in held.tags), key=lambda name: held.ranks[name], reverse=True)
        losers = {
            name: rival
            for rival in rivals[1:]
            for name in sorted(kept)
            if kept[name].source != "human"
            and name != rivals[0]
            and rival in (name, *implied(name, rules.vocabulary.implications))
        }
        for name, rival in losers.items():
            detail = f"an image that is {rivals[0]} cannot be {rival}"
            dropped.append(_drop(kept.pop(name), "contradiction", detail))
        if losers:
            held = _closure(kept, rules, removed)
    return kept, tuple(dropped)


@dataclass(frozen=True, slots=True)
class _Closure:
    """Tags with everything that they imply, and how strong each of them is."""

    tags: Mapping[str, Tag]
    ranks: Mapping[str, _Rank]


def _closure(
    tags: Mapping[str, Tag], rules: Rules, removed: frozenset[str], categories: Mapping[str, str] | None = None
) -> _Closure:
    """Add what the tags imply, transitively (R17), the strongest first, so that an implied tag names its best cause.

    A tag that a person removed does not come back this way.
    """
    held, ranks = dict(tags), dict[str, _Rank]()
    for root in sorted(tags.values(), key=_rank, reverse=True):
        todo = [root]
        while todo:
            cause = todo.pop()
            if cause.name in ranks:
                continue
            ranks[cause.name] = _rank(root)
            for name in rules.vocabulary.implications.get(cause.name, ()):
                if name in removed:
                    continue
                if name not in held:
                    category = (categories or {}).get(name, cause.category)
                    held[name] = Tag(name, category, root.confidence, f"implied by {cause.name}")
                todo.append(held[name])
    return _Closure(held, ranks)
