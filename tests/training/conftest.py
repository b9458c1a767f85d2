"""Tests that train need torch, which only `make test-training` installs."""

from importlib.util import find_spec

collect_ignore = [] if find_spec("torch") else ["test_training.py", "test_heads.py"]
