"""Event streams: for now the bus, which carries messages between the processes of a studio."""
