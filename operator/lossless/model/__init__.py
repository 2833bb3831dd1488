"""The pure core: what is true, what is wanted, what follows.

Belongs here: frozen dataclasses, enums, tables and functions of their arguments alone. The modules
of this folder are the contract: names, the spec, the report, the status. ``drain`` decides about
one pod, ``rollout`` about one workload.
Forbidden here: I/O, clocks, randomness, asyncio and every third-party import; the agent, which
runs in each of the user's pods, imports this package and pays for whatever it imports.
"""
