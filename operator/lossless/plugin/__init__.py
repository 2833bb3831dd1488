"""``kubectl lossless``: what a person at a terminal sees of rollouts, and may do to them.

One module per verb does the I/O; what it shows is made by pure modules (``tree``, ``explanation``,
``findings_text``, ``history_table``, ``pages``), from state to text; what is found comes from
``lossless.checks``.
Everything comes from the API server with the rights of whoever types; no pod is reached directly.
"""
