"""What the image of the proof's pods holds: the proxies, and an app for each protocol."""
