"""``python -m e2e.proof``: the matrix of clients, protocols and proxies, plain and lossless."""
