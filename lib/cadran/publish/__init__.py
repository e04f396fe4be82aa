"""How pages reach readers: the server, the shell page, the editor."""
