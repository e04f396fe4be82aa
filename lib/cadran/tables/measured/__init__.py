"""What a measure returns."""
