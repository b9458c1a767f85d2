"""Figures of several search servers side by side."""

from benchmarks.search import Line, Report, beside


def report(server: str, *lines: Line) -> Report:
    return Report(server, 10, 1, 0.5, 1.0, {}, lines)


def test_only_what_was_measured_on_all_servers_is_compared() -> None:
    one = report(
        "PostgreSQL", Line("hits", 9, 1.0, 2.0, 3.0, 4.0), Line("broad two tags (3): hits", 3, 1.0, 2.0, 3.0, 4.0)
    )
    other = report("OpenSearch", Line("hits", 9, 5.04, 6.06, 7.0, 8.0))
    assert beside([one, other]) == [
        "| milliseconds, p50 / p95 | PostgreSQL | OpenSearch |",
        "|---|---|---|",
        "| hits | 1.0 / 2.0 | 5.0 / 6.1 |",
    ]
