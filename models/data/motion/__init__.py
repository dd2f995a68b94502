"""Made human motion: bodies, actions, cameras, and what sensors see of them."""
