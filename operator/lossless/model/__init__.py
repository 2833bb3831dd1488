"""The pure core: what is true, what is wanted, what follows.

Belongs here: frozen dataclasses, enums, tables and functions of their arguments alone.
Forbidden here: I/O, clocks, randomness, asyncio and every third-party import; the agent, which
runs in each of the user's pods, imports this package and pays for whatever it imports.
"""
