"""The web pages: HTML for people, made of the same calls that the API makes; live parts use the API itself."""
