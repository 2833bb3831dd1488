"""What the image of the proof's pods holds: three proxies, and an app for each protocol."""
