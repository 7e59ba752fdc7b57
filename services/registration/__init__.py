"""The registration service: people, their businesses and all personal data.

Owns jakpreneurs, identities, imports and the audit log. Publishes `registration.jakpreneurs.v1`. Consumes nothing yet.
A NIK, name, phone or address is in this service's database, encrypted, and nowhere else.
"""
