"""``devrun.toml`` and ``[tool.devrun]``: tables read, checked and made into services."""
