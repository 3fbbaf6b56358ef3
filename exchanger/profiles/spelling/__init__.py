"""How values are spelt: canonical JSON, times, data points, signs that nobody sees."""
