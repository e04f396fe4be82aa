"""What we count."""
