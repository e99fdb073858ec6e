"""Repository creation templates: what one says, which one counts, and making a repository by it."""
