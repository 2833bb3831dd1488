"""What the image of the proof's pods holds: three proxies, and apps for each protocol."""
