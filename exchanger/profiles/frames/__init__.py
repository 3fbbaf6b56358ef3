"""What frames of profiles look like: columns, rules, types, slices."""
