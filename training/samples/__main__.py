"""The command line of the sample world: draw, train, evaluate."""

from __future__ import annotations

import argparse
from pathlib import Path

from training.samples import draw
from training.samples.shipped import PACKAGED
from training.samples.styles import STYLES


def parser() -> argparse.ArgumentParser:
    """The arguments of `python -m training.samples`."""
    root = argparse.ArgumentParser("python -m training.samples", description=__doc__)
    commands = root.add_subparsers(dest="command", required=True)
    one = commands.add_parser("draw", help="write drawings with their truth as JSON")
    one.add_argument("--out", type=Path, required=True)
    one.add_argument("--count", type=int, default=20)
    one.add_argument("--seed", type=int, default=0, help="seed of the first; the others follow")
    one.add_argument("--style", choices=sorted(STYLES))
    one.add_argument("--format", choices=("png", "jpg", "webp"), default="png")
    one.add_argument("--tags", action="store_true", help="write Danbooru-style .txt sidecars too")
    two = commands.add_parser("train", help="draw the training pictures, train and export both models (needs torch)")
    two.add_argument("--out", type=Path, required=True)
    two.add_argument("--seed", type=int, default=0)
    two.add_argument("--cache", type=Path, default=Path("/tmp/samples-cache"))
    two.add_argument("--minutes", type=float, default=40.0, help="time to train; the learning rate follows it")
    two.add_argument("--resume", type=Path, metavar="EYE_PT", help="go on from the weights of an earlier run")
    more = commands.add_parser("heads", help="train the other sample models on the shipped tagger's eye (needs torch)")
    more.add_argument("--out", type=Path, required=True)
    more.add_argument("--seed", type=int, default=0)
    more.add_argument("--cache", type=Path, default=Path("/tmp/samples-cache"))
    more.add_argument("--minutes", type=float, default=150.0, help="of all lessons; each gets its share")
    more.add_argument("lessons", nargs="*", help="captioner, encoder, rating, quality, brisque, aesthetic; else all")
    three = commands.add_parser("evaluate", help="measure exported models on drawings never trained on")
    three.add_argument("--models", type=Path, default=PACKAGED)
    three.add_argument("--most", type=int, default=10_000, help="at most so many drawings of each split")
    three.add_argument("--json", action="store_true")
    four = commands.add_parser("measure", help="measure the captioner, encoder, rating and quality models likewise")
    four.add_argument("--models", type=Path, default=PACKAGED)
    four.add_argument("--cache", type=Path, default=Path("/tmp/samples-cache"))
    four.add_argument("--most", type=int, default=1_000, help="at most so many drawings of each split")
    four.add_argument("--json", action="store_true")
    return root


def main(arguments: list[str] | None = None) -> None:
    """Run one command."""
    chosen = parser().parse_args(arguments)
    if chosen.command == "draw":
        chosen.out.mkdir(parents=True, exist_ok=True)
        for seed in range(chosen.seed, chosen.seed + chosen.count):
            draw(seed, style=chosen.style).save(chosen.out / f"sample-{seed:06d}.{chosen.format}", sidecar=chosen.tags)
    elif chosen.command == "train":
        # torch is an extra: only training needs it.
        from training.samples import train

        train.main(chosen.out, chosen.cache, chosen.seed, chosen.minutes, chosen.resume)
    elif chosen.command == "heads":
        from training.samples import heads

        heads.main(chosen.out, chosen.cache, chosen.seed, chosen.minutes, tuple(chosen.lessons))
    elif chosen.command == "measure":
        from training.samples import measure

        measure.run(chosen.models, chosen.cache, most=chosen.most, as_json=chosen.json)
    else:
        from training.samples import evaluate

        evaluate.run(chosen.models, as_json=chosen.json, most=chosen.most)


if __name__ == "__main__":
    main()
