"""The trust figures (trust.md section 6): each module has `figures(every)`, printed by `make trust`."""
