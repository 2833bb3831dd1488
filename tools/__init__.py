"""What makes files of this repository out of others of it; tests hold that they are in step."""
