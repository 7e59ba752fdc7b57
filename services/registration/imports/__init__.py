"""Imports: an officer uploads a CSV file, and a worker registers its rows.

The file is stored encrypted before the upload is answered. An import's id is a hash of its file, so a second upload of the
same file changes nothing. A registration that an import makes carries its origin (`<import>:<row>`): when a worker dies and
another one begins again at the last stored row, rows that were registered meanwhile find themselves instead of clashing.
"""
