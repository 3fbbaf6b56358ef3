"""Benchmarks: how fast exchanger is, as ratios that one run on one machine yields."""
