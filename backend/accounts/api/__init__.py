"""Accounts over HTTP: signing in, phones, passwords, and running an organisation."""
