"""Follows and unfollows with zeep by the ten operations of SF6002's shipped contract. usage: NAME WSDL URL PNR CODES

With CODES, those are the change codes that must be followed already, and nothing else is asked.
"""

import sys

import session
import zeep

wsdl, url, pnr, *codes = sys.argv[1:]
client = zeep.Client(wsdl, settings=zeep.Settings(strict=False), transport=zeep.Transport(session=session.new()))
namespace = "http://serviceplatformen.dk/xml/wsdl/soap11/CprSubscriptionService/1/"
service = client.create_service(f"{{{namespace}}}CprSubscriptionWebServiceBinding", url)
context = session.context("sf6002")


def ask(operation, **parameter):
    return getattr(service, operation)(InvocationContext=context, **parameter)


def check(wanted, operation, **parameter):
    answer = ask(operation, **parameter)
    if answer != wanted:
        print(f"{operation}: {answer}, and not {wanted}")


if codes:
    followed = ask("GetAllFilters").ChangeCode
    if sorted(followed) != sorted(codes):
        print(f"{len(followed)} change codes are followed, and {len(codes)} were answered")
    sys.exit()
ages = {"StartAge": 0, "EndAge": 17}
of_kind = [
    ("PNRSubscription", {"PNR": pnr}, "NON_EXISTING_PNR"), ("AgeRangeSubscription", {"AgeRange": ages}, "NON_EXISTING_AGE_RANGE"),
    ("MunicipalityCodeSubscription", {"MunicipalityCode": 101}, "NON_EXISTING_MUNICIPALITY_CODE"),
    ("ChangeCodeSubscription", {"ChangeCode": "A01"}, "NON_EXISTING_CHANGE_CODE"),
]
for operation, parameter, not_there in of_kind:
    check("ADDED", f"Add{operation}", **parameter)
    check("ALREADY_EXISTED", f"Add{operation}", **parameter)
filters = ask("GetAllFilters")
found = (
    [(of.StartAge, of.EndAge) for of in filters.AgeRange], filters.ChangeCode, [int(code) for code in filters.MunicipalityCode], filters.PNR
)
if found != ([(0, 17)], ["A01"], [101], [pnr]):
    print("GetAllFilters tells other filters than were added")
for operation, parameter, not_there in of_kind:
    check("REMOVED", f"Remove{operation}", **parameter)
    check(not_there, f"Remove{operation}", **parameter)
check("NON_EXISTING_PNR", "AddPNRSubscription", PNR="6101801234")
check("ADDED", "AddMunicipalityCodeSubscription", MunicipalityCode=101)
check("REMOVED", "RemoveAll", FilterGroup="MunicipalityCode")
filters = ask("GetAllFilters")
if any([filters.AgeRange, filters.ChangeCode, filters.MunicipalityCode, filters.PNR]):
    print("something is followed still")
