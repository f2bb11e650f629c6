"""Answer the REST paths below /api: the same calls, rules and errors as the actions have, under other names."""
