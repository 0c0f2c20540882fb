"""Reads answers with zeep, from the contract as it is shipped: every element is checked and parsed by its type.

The last number on standard input is one that nobody has: a fault that says so is its answer.
"""

import datetime
import sys

import session
import zeep
from zeep.helpers import serialize_object

version, wsdl, url = sys.argv[1:]
client = zeep.Client(wsdl, transport=zeep.Transport(session=session.new()))
namespace = f"http://serviceplatformen.dk/xml/wsdl/soap11/CPR/PersonBaseDataExtended/{version}/"
service = client.create_service(f"{{{namespace}}}PersonBaseDataExtendedBinding", url)
context = session.context(f"sf1520-{version}")


def dates(value):
    """Every date and moment in an answer."""
    if isinstance(value, dict):
        value = value.values()
    if isinstance(value, (datetime.date, datetime.datetime)):
        yield value
    elif not isinstance(value, (str, bytes)) and hasattr(value, "__iter__"):
        for part in value:
            yield from dates(part)


*numbers, nobody = sys.stdin.read().split()
for pnr in numbers:
    try:
        answer = service.PersonLookup(InvocationContext=context, PNR=pnr)
        person = serialize_object(answer)
        assert person["persondata"]["personnummer"] == pnr, "another person's answer"
        assert person["persondata"]["adressebeskyttelse"]["beskyttet"] is not None, "no adressebeskyttelse"
        assert person["persondata"]["tilmeldtDigitalpost"] is not None, "no tilmeldtDigitalpost"
        moments = [one for one in dates(person) if isinstance(one, datetime.datetime)]
        assert list(dates(person)), "no date"
        assert all(one.tzinfo for one in moments), "a moment without its offset"
    except Exception as error:
        print(f"{type(error).__name__} {error}")
try:
    service.PersonLookup(InvocationContext=context, PNR=nobody)
    print("a number that nobody has is answered")
except zeep.exceptions.Fault as fault:
    if "PNR not found" not in fault.message or fault.detail is None:
        print("another fault than that of a number that nobody has")
