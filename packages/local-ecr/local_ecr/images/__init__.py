"""What an image is and what may happen to it; both faces call this and nothing else to push or delete."""
