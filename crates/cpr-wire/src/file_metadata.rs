//! The file beside a file in the SFTP folders of type "simpel": `FILE.metadata`, and the `FILE.trigger` that a sender
//! puts there.

use uuid::Uuid;

use crate::charset;
use crate::error::Error;
use crate::limits::Limits;
use crate::xml::{Document, Element, Writer};

const NAMESPACE: &str = "http://serviceplatformen.dk/xml/wsdl/soap11/SFTP/1/types";

/// What is said of a file.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct FileMetadata {
    /// `FileTransferUUID`; a sender's trigger has none.
    pub transfer: Option<Uuid>,
    /// `FileName`, without a folder.
    pub file_name: String,
    /// `SizeInBytes`.
    pub bytes: u64,
    /// `Sender`.
    pub sender: String,
    /// `SendersFileId`.
    pub senders_file_id: String,
    /// `Recipients`, one at least.
    pub recipients: Vec<String>,
}

impl FileMetadata {
    /// The document, whose root is `ns2:Trigger`: a client in production knows no other root and no other prefix.
    pub fn to_xml(&self) -> String {
        let mut out = Writer::document();
        out.open("ns2:Trigger", &[("xmlns:ns2", NAMESPACE)]);
        if let Some(transfer) = self.transfer {
            out.text("FileTransferUUID", &transfer.hyphenated().to_string());
        }
        out.open("FileDescriptor", &[]).text("FileName", &self.file_name).text("SizeInBytes", &self.bytes.to_string());
        out.text("Sender", &self.sender).text("SendersFileId", &self.senders_file_id);
        for recipient in &self.recipients {
            out.text("Recipients", recipient);
        }
        out.close().empty("FileContentDescriptor", &[]);
        out.finish()
    }

    /// Reads a document whose root is `Trigger` or `FileMetadata`.
    ///
    /// # Errors
    /// What is not well-formed or not there, and a file name with which one could leave its folder.
    pub fn parse(document: &[u8], limits: &Limits) -> Result<FileMetadata, Error> {
        let document = Document::parse(&charset::text(document, None)?, limits)?;
        let root = document.root();
        if !["Trigger", "FileMetadata"].iter().any(|name| root.is(NAMESPACE, name)) {
            return Err(Error::UnknownOperation);
        }
        let transfer = root.optional("FileTransferUUID")?.map(|id| Uuid::try_parse(id.trimmed())).transpose();
        let transfer = transfer.map_err(|_| Error::Value { element: "FileTransferUUID" })?;
        let descriptor = root.required("FileDescriptor")?;
        let text = |name| descriptor.required(name).map(|element| element.trimmed().to_owned());
        let file_name = text("FileName")?;
        if !is_file_name(&file_name) {
            return Err(Error::Value { element: "FileName" });
        }
        let bytes = text("SizeInBytes")?.parse().map_err(|_| Error::Value { element: "SizeInBytes" })?;
        let recipients = descriptor.children().filter(|child| child.name() == "Recipients");
        let recipients: Vec<String> = recipients.map(Element::trimmed).map(str::to_owned).collect();
        if recipients.is_empty() {
            return Err(Error::Missing { element: "Recipients" });
        }
        let (sender, senders_file_id) = (text("Sender")?, text("SendersFileId")?);
        Ok(FileMetadata { transfer, file_name, bytes, sender, senders_file_id, recipients })
    }
}

/// A name within a folder, and no way out of it.
fn is_file_name(name: &str) -> bool {
    !matches!(name, "" | "." | "..")
        && name.len() <= 255
        && !name.contains(|c: char| c.is_control() || "/\\:".contains(c))
}
