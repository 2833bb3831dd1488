"""The load client: what it counts must be right before anything it says can be believed."""
