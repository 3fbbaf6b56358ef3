"""From columns of a file to typed rows: rules, identifiers, types told from cells."""
