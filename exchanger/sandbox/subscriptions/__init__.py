"""Who wants what: subscription groups, and the state of e-mail addresses."""
