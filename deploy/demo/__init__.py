"""`make demo`: Windlass's main job on this machine, end to end, and observed from outside.

Real git repositories, a real `windlass up`, signed webhooks over HTTP, and five acts. What is claimed
to have happened was seen in HTTP answers of the deployed applications and of the API. It is a user of
Windlass like any other: nothing here reads the database or calls a service.
"""
