"""What the builder touches outside its database: the workspaces in which builds run."""
