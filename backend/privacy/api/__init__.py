"""Who saw whom, what was disclosed, and emergency access."""
