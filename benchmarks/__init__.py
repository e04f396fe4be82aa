"""Cadran side by side with named peers: the same data, the same computing, the same three charts."""
