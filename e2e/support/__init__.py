"""What the demo and the end-to-end tests share: a world to act in, acts, and expectations.

``given`` builds a world, ``when`` acts on it, ``then`` says what must hold; tests and the demo
read as sentences of these. Nothing here decides what the product should do.
"""
