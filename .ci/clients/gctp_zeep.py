"""Asks the GCTP services with zeep: the message is text within the request, and text comes back. usage: NAME WSDL URL

Standard input has one personnummer a line; the last is one that nobody has.
"""

import sys
import xml.etree.ElementTree as ElementTree

import session
import zeep

wsdl, url = sys.argv[1:]
client = zeep.Client(wsdl, transport=zeep.Transport(session=session.new()))
service = client.create_service("{http://serviceplatformen.dk/xml/wsdl/soap11/CprService/2/}CprBinding", url)
MESSAGE = (
    '<Gctp v="1.0"><System r="CprSoeg"><Service r="{0}"><CprServiceHeader r="{0}"><Key><Field r="PNR" v="{1}"/></Key>'
    "</CprServiceHeader></Service></System></Gctp>"
)


def receipt(name, pnr):
    """`Kvit` of the answer, `Ok` or a number, and the persons in it."""
    text = service.callGCTPCheckService(InvocationContext=session.context(name), gctpMessage=MESSAGE.format(name, pnr))
    root = ElementTree.fromstring(text)
    fields = [field.get("v") for field in root.iter() if field.tag.endswith("Field") and field.get("r") == "PNR"]
    kvit = next(element for element in root.iter() if element.tag.endswith("Kvit"))
    return "Ok" if kvit.get("r") == "Ok" else kvit.get("v"), fields


*numbers, nobody = sys.stdin.read().split()
for name in ("Stam+", "Familie+", "Navne3", "Adresse4"):
    for pnr in numbers:
        try:
            code, fields = receipt(name, pnr)
            assert code == "Ok", f"{name}: Kvit {code}"
            # The other two tell fields of the person, and not of whom.
            assert pnr in fields or name in ("Navne3", "Adresse4"), f"{name}: another person's answer"
        except Exception as error:
            print(f"{type(error).__name__} {error}")
    for pnr, wanted in ((nobody, "172"), ("12", "52")):
        code, _ = receipt(name, pnr)
        if code != wanted:
            print(f"{name}: Kvit {code}, and not {wanted}")
