#!/usr/bin/env python3
"""Asks a running host under a SAML token: a token service and a client of our own, with PyPI's lxml and cryptography.

usage: saml.py CPR_HOST, with a Python that has lxml and cryptography; CPR_HOST is a build with the feature `saml`
       saml.py seeds FOLDER, writes messages of a moment in 2026, and the certificate of their token service

Messages are signed as the two families of clients do it (an assertion in the default namespace or with a prefix, the transform of the
token in both forms, SOAP 1.1 and 1.2), with what XML may be spelled like in a signed header. Each answer must relate to its message, bear
framework and timestamp, and be verified by xmlsec1; a changed answer must not be. Then each thing that is wrong with a message must be
refused, by the check that is meant, which the host's own metrics tell; a message that was answered must be refused behind a kill (-9).
Exit status 0 when it is so.
"""

import base64
import datetime
import hashlib
import http.client
import re
import shutil
import signal
import ssl
import subprocess
import sys
import tempfile
import uuid
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from cryptography.x509.oid import NameOID
from lxml import etree

from host import Host

DS = "http://www.w3.org/2000/09/xmldsig#"
EXC = "http://www.w3.org/2001/10/xml-exc-c14n#"
ENVELOPED = DS + "enveloped-signature"
RSA_SHA256 = "http://www.w3.org/2001/04/xmldsig-more#rsa-sha256"
RSA_SHA1 = DS + "rsa-sha1"
SHA256 = "http://www.w3.org/2001/04/xmlenc#sha256"
SHA1 = DS + "sha1"
SAML = "urn:oasis:names:tc:SAML:2.0:assertion"
WSA = "http://www.w3.org/2005/08/addressing"
SBF = "urn:liberty:sb:2006-08"
WSS = "http://docs.oasis-open.org/wss/2004/01/oasis-200401-wss-"
WSSE, WSU = WSS + "wssecurity-secext-1.0.xsd", WSS + "wssecurity-utility-1.0.xsd"
STR_TRANSFORM = WSS + "soap-message-security-1.0#STR-Transform"
SAML_ID = "http://docs.oasis-open.org/wss/oasis-wss-saml-token-profile-1.1#SAMLID"
SOAP = {"1.1": "http://schemas.xmlsoap.org/soap/envelope/", "1.2": "http://www.w3.org/2003/05/soap-envelope"}
SERVICE = "http://www.kombit.dk/2017/01/01/"
PATH = "/service/PersonStamoplysningerSamlingHentService/2"
AUDIENCE = "http://cpr.example.test/service/persondatasamlethent/1"
ISSUER = "https://saml.example.test/runtime"
PRIVILEGE = "http://cpr.example.test/roles/lookup/1"
CVR = "11111111"
ATTRIBUTE = "dk:gov:saml:attribute:"
HOLDER_OF_KEY = "urn:oasis:names:tc:SAML:2.0:cm:holder-of-key"
SIGNED_ANSWER = ["Action", "MessageID", "RelatesTo", "To", "Framework", "Timestamp", "BinarySecurityToken", "Body"]

# What XML may be spelled like, in a header that is signed.
SPELLINGS = [
    "plain", "æøå Ω 漢 🙂", "&amp;&lt;&gt;&quot;&apos;&#xD;&#xA;&#9;", "<![CDATA[<a>&amp;]]> and ]] >", "a\r\nb\rc\n",
    "<b xmlns='urn:b' z='1' a='2' B='3'/>", "<p:b xmlns:p='urn:p' xmlns:q='urn:q' q:z='1' p:z='2' a=\"it's\"/>",
    "<b xmlns='urn:b'><c xmlns=''><d xmlns='urn:b'/></c></b>", "<p:b xmlns:p='urn:p'><p:c xmlns:p='urn:q'/><p:d/></p:b>",
    "<p:b xmlns:p='urn:p' xmlns:unused='urn:u'><c xmlns:p='urn:p' p:a='1'/></p:b>", "<b a='&lt;&amp;&quot;&gt;&#9;&#10;&#13;'   c  =  'd'  ></b  >",
    "<b xml:lang='da' xml:space='preserve'> a <c/> b </b>", "<b><c><d><e><f>deep</f></e></d></c></b>",
]


