"""Labels of boxes: readable, inside the picture, never one over another."""

from hypothesis import given
from hypothesis import strategies as st

from schemas.record import Detection
from web.boxes import labelled, overlaps

NEAR = st.floats(0, 200)
BOXES = st.lists(st.tuples(NEAR, NEAR), min_size=1, max_size=12)


@given(BOXES)
def test_no_label_covers_another_and_none_leaves_the_picture_sideways(corners: list[tuple[float, float]]) -> None:
    found = [Detection("person", (x, y, x + 300, y + 300), 0.9, "model") for x, y in corners]
    made = labelled(found, 640, 640)
    plates = [one.plate for one in made]
    assert not any(overlaps(a, b) for place, a in enumerate(plates) for b in plates[:place])
    assert all(left >= 0 and top >= 0 and left + wide <= 640 for left, top, wide, _ in plates)
    assert [one.box for one in made] == [(x, y, (x + 300) - x, (y + 300) - y) for x, y in corners]


def test_a_label_stands_on_its_box() -> None:
    (one,) = labelled([Detection("traffic_light", (100.0, 200.0, 150.0, 300.0), 0.971, "model")], 900, 900)
    assert one.text == "traffic light .97"
    assert one.plate[0] == 100.0 and one.plate[1] + one.plate[3] == 200.0
