"""SQS: a queue of notices that the daemon listens to."""
