"""The assets, a module for each room; each body loads, calls one function of its room and returns."""
