"""The queue: on SQLite by its operations, on PostgreSQL beside its peers."""
