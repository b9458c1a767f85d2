"""A model's raw answer as JSON: labels with their scores and boxes, nothing left out."""

from schemas.ledger import RawResult

Json = str | float | int | None | list["Json"] | dict[str, "Json"]


def told(result: RawResult) -> dict[str, Json]:
    """One model's answer, highest score first as stored; boxes are xyxy in original upright pixels."""
    output = result.output
    found: list[Json] = []
    for index in range(len(output.labels)):
        entry: dict[str, Json] = {
            "label": result.labels[index],
            "score": round(float(output.scores[index]), 6),
        }
        if output.boxes is not None:
            entry["box"] = [round(float(side), 2) for side in output.boxes[index]]
        if output.texts is not None:
            entry["text"] = output.texts[index]
        if output.figures is not None:
            entry["figure"] = round(float(output.figures[index]), 4)
        found.append(entry)
    return {
        "stage": result.stage,
        "model": result.model,
        "revision": result.revision,
        "millis": round(result.millis, 2),
        "at": result.at.isoformat(),
        "found": found,
    }
