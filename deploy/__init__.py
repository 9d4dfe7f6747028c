"""How Windlass is set up, shipped and documented: nothing here runs in a service."""
