"""Plan, sampling, statistics: how a number is made that holds. Knows no runtime by name."""
