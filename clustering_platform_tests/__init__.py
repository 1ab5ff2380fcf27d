"""Tests of Clustering Platform, in the rooms of the package they test."""
