"""Status's HTTP side, one module a subject. Queries read the read model and nothing else."""
