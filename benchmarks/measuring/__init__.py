"""What several benchmarks share: peers in processes of their own, images to move, and figures beside their targets."""
