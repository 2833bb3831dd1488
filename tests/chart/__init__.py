"""What ``helm install`` would send, rendered by the real Helm; no cluster is asked."""
