"""Where the deployer touches the world: the targets, and what carries a step out on them."""
