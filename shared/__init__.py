"""What two services must agree on: events, the bus, durable work, the database, time. Knows no service."""
