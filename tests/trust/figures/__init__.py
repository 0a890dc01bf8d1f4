"""Figures of trust: one module each, with `figures(every)`."""
