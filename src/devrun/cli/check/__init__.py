"""``devrun check``: whether a project can run, and what it would be; nothing is started."""
