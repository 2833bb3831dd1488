"""What the image of the sample service holds."""
