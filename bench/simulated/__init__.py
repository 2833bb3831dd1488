"""A cluster of which only etcd and the API server are real."""
