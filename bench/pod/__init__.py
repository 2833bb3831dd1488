"""A pod of its own network namespace, with the agent in it and connections to count."""
