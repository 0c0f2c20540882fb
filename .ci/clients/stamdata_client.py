"""Reads answers with PyPI's `service-person-stamdata-udvidet`. Only its transport is replaced: it names the hosts of the platform.

The last number on standard input is one that nobody has.
"""

import sys

import session
from service_person_stamdata_udvidet import udvidet_person_stam_data_lokal as client

version, _, url = sys.argv[1:]
context = session.context(f"sf1520-{version}")
uuids = {
    "service_agreement": context["ServiceAgreementUUID"], "user_system": context["UserSystemUUID"], "user": context["UserUUID"],
    "service": context["ServiceUUID"],
}
platform = session.new()
client.http_post = lambda endpoint, soap_envelope, certificate: platform.post(url=url, data=soap_envelope)
*numbers, nobody = sys.stdin.read().split()
for pnr in numbers:
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
try:
    client.get_citizen(uuids, "none.pem", nobody, api_version=int(version))
    print("a number that nobody has is answered")
except Exception as error:
    if "PNR not found" not in getattr(getattr(error, "response", None), "text", ""):
        print("another fault than that of a number that nobody has")
