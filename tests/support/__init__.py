"""What tests share: oracles, doubles of the outside, processes that are watched."""
