"""What the product costs, as tables; nothing here is a test."""