class Identity:
    """An RSA key with a certificate of its own."""

    def __init__(self, name):
        self.key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
        subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
        now = datetime.datetime.now(datetime.timezone.utc)
        builder = x509.CertificateBuilder(subject, subject, self.key.public_key(), x509.random_serial_number(),
                                          now - datetime.timedelta(days=1), now + datetime.timedelta(days=1))
        self.certificate = builder.sign(self.key, hashes.SHA256())
        self.der = self.certificate.public_bytes(serialization.Encoding.DER)

    def write(self, folder, name):
        (folder / f"{name}.pem").write_bytes(self.certificate.public_bytes(serialization.Encoding.PEM))
        key = self.key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
        (folder / f"{name}.key").write_bytes(key)
        (folder / f"{name}.key").chmod(0o600)

    def fingerprint(self):
        return hashlib.sha256(self.der).hexdigest()

    def sign(self, data, algorithm):
        digest = hashes.SHA1() if algorithm == RSA_SHA1 else hashes.SHA256()
        return base64.b64encode(self.key.sign(data, padding.PKCS1v15(), digest)).decode()


def canonical(element, prefixes=()):
    return etree.tostring(element, method="c14n", exclusive=True, with_comments=False, inclusive_ns_prefixes=list(prefixes) or None)


def digest(data, algorithm=SHA256):
    return base64.b64encode((hashlib.sha1 if algorithm == SHA1 else hashlib.sha256)(data).digest()).decode()


def instant(seconds=0, fixed=[]):
    """A moment so many seconds from now, or from the one that was fixed."""
    at = (fixed or [datetime.datetime.now(datetime.timezone.utc)])[0] + datetime.timedelta(seconds=seconds)
    return at.strftime("%Y-%m-%dT%H:%M:%S.%f")[:-3] + "Z"


def exclusive(name, prefixes):
    kept = f"<ec:InclusiveNamespaces xmlns:ec='{EXC}' PrefixList='{' '.join(prefixes)}'/>" if prefixes else ""
    return f"<ds:{name} Algorithm='{EXC}'>{kept}</ds:{name}>"


def reference(uri, transforms, value, digest_method):
    return (f"<ds:Reference URI='#{uri}'><ds:Transforms>{transforms}</ds:Transforms><ds:DigestMethod Algorithm='{digest_method}'/>"
            f"<ds:DigestValue>{value}</ds:DigestValue></ds:Reference>\n")


def signature(references, key_info, signer, method):
    signed_info = (f"<ds:SignedInfo xmlns:ds='{DS}'>{exclusive('CanonicalizationMethod', [])}<ds:SignatureMethod Algorithm='{method}'/>\n"
                   f"{references}</ds:SignedInfo>")
    value = signer.sign(canonical(etree.fromstring(signed_info)), method)
    value = re.sub("(.{76})", r"\1\n", value)
    return f"<ds:Signature xmlns:ds='{DS}'>{signed_info}<ds:SignatureValue>{value}</ds:SignatureValue>{key_info}</ds:Signature>"


