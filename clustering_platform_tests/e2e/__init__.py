"""Tests that start real processes and look at what a user would see."""
