"""Run documents, acknowledgements, quarantine, first deliveries, the index of finished runs."""