class Message:
    """A message that is to be made; keywords change what is right about it."""

    def __init__(self, service, holder, number, **change):
        self.service, self.holder, self.number = service, holder, number
        self.style, self.form, self.soap, self.prefixes = "prefixed", "plain", "1.2", []
        self.issuer, self.audience, self.method = ISSUER, AUDIENCE, HOLDER_OF_KEY
        self.not_before, self.not_on_or_after, self.made = -60, 8 * 3600, 0
        self.cvr, self.privilege, self.assurance = CVR, PRIVILEGE, "3"
        self.signer, self.algorithm, self.digest = holder, RSA_SHA256, SHA256
        self.id, self.framework, self.unsigned, self.extra = f"urn:uuid:{uuid.uuid4()}", True, (), ""
        for name, value in change.items():
            assert hasattr(self, name), name
            setattr(self, name, value)

    def assertion(self):
        """Signed, in the style of a token service."""
        s = "" if self.style == "default" else "saml2:"
        declared = f"xmlns='{SAML}'" if self.style == "default" else f"xmlns:saml2='{SAML}'"
        privileges = (f"<bpp:PrivilegeList xmlns:bpp='http://itst.dk/oiosaml/basic_privilege_profile'><PrivilegeGroup "
                      f"Scope='urn:dk:gov:saml:cvrNumberIdentifier:{self.cvr}'><Privilege>{self.privilege}</Privilege></PrivilegeGroup>"
                      f"</bpp:PrivilegeList>")
        attributes = {"SpecVer": "DK-SAML-2.0", "KombitSpecVer": "1.0", "AssuranceLevel": self.assurance, "CvrNumberIdentifier": self.cvr,
                      "Privileges_intermediate": base64.b64encode(privileges.encode()).decode()}
        values = "".join(f"<{s}Attribute Name='{ATTRIBUTE}{name}' NameFormat='urn:oasis:names:tc:SAML:2.0:attrname-format:basic'>"
                         f"<{s}AttributeValue>{value}</{s}AttributeValue></{s}Attribute>" for name, value in attributes.items())
        identifier = f"_{uuid.uuid4()}"
        certificate = base64.b64encode(self.holder.der).decode()
        text = (f"<{s}Assertion {declared} Version='2.0' ID='{identifier}' IssueInstant='{instant()}'><{s}Issuer>{self.issuer}</{s}Issuer>"
                f"@SIGNATURE@<{s}Subject><{s}NameID>client</{s}NameID><{s}SubjectConfirmation Method='{self.method}'>"
                f"<{s}SubjectConfirmationData xmlns:a='http://www.w3.org/2001/XMLSchema-instance' a:type='KeyInfoConfirmationDataType' "
                f"Recipient='{self.audience}'><KeyInfo xmlns='{DS}'><X509Data><X509Certificate>{certificate}</X509Certificate></X509Data>"
                f"</KeyInfo></{s}SubjectConfirmationData></{s}SubjectConfirmation></{s}Subject>"
                f"<{s}Conditions NotBefore='{instant(self.not_before)}' NotOnOrAfter='{instant(self.not_on_or_after)}'>"
                f"<{s}AudienceRestriction><{s}Audience>{self.audience}</{s}Audience></{s}AudienceRestriction></{s}Conditions>"
                f"<{s}AttributeStatement>{values}</{s}AttributeStatement></{s}Assertion>")
        # A token service keeps prefixes of its own: it does not know those of the message.
        prefixes = ["saml2", "xs"] if self.prefixes else []
        value = digest(canonical(etree.fromstring(text.replace("@SIGNATURE@", "")), prefixes), self.digest)
        transforms = f"<ds:Transform Algorithm='{ENVELOPED}'/>" + exclusive("Transform", prefixes)
        service = base64.b64encode(self.service.der).decode()
        own_key = f"<ds:KeyInfo><ds:X509Data><ds:X509Certificate>{service}</ds:X509Certificate></ds:X509Data></ds:KeyInfo>"
        made = signature(reference(identifier, transforms, value, self.digest), own_key, self.service, self.algorithm)
        return identifier, text.replace("@SIGNATURE@", made)

    def text(self):
        identifier, assertion = self.assertion()
        token = (f"<o:KeyIdentifier ValueType='{SAML_ID}'>{identifier}</o:KeyIdentifier></o:SecurityTokenReference>")
        framework = (f"<sbf:Framework xmlns:sbf='{SBF}' xmlns:sbfprofile='urn:liberty:sb:profile' version='2.0' "
                     f"sbfprofile:profile='urn:liberty:sb:profile:basic' u:Id='framework'/>")
        request = (f"<PersonStamoplysningerSamlingHent_I xmlns='{SERVICE}'>"
                   f"<k:HovedOplysninger xmlns:k='http://kombit.dk/xml/schemas/kontekst/2017/01/01/'>"
                   f"<k:TransaktionsId>æ1</k:TransaktionsId><k:TransaktionsTid>2026-01-08T12:00:00Z</k:TransaktionsTid></k:HovedOplysninger>"
                   f"<Personnummer>urn:oio:cpr-nr:{self.number}</Personnummer><NavnMarkering>AktuelMedHistorik</NavnMarkering>"
                   f"</PersonStamoplysningerSamlingHent_I>")
        text = (f"<s:Envelope xmlns:s='{SOAP[self.soap]}' xmlns:a='{WSA}' xmlns:u='{WSU}'><s:Header>\n"
                f"<a:Action s:mustUnderstand='1' u:Id='action'>http://kombit.dk/ask</a:Action>"
                f"<a:MessageID u:Id='message-id'>{self.id}</a:MessageID>\n<a:To u:Id='to'>https://cpr.example.test/</a:To>"
                f"<a:ReplyTo u:Id='reply-to'><a:Address>{WSA}/anonymous</a:Address>{self.extra}</a:ReplyTo>"
                f"{framework if self.framework else ''}<o:Security s:mustUnderstand='1' xmlns:o='{WSSE}'>\n<u:Timestamp u:Id='timestamp'>"
                f"<u:Created>{instant(self.made)}</u:Created><u:Expires>{instant(self.made + 300)}</u:Expires></u:Timestamp>{assertion}"
                f"<o:SecurityTokenReference u:Id='token'>{token}\n@SIGNATURE@</o:Security></s:Header>"
                f"<s:Body u:Id='body'>{request}</s:Body></s:Envelope>")
        document = etree.fromstring(text.replace("@SIGNATURE@", "").encode())
        parts = ["action", "message-id", "to", "reply-to", "timestamp", "body"] + ["framework"] * self.framework
        references = ""
        for part in parts:
            [element] = document.xpath(f"//*[@u:Id='{part}']", namespaces={"u": WSU})
            if part not in self.unsigned:
                value = digest(canonical(element, self.prefixes), self.digest)
                references += reference(part, exclusive("Transform", self.prefixes), value, self.digest)
        digested = canonical(document.find(f".//{{{SAML}}}Assertion"))
        if self.form == "empty default" and b" xmlns=" not in digested.split(b">")[0]:
            digested = re.sub(rb"^(<[^ >]+)", rb'\1 xmlns=""', digested)
        transform = (f"<ds:Transform Algorithm='{STR_TRANSFORM}'><o:TransformationParameters xmlns:o='{WSSE}'>"
                     f"{exclusive('CanonicalizationMethod', [])}</o:TransformationParameters></ds:Transform>")
        references += reference("token", transform, digest(digested, self.digest), self.digest)
        made = signature(references, f"<ds:KeyInfo><o:SecurityTokenReference>{token}</ds:KeyInfo>", self.signer, self.algorithm)
        return text.replace("@SIGNATURE@", made)


