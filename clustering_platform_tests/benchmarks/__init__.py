"""Benchmarks: ours beside a baseline, in the same run. `make bench` prints them; nothing here is a test."""
