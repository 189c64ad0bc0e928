"""Static evaluation: decision points, teacher-forced predictions, the paper's metrics with intervals."""
