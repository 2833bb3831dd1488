"""How end-to-end stories share a cluster, and what is kept of them."""
