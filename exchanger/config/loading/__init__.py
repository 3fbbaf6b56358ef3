"""From the text of a configuration to models, or everything that is wrong with it at once."""
