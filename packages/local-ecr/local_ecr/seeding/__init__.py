"""Repositories and images by the hundred thousand, straight into the store: what pushes would have left, untold."""
