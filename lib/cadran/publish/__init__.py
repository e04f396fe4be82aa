"""How it reaches readers."""
