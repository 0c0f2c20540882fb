//! The names of the binding: namespaces, algorithms, and the words of the assertion that count.

pub(crate) const SAML: &str = "urn:oasis:names:tc:SAML:2.0:assertion";
pub(crate) const DS: &str = "http://www.w3.org/2000/09/xmldsig#";
pub(crate) const WSA: &str = "http://www.w3.org/2005/08/addressing";
pub(crate) const WSSE: &str = "http://docs.oasis-open.org/wss/2004/01/oasis-200401-wss-wssecurity-secext-1.0.xsd";
pub(crate) const WSU: &str = "http://docs.oasis-open.org/wss/2004/01/oasis-200401-wss-wssecurity-utility-1.0.xsd";
/// `sbf:Framework`.
pub(crate) const LIBERTY: &str = "urn:liberty:sb:2006-08";
pub(crate) const LIBERTY_PROFILE: &str = "urn:liberty:sb:profile";
pub(crate) const BASIC_PROFILE: &str = "urn:liberty:sb:profile:basic";
pub(crate) const PRIVILEGES: &str = "http://itst.dk/oiosaml/basic_privilege_profile";

pub(crate) const EXC_C14N: &str = "http://www.w3.org/2001/10/xml-exc-c14n#";
pub(crate) const ENVELOPED: &str = "http://www.w3.org/2000/09/xmldsig#enveloped-signature";
pub(crate) const STR_TRANSFORM: &str =
    "http://docs.oasis-open.org/wss/2004/01/oasis-200401-wss-soap-message-security-1.0#STR-Transform";
pub(crate) const RSA_SHA256: &str = "http://www.w3.org/2001/04/xmldsig-more#rsa-sha256";
pub(crate) const SHA256: &str = "http://www.w3.org/2001/04/xmlenc#sha256";

/// How a key identifier says that it is the id of a SAML 2.0 assertion.
pub(crate) const SAML_ID: &str = "http://docs.oasis-open.org/wss/oasis-wss-saml-token-profile-1.1#SAMLID";
pub(crate) const X509_TOKEN: &str =
    "http://docs.oasis-open.org/wss/2004/01/oasis-200401-wss-x509-token-profile-1.0#X509v3";
pub(crate) const BASE64: &str =
    "http://docs.oasis-open.org/wss/2004/01/oasis-200401-wss-soap-message-security-1.0#Base64Binary";

pub(crate) const HOLDER_OF_KEY: &str = "urn:oasis:names:tc:SAML:2.0:cm:holder-of-key";
pub(crate) const CVR: &str = "dk:gov:saml:attribute:CvrNumberIdentifier";
pub(crate) const ASSURANCE: &str = "dk:gov:saml:attribute:AssuranceLevel";
pub(crate) const SPECIFICATION: &str = "dk:gov:saml:attribute:SpecVer";
pub(crate) const PRIVILEGE_LIST: &str = "dk:gov:saml:attribute:Privileges_intermediate";
