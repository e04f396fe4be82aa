"""Reports that travel: what the pages show, as files that open with no network."""
