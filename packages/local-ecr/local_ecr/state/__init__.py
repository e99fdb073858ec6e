"""What the registries hold: rows in SQLite, bits in a content store, one transaction per acknowledged change."""
