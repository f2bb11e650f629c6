"""Tests of the place in which a run happens."""
