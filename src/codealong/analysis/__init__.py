"""What measurements say: reports, statistics, verdicts."""
