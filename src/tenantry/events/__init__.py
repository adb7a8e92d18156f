"""Reserved for event streams; nothing is in it yet."""
