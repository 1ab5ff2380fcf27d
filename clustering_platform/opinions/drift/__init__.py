"""What changes from day to day: which group goes on as which, who moves, what shifts, how polarized the days are.

Arrays and tables of published days in, the tables of ``tables.drift`` out. What a single day says belongs in the
package above. The formulas stand in ``docs/drift.md``.
"""
