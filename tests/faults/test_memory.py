"""Where no process can be put into a memory cgroup, the fault is left out, and the reason is said (R77)."""

from pathlib import Path

from tests.faults.memory import missing


def test_a_machine_without_memory_cgroups_says_so(tmp_path: Path) -> None:
    said = missing(tmp_path / "nothing")
    assert "no memory cgroup can be made" in said and str(tmp_path) in said and "root" in said
