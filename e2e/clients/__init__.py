"""Programs that send requests as other people's programs do: default settings, unchanged libraries.

What a library retries by itself is its own business and part of the claim that no client is
changed; no program here ever sends a request again. Each counts a request as failed when the
library raised, the status was not 2xx, or the answer was not the echo of what was sent.

All are driven alike, by environment variables (``order``), run until their standard input ends
or ``SECONDS`` have passed, and print a line of JSON every second and one at the end (``report``).
``catalogue`` names them, and ``toolchain`` builds them.
"""
