"""How a run lives: alone, finished, held back, abandoned, and swept when it is old."""