class Service:
    """The host, asked over TLS; what it says of a call is read off its metrics."""

    def __init__(self, host):
        self.host = host
        self.tls = ssl.create_default_context(cafile=host.folder / "authority.pem")
        self.tls.load_cert_chain(host.folder / "school.pem", host.folder / "school.key")
        self.problems = 0

    def ask(self, text):
        connection = http.client.HTTPSConnection("localhost", self.host.port, context=self.tls, timeout=20)
        try:
            connection.request("POST", PATH, text.encode(), {"Content-Type": "application/soap+xml; charset=utf-8"})
            answer = connection.getresponse()
            return answer.status, answer.read()
        except (BrokenPipeError, ConnectionResetError, ssl.SSLEOFError):
            return 413, b""
        finally:
            connection.close()

    def outcomes(self):
        text = self.host.metrics()
        bodies = int(re.search(r"^cpr_host_bodies_refused_total (\d+)", text, re.M)[1])
        found = re.findall(r'cpr_host_calls_total\{[^}]*outcome="([^"]*)"\} (\d+)', text)
        counts = {"no body": bodies}
        for outcome, count in found:
            counts[outcome] = counts.get(outcome, 0) + int(count)
        return counts

    def check(self, what, holds, why=""):
        print(f"{what}: {'in order' if holds else 'NOT SO ' + why}", flush=True)
        self.problems += not holds

    def refused(self, what, text, outcome):
        before = self.outcomes()
        status, body = self.ask(text)
        after = self.outcomes()
        grown = [name for name in after if after[name] != before.get(name, 0)]
        told = outcome == "no body" or b"SECURITY_TOKEN_NOT_VALID" in body or b"NO_SERVICE_AGREEMENT" in body
        # SF1525 says in an answer, and so in a signed one, that a caller has no agreement.
        is_refusal = status != 200 or b"kontekst:Fejl>" in body
        self.check(f"refused: {what}", is_refusal and told and grown == [outcome] and b"<Personnummer" not in body,
                   f"{status}, outcomes {grown}, expected {outcome}")


