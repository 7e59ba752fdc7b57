"""The training service: partners, their trainings, enrolments and attendance.

Owns the collections in documents.py: partners, api_keys, trainings, external_ids, enrolments, waiting, schedules, scans, and
the local view jakpreneurs. Publishes `training.partners.v1`, `training.trainings.v1` and `training.enrolments.v1`. Consumes
`registration.jakpreneurs.v1` into the local view.

Features from the lowest to the highest; each imports only those before it:

people       the local view of registration's Jakpreneurs
partners     institutions, their states, their API keys (R9)
seats        the seats and the waiting list of one training (R11)
trainings    announcing, changing, moving through their states, finding (R10)
enrolments   enrolling, cancelling, offers (R11)
completion   what becomes of each enrolment when its training ends (R12)
attendance   scans, and the verdicts that late scans change (R12)

Modules beside the features, which import none of them: documents, policy, actor, changes, refusals, api_types, settings,
telemetry. main wires everything.
"""
