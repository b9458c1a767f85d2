"""Runners that write sentences: generators, which run their graph once a word."""
