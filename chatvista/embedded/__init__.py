"""The one-machine stack: PostgreSQL, Valkey and an S3 server from wheels, and the supervisor of `make run`.

Nothing here imports Django or reads settings: `manage.py` needs these rooms before settings can load.
"""
