"""What `make bench` runs: figures of the product beside their floor and their peers, in the same run."""