def verified(answer, certificate, folder):
    """Whether xmlsec1 verifies an answer with the certificate of the service alone."""
    path = folder / "answer.xml"
    path.write_bytes(answer)
    namespaces = {"Framework": SBF, "Timestamp": WSU, "BinarySecurityToken": WSSE}
    root = etree.fromstring(answer)
    ids = []
    for name in SIGNED_ANSWER:
        namespace = root.tag[1:].split("}")[0] if name == "Body" else namespaces.get(name, WSA)
        ids += ["--id-attr:Id", f"{namespace}:{name}"]
    command = ["xmlsec1", "--verify", "--pubkey-cert-pem", str(certificate), "--enabled-reference-uris", "same-doc", *ids, str(path)]
    return subprocess.run(command, capture_output=True).returncode == 0


def judge(service, what, message, folder):
    """An answer relates to its message, is signed whole, and is an answer."""
    status, body = service.ask(message.text())
    if status != 200:
        service.check(what, False, f"{status} {service.outcomes()}")
        return
    root = etree.fromstring(body)
    header = root[0]
    found = {etree.QName(element).localname: element for element in header}
    signed = {element.get("URI") for element in root.iter(f"{{{DS}}}Reference")}
    ids = {"#" + element.get(f"{{{WSU}}}Id") for element in root.iter() if element.get(f"{{{WSU}}}Id")}
    created = root.findtext(f".//{{{WSU}}}Created")
    service.check(what, all([
        found["RelatesTo"].text == message.id, found["Action"].text == "http://kombit.dk/askResponse", found["Framework"].get("version") == "2.0",
        abs(datetime.datetime.fromisoformat(created) - datetime.datetime.now(datetime.timezone.utc)) < datetime.timedelta(seconds=60),
        signed == ids and len(ids) == len(SIGNED_ANSWER), etree.QName(root).namespace == SOAP[message.soap],
        root[1][0].tag == f"{{{SERVICE}}}PersonStamoplysningerSamlingHent_O", "æ1".encode() in body, message.number.encode() in body,
    ]), "the answer is not what it should be")
    certificate = folder / "service.pem"
    service.check(f"{what}, by xmlsec1", verified(body, certificate, folder), "the answer is not verified")
    for old, new in [("æ1", "æ2"), (message.id, message.id[:-1] + "g"), ("2.0\"", "2.1\"")]:
        changed = body.replace(old.encode(), new.encode(), 1)
        service.check(f"{what}, with a changed answer", changed != body and not verified(changed, certificate, folder), "a changed answer is verified")


