"""What is put into a pod, by tables and properties."""
