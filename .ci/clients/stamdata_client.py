"""Reads answers with PyPI's `service-person-stamdata-udvidet`. Only its transport is replaced: it names the hosts of the platform."""

import sys

import requests
from service_person_stamdata_udvidet import udvidet_person_stam_data_lokal as client

version, _, url = sys.argv[1:]
uuids = dict.fromkeys(("service_agreement", "user_system", "user", "service"), "00000000-0000-0000-0000-000000000000")
client.http_post = lambda endpoint, soap_envelope, certificate: requests.post(url=url, data=soap_envelope)
for pnr in sys.stdin.read().split():
    try:
        citizen = client.get_citizen(uuids, "none.pem", pnr, api_version=int(version))
        assert citizen["personnummer"] == pnr, "another person's answer"
        assert "beskyttet" in citizen["adressebeskyttelse"], "no adressebeskyttelse"
        assert citizen["tilmeldtDigitalpost"] in ("true", "false"), "no tilmeldtDigitalpost"
        if "statsborgerskab" in citizen:
            citizen["statsborgerskab"]["statsborgerskabDato"]["dato"]
        if citizen["udrejst"] != (citizen["status"]["status"] == "80"):
            print("emigrated, and told otherwise")
    except Exception as error:
        print(f"{type(error).__name__} {error}")
