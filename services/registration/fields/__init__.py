"""The rules of single fields (R1, R4): a text that a person typed becomes its stored form, or field errors.

The field errors of each rule stand at the top of its module, with their codes and their texts in both languages.
"""
