"""What we infer."""
