"""Tests of the object stores and of the folder watcher."""
