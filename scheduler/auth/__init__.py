"""Know who may call: users with passwords, named tokens, and the scopes that both have."""
