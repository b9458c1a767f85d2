"""What the outside may see of us: structured logs and Prometheus metrics."""
