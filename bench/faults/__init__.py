"""The fault bench: what is promised, while everything it rests on is being broken."""
