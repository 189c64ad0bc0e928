"""Teacher-forced evaluation: each decision on the reference's history."""
