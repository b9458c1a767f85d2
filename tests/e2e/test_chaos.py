"""Nothing is lost or doubled whatever process dies (R42, R72, R73, R74)."""

from pathlib import Path

from tests.e2e.chaos import Plan, run


def test_uploads_survive_random_kills_of_any_process(folder: Path) -> None:
    count = run(Plan(objects=200, kills=10), folder, pause=1.0)
    assert count.sound, count
    assert sum(count.killed.values()) == 10
