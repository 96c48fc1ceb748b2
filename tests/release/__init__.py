"""Makes a release: wheel, source, a bill of materials, and the sums of all three."""
