"""Load balancers outside the cluster, each before the same pods by every route there is.

Belongs here: what stands between clients and the cluster, and the table that ``python -m
e2e.balancers`` prints of it. To the pods a balancer is the client: it is the one that is told to
close, and its own clients notice nothing.
"""
