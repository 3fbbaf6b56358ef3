"""What the daemon lets others know: heartbeats, events, what needs a person."""
