//! A row of named fields, which is what every GCTP service answers with.

use std::fmt;

use serde::Serialize;

use crate::protection::Protections;

/// One field of a row.
#[derive(Clone, Eq, PartialEq, Serialize)]
pub struct Field {
    /// The name (`r`).
    pub name: &'static str,
    /// The raw value (`v`).
    pub value: String,
    /// The readable form (`t`), where the service has one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub text: Option<String>,
}

/// Says which field it is.
impl fmt::Debug for Field {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Field({})", self.name)
    }
}

/// One row: what it tells about one person.
#[derive(Clone, Debug, Eq, PartialEq, Serialize)]
pub struct Row {
    /// In the order of the service.
    pub fields: Vec<Field>,
    /// The protections of the person of the row, which the contract tells only in part.
    pub protections: Protections,
}

impl Row {
    /// The value of a field; none when it is left out.
    pub fn value(&self, name: &str) -> Option<&str> {
        self.fields.iter().find(|field| field.name == name).map(|field| field.value.as_str())
    }
}
