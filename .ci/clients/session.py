"""How the clients in Python reach the host: over TLS with a certificate, with the context of the system that it is of."""

import os

import requests

CERTIFICATE = (os.environ["HOST_CERT"], os.environ["HOST_KEY"])
SERVICES = {
    "sf1520-4": "e6be2436-bf35-4df2-83fe-925142825dc2", "sf1520-5": "4925d7a0-1b5b-11ec-bdc6-b312b83236d4",
    "sf6002": "9cdccc2f-3243-11e2-8fef-d4bed98c5934", "Stam+": "7baec3a5-26a5-4922-80fd-37f3bad3dfcb",
    "Familie+": "a34cf599-26e4-4609-bfbd-2490d3d1c3ab", "Navne3": "e3f26293-803e-4b8f-8a15-674a4f8abaad",
    "Adresse4": "b7e5ee9c-1acd-41e6-b117-08a11dee6862",
}


def new():
    """A session with the certificate; no proxy and no authority of the environment."""
    session = requests.Session()
    session.trust_env = False
    session.verify, session.cert = os.environ["HOST_CA"], CERTIFICATE
    return session


def context(service):
    """The `InvocationContext` for a service."""
    return {
        "ServiceAgreementUUID": os.environ["HOST_AGREEMENT"], "UserSystemUUID": os.environ["HOST_SYSTEM"],
        "UserUUID": os.environ["HOST_USER"], "ServiceUUID": SERVICES[service],
    }
