"""``lossless nginx-check`` and ``nginx-snippet``, held against a real nginx where there is one."""
