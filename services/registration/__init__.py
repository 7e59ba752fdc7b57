"""The registration service: people, their businesses and all personal data.

Owns jakpreneurs, identities, imports and the audit log (see documents.py). Publishes `registration.jakpreneurs.v1`. Consumes
nothing. A NIK, name, phone number or address is stored in this service's database, encrypted, and in no other.

Features, from the lowest to the highest; each may import only those before it:

1. `reference`: the published lists of areas, commodity groups, dinas, categories, KBLI and district codes.
2. `fields`: the rules of single fields, NIK (R1) and business identifiers (R4).
3. `audit`: the log of who saw personal data, and why.
4. `people`: registering, verifying, listing and revealing people (R2, R3, R5, R8).
5. `imports`: an officer's file becomes registrations.
"""
