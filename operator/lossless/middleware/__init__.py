"""Close frames from the application itself: for Python apps without a proxy in front.

Belongs here: one module per interface (``asgi``, ``wsgi``, ``aiohttp``), each imported by its own
name, and the status file that all of them look at.
Forbidden here: every third-party import, except aiohttp in the module named after it, and every
other part of Lossless but its names: this runs in the user's process.
"""