def refusals(service, make, others):
    """Everything that is wrong with a message by itself."""
    first = make().text()
    body = re.search("<s:Body.*</s:Body>", first, re.S)[0]
    number = make().number
    forged = first.replace(f"cpr-nr:{number}", "cpr-nr:6101801234")
    assert forged != first
    service.refused("a changed body", forged, "token_digest")
    service.refused("an expired assertion", make(not_on_or_after=-1).text(), "token_expired")
    service.refused("an early assertion", make(not_before=120).text(), "token_early")
    service.refused("another audience", make(audience="http://other.example.test").text(), "token_audience")
    service.refused("another issuer", make(issuer="https://other.example.test").text(), "token_issuer")
    service.refused("a foreign token service", make(service=others["token service"]).text(), "token_issuer_signature")
    service.refused("another key than the holder's", make(signer=others["holder"]).text(), "token_signature")
    service.refused("a holder that is no system here", make(holder=others["holder"], signer=others["holder"]).text(), "denied_token")
    service.refused("another authority", make(cvr="22222222").text(), "denied_system")
    service.refused("no privilege", make(privilege="http://other.example.test").text(), "token_privilege")
    service.refused("a bearer token", make(method="urn:oasis:names:tc:SAML:2.0:cm:bearer").text(), "token_confirmation")
    service.refused("no framework", make(framework=False).text(), "token_missing")
    service.refused("a framework that is not signed", make(unsigned=("framework",)).text(), "token_not_signed")
    service.refused("a body that is not signed", make(unsigned=("body",)).text(), "token_not_signed")
    service.refused("a timestamp that is not signed", make(unsigned=("timestamp",)).text(), "token_not_signed")
    service.refused("a message of ten minutes ago", make(made=-600).text(), "token_stale")
    service.refused("a message of the future", make(made=400).text(), "token_stale")
    service.refused("SHA-1", make(algorithm=RSA_SHA1, digest=SHA1).text(), "token_issuer_signature")
    service.refused("digests of SHA-1", make(digest=SHA1).text(), "token_algorithm")
    service.refused("a comment in an identifier", first.replace(f":{number}", f":{number[:4]}<!-- -->{number[4:]}"), "token_comment")
    service.refused("a header of ten megabytes", first.replace("</s:Header>", f"<w xmlns='urn:w'>{'x' * (10 << 20)}</w></s:Header>"), "no body")
    moved = forged.replace("</s:Header>", f"<w xmlns='urn:w'>{body}</w></s:Header>")
    service.refused("a body moved into a header", moved.replace("<s:Body u:Id='body'>", "<s:Body>"), "token_repeated")
    service.refused("an id twice", first.replace("</s:Header>", "<w xmlns='urn:w' u:Id='body'/></s:Header>"), "token_unreadable")
    second = "<u:Timestamp><u:Created>2026-01-01T00:00:00Z</u:Created></u:Timestamp>"
    service.refused("a second timestamp", first.replace("</o:Security>", second + "</o:Security>"), "token_repeated")
    swapped = re.sub("(u:Id='token'><o:KeyIdentifier[^>]*>)[^<]*", r"\1_other", first)
    service.refused("a swapped token reference", swapped, "token_other")
    assertion = re.search("<saml2:Assertion.*</saml2:Assertion>", first, re.S)[0]
    signed = re.search("<ds:Signature.*?</ds:Signature>", assertion, re.S)[0]
    evil = re.sub("ID='[^']*'", "ID='_evil'", assertion.replace(signed, ""), count=1)
    shapes = {
        "before the signed one": evil + assertion, "behind the signed one": assertion + evil,
        "around the signed one": evil.replace("</saml2:Issuer>", "</saml2:Issuer>" + assertion),
        "with the signed one in an object": evil.replace(
            "</saml2:Issuer>",
            "</saml2:Issuer>" + signed.replace("</ds:Signature>", f"<ds:Object>{assertion.replace(signed, '')}</ds:Object></ds:Signature>")),
    }
    for shape, text in shapes.items():
        service.refused(f"a forged assertion {shape}", first.replace(assertion, text), "token_repeated")
    service.refused("a document type", "<!DOCTYPE a>" + first, "token_unreadable")
    request = re.search("<PersonStam.*_I>", first, re.S)[0]
    service.refused("a message without a token", f"<s:Envelope xmlns:s='{SOAP['1.2']}'><s:Body>{request}</s:Body></s:Envelope>", "token_missing")


