"""The training service: partners, their trainings, enrolments and attendance.

Owns partners, api_keys, trainings, enrolments and what hangs on them. Publishes `training.partners.v1`,
`training.trainings.v1` and `training.enrolments.v1`. Consumes `registration.jakpreneurs.v1` into a local view of people.
"""
