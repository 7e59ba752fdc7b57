"""Rules of single fields (R1, R4): what a person typed, in its canonical form or with what is wrong."""
