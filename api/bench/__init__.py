"""Benchmarks that ship with the product: what ``esl bench`` and ``make bench`` both measure."""