def seeds(folder):
    """Messages for whoever has no token service."""
    instant.__defaults__[1].append(datetime.datetime(2026, 1, 8, 12, tzinfo=datetime.timezone.utc))
    token_service, holder = Identity("token service"), Identity("school")
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "token-service.der").write_bytes(token_service.der)
    styles = {"prefixed": {}, "default": {"style": "default", "form": "empty default", "soap": "1.1"},
              "kept": {"form": "empty default", "prefixes": ["s", "xs"], "extra": "<a:ReferenceParameters>a&#xD;\n<b c='d'/></a:ReferenceParameters>"}}
    for name, change in styles.items():
        (folder / f"{name}.xml").write_text(Message(token_service, holder, "6101801234", **change).text(), encoding="utf-8")


def main():
    if sys.argv[1] == "seeds":
        return seeds(Path(sys.argv[2]))
    [command] = (Path(argument).resolve() for argument in sys.argv[1:])
    if not shutil.which("xmlsec1"):
        print("xmlsec1: not installed")
        return 1
    with tempfile.TemporaryDirectory() as scratch:
        scratch = Path(scratch)
        host = Host.of_demo(command, scratch / "host", 200)
        [number] = set(re.findall(r"urn:oio:cpr-nr:(\d{10})", "".join(path.read_text() for path in (host.folder / "requests").iterdir())))
        token_service, holder = Identity("token service"), Identity("school")
        others = {"token service": Identity("token service"), "holder": Identity("clinic")}
        Identity("service").write(host.folder, "service")
        token_service.write(host.folder, "token-service")
        settings = (f'\n[saml]\naudience = "{AUDIENCE}"\nissuer = "{ISSUER}"\nissuer_certificates = "token-service.pem"\n'
                    f'privilege = "{PRIVILEGE}"\ncertificate = "service.pem"\nkey = "service.key"\nseen = "seen"\n')
        change = [('key = "access.key"\n', 'key = "access.key"\n' + settings), ('certificates = ["', f'certificates = ["{holder.fingerprint()}", "')]
        host.run(change)
        service = Service(host)

        def make(**changed):
            return Message(changed.pop("service", token_service), changed.pop("holder", holder), number, **changed)

        for style in ("prefixed", "default"):
            for form in ("plain", "empty default"):
                for soap in ("1.1", "1.2"):
                    judge(service, f"{style} assertion, {form} transform, SOAP {soap}", make(style=style, form=form, soap=soap), host.folder)
        judge(service, "prefixes that are kept", make(prefixes=["s", "u", "xs"]), host.folder)
        for at, spelling in enumerate(SPELLINGS):
            status, _ = service.ask(make(extra=f"<a:ReferenceParameters>{spelling}</a:ReferenceParameters>").text())
            service.check(f"spelling {at}", status == 200, f"{status} {spelling!r}")
        refusals(service, make, others)
        again = make().text()
        status, _ = service.ask(again)
        service.check("a message", status == 200, str(status))
        service.refused("the same message again", again, "token_replayed")
        host.stop(signal.SIGKILL)
        host.run(change)
        service.refused("the same message behind a kill", again, "token_replayed")
        status, _ = service.ask(make().text())
        service.check("another message behind a kill", status == 200, str(status))
        host.stop()
        log = Path(host.log.name).read_text(encoding="utf-8")
        service.check("no number in the journal", number not in log and "6101801234" not in log)
    return 1 if service.problems else 0


if __name__ == "__main__":
    sys.exit(main())
