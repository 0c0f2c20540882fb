//! The file beside a file in the SFTP folders.

use cpr_wire::{Error, FileMetadata, Limits};

fn metadata() -> FileMetadata {
    FileMetadata {
        transfer: Some("11111111-2222-4333-8444-555555555555".parse().expect("a UUID")),
        file_name: "D260102.L000001.22222222-2222-4333-8444-555555555555".to_owned(),
        bytes: 260_471,
        sender: "replika <1>".to_owned(),
        senders_file_id: "1".to_owned(),
        recipients: vec!["a & b".to_owned(), "c".to_owned()],
    }
}

fn parse(document: &str) -> Result<FileMetadata, Error> {
    FileMetadata::parse(document.as_bytes(), &Limits::REQUEST)
}

#[test]
fn metadata_is_read_back_as_it_was_written() {
    let xml = metadata().to_xml();
    assert!(xml.contains(
        "<ns2:Trigger xmlns:ns2=\"http://serviceplatformen.dk/xml/wsdl/soap11/SFTP/1/types\"><FileTransferUUID>"
    ));
    assert_eq!(parse(&xml), Ok(metadata()));
    assert_eq!(parse(&xml.replace("Trigger", "FileMetadata")), Ok(metadata()), "the root that the schema names");
    let without = FileMetadata { transfer: None, ..metadata() };
    assert_eq!(parse(&without.to_xml()), Ok(without), "as a sender's trigger");
}

#[test]
fn a_name_that_leads_out_of_its_folder_is_refused() {
    for name in ["../D260102", "a/b", "a\\b", "..", ".", "", "C:a", &"x".repeat(256)] {
        let xml = FileMetadata { file_name: name.to_owned(), ..metadata() }.to_xml();
        assert_eq!(parse(&xml), Err(Error::Value { element: "FileName" }), "{name}");
    }
}

#[test]
fn what_is_not_there_is_named() {
    let xml = metadata().to_xml();
    for (element, error) in [
        ("FileDescriptor", Error::Missing { element: "FileDescriptor" }),
        ("SizeInBytes", Error::Missing { element: "SizeInBytes" }),
        ("Sender", Error::Missing { element: "Sender" }),
        ("Recipients", Error::Missing { element: "Recipients" }),
    ] {
        let renamed = xml.replace(&format!("<{element}>"), "<x>").replace(&format!("</{element}>"), "</x>");
        assert_eq!(parse(&renamed), Err(error));
    }
    assert_eq!(parse(&xml.replace("260471", "-1")), Err(Error::Value { element: "SizeInBytes" }));
    assert_eq!(parse("<Trigger/>"), Err(Error::UnknownOperation));
}
