"""Global-to-local progressive fine-tuning: recipes, stages, and the trainer of one stage."""
