"""Outside formats become domain values here, strictly, and nowhere else."""
