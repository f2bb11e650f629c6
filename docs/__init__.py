"""The pages, and what keeps them true: `python -m docs` brings them up to date, the tests see that they are."""
