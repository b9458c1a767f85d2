"""What the benchmarks reckon; what they measure is not asserted."""
