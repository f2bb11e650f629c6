"""Tests of what the kernel enforces, against the real kernel."""
