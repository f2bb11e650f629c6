"""Tests of what can run, with real processes."""
