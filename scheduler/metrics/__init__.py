"""Count what happens in all processes of a machine, for monitors."""
