"""Reserved for the generation queue; nothing is in it yet."""
