"""Speed of the running product: ``make bench`` or ``python -m benchmarks --help``."""
