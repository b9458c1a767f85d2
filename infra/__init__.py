"""Where things live: one adapter per outside system behind a port of `schemas`, settings and telemetry."""
