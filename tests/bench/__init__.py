"""Benchmarks: figures as JSON, each with its ratio to the straightforward way in the same run."""
