"""Figures of Housecall beside floors in the same run: `make bench`, `make bench ONLY=relay`, `QUICK=1 make bench`."""
