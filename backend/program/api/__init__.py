"""The routes of the treatment a patient attends."""
