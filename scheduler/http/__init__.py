"""HTTP in, HTTP out: the only part that knows Flask."""
