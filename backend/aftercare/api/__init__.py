"""Routes of what care does: help, messages, trends, and a clinician's alerts."""
