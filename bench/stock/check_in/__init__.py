"""Check-ins as REST framework's own tutorial leads to them: a complete small project.

ModelViewSet, ModelSerializer, TokenAuthentication, the ORM, gunicorn's sync workers, persistent
database connections. It does the same observable work as ours: who is asking, whose check-in it
is, every item validated, one row per id for ever, an audit row, the acute rules, the alert with
its outgoing messages, the row that asks for an assessment, the crisis lines in the answer. Rules
are the same pure functions, because what is compared is everything around them.
"""
