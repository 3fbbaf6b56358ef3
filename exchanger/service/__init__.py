"""The long-lived daemon: schedules, child processes, reload."""
