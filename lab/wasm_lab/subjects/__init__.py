"""What is timed: a workload in each engine and language, each probe a fresh process of its own."""
