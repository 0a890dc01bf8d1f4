"""Figures for the tests of the runner: one that is sound, and one for each way to go wrong."""
