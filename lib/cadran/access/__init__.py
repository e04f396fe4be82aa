"""Who may read the published pages: accounts, passwords, sessions."""
