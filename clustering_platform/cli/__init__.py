"""The command line: `clustering ...`.

Commands check what they are given, call the rooms below and print; what they print of results comes from the catalog.
"""
