"""Field rules of registration (R1, R3-R6): pure functions over one person's form, no I/O and no clock.

Each module owns one group of fields and answers with `Finding`s; what to do about them is decided by the caller
(a finding among the errors refuses a form, one among the warnings goes along with it).
The only file ever read is the packaged list of kelurahan, once, in `areas`.
"""
