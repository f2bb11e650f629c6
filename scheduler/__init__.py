"""Schedule tasks: what, when and under which terms."""
