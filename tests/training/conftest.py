"""Tests that train need torch, comparisons the extra `compare`; only `make test-training` installs them."""

from importlib.util import find_spec
from pathlib import Path

COMPARISONS = sorted(path.name for path in Path(__file__).parent.glob("test_against_*.py"))

collect_ignore = [] if find_spec("torch") else ["test_training.py", "test_heads.py"]
collect_ignore += [] if find_spec("torchvision") else COMPARISONS
