"""Where rows come from, and how they are held to the tables' rules."""
