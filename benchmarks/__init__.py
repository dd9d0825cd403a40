"""Speed and accuracy: ``make bench`` or ``python -m benchmarks --help``."""
