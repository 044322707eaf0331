"""Routes for what a phone sends: none of them loses a cry for help."""
