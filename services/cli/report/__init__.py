"""What `windlass validate` found, as people read it, as JSON, and as SARIF for code scanning."""
