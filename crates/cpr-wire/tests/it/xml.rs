//! What is well-formed and within the limits is read, and nothing else.

use cpr_wire::xml::Document;
use cpr_wire::{Error, Limit, Limits};

fn parse(text: &str) -> Result<Document, Error> {
    Document::parse(text, &Limits::REQUEST)
}

#[test]
fn names_and_attributes_stand_in_their_namespaces() {
    let document = parse(
        "<?xml version=\"1.0\"?>\n<!-- a --><a:x xmlns:a='urn:a' xmlns='urn:d' a:k='1' k='2'><y xmlns=''/><y/></a:x>\n",
    )
    .expect("well-formed");
    let root = document.root();
    assert!(root.is("urn:a", "x"));
    assert_eq!((root.attribute("k"), root.attribute_of("urn:a", "k")), (Some("2"), Some("1")));
    let namespaces: Vec<Option<&str>> = root.children().map(|child| child.namespace()).collect();
    assert_eq!(namespaces, [None, Some("urn:d")]);
}

#[test]
fn references_to_characters_and_the_five_entities_are_resolved() {
    let document =
        parse("<a k='&lt;&quot;&#xe6;'>&amp;&apos;&gt;<b/>&#248; <![CDATA[<&>]]>\r\n</a>").expect("well-formed");
    assert_eq!(document.root().attribute("k"), Some("<\"æ"));
    assert_eq!(document.root().text(), "&'>ø <&>\n");
    assert_eq!(document.root().trimmed(), "&'>ø <&>");
}

#[test]
fn a_line_end_in_an_attribute_is_a_blank_beside_a_reference_too() {
    for (written, value) in [("a\r\nb\tc\rd\ne", "a b c d e"), ("a\r\n&amp;\tb\r\r&#10;\nc", "a & b  \n c")] {
        let document = Document::parse(&format!("<a k=\"{written}\"/>"), &Limits::REQUEST).expect("well-formed");
        assert_eq!(document.root().attribute("k"), Some(value));
    }
}

#[test]
fn what_no_message_may_have_is_refused_with_its_place() {
    let cases = [
        ("<!DOCTYPE a><a/>", Error::DocumentType { at: 0 }),
        ("<!DOCTYPE a [<!ENTITY b \"c\">]><a>&b;</a>", Error::DocumentType { at: 0 }),
        ("<a>&b;</a>", Error::Entity { at: 3 }),
        ("<a k='&b;'/>", Error::Entity { at: 0 }),
        ("<a><?b c?></a>", Error::Instruction { at: 3 }),
        ("<a><b Id='1'/><c Id='1'/></a>", Error::RepeatedId { at: 14 }),
        ("<a xmlns:u='urn:u' ID='1'><c u:Id='1'/></a>", Error::RepeatedId { at: 26 }),
        ("<a>\u{1}</a>", Error::Character { at: 3 }),
        ("<a>&#1;</a>", Error::Character { at: 3 }),
        ("<a>&#xffff;</a>", Error::Character { at: 3 }),
        ("<a>&#55296;</a>", Error::Character { at: 3 }),
    ];
    for (text, error) in cases {
        assert_eq!(parse(text).err(), Some(error), "{text}");
    }
}

#[test]
fn what_is_not_well_formed_is_refused() {
    for text in [
        "",
        " ",
        "a",
        "<a>",
        "</a>",
        "<a></b>",
        "<a/><b/>",
        "<a/>b",
        "b<a/>",
        "<a/>&amp;",
        "<a/><![CDATA[ ]]>",
        "<1/>",
        "<a:b:c xmlns:a='u'/>",
        "<:a/>",
        "<a:/>",
        "<a:b/>",
        "<a b:c='1'/>",
        "<a k='1' k='2'/>",
        "<a k/>",
        "<a k=1/>",
        "<a k='<'/>",
        "<a>]]></a>",
        "<a>&</a>",
        "<a k='&'/>",
        "<a><!-- -- --></a>",
        "<a",
        "<a xmlns:b='u' xmlns:c='u' b:k='1' c:k='2'/>",
        "<a xmlns:b=''/>",
        "<a xmlns:xml='u'/>",
        "<a xmlns:xmlns='u'/>",
        "<a xmlns='u&amp;v'/>",
        " <?xml version='1.0'?><a/>",
        "<a><?xml version='1.0'?></a>",
        "<?xml version='1.1'?><a/>",
        "<a 1='x'/>",
    ] {
        assert!(matches!(parse(text), Err(Error::NotWellFormed { .. } | Error::Instruction { .. })), "{text}");
    }
}

#[test]
fn every_limit_is_named_when_it_is_passed() {
    let limits = Limits { bytes: 400, depth: 3, elements: 5, attributes: 4, namespaces: 2, namespace_bytes: 10 };
    let cases = [
        ("<a>".to_owned() + &" ".repeat(400) + "</a>", Limit::Bytes),
        ("<a><a><a><a/></a></a></a>".to_owned(), Limit::Depth),
        ("<a><b/><b/><b/><b/><b/></a>".to_owned(), Limit::Elements),
        ("<a b='1' c='1' d='1' e='1' f='1'/>".to_owned(), Limit::Attributes),
        ("<a xmlns:b='u' xmlns:c='u'><a xmlns:d='u'/></a>".to_owned(), Limit::Namespaces),
        ("<a xmlns='12345678901'/>".to_owned(), Limit::NamespaceBytes),
    ];
    for (text, passed) in cases {
        let Err(Error::Limit { limit, most }) = Document::parse(&text, &limits) else { panic!("{passed:?} holds") };
        assert_eq!(limit, passed);
        let message = Error::Limit { limit, most }.to_string();
        assert!(message.contains(limit.name()) && message.contains(&most.to_string()), "{message}");
    }
    let within = "<a xmlns='1234567890' b='1' c='1' d='1'><a><a/></a><b/><b/></a>";
    assert!(Document::parse(within, &limits).is_ok());
}

#[test]
fn debug_repeats_nothing() {
    let document = parse("<a6101801234 k='6101801234'>6101801234</a6101801234>").expect("well-formed");
    assert_eq!(format!("{document:?} {:?}", document.root()), "Document(1 elements) Element(..)");
}
