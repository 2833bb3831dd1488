"""A load client that never retries: it counts every request and says how each failure looked.

Belongs here: HTTP/1.1 as the client sees it, connections, counting. Standard library only, and
nothing of Kubernetes: the client runs in a network namespace outside the cluster.
"""
