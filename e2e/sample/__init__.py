"""The service that is rolled out in the demo and in the tests: nginx in front of a Python app.

``image/`` is what its image holds; ``manifests`` are its Kubernetes objects, in variants.
"""
