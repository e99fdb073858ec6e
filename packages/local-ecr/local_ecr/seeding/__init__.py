"""Fill a store with repositories and images, 100,000 of either in seconds, as pushes would have left them."""
