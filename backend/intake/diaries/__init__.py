"""Diaries from elsewhere, one row a person a day, as patients and their check-ins."""
