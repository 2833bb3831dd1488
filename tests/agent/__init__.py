"""The agent: parsers by tables and properties, everything else on real sockets."""
