//! What leaves the house: which tables, which columns, how exact a birth date, what of a protected address.
//!
//! A profile is a TOML file; two are shipped. A table or column that it does not name is left out, so that a field that
//! a later product brings goes nowhere by itself. Names that no product has are refused: they are slips of the pen.

use std::collections::BTreeMap;

use cpr_replika::cpr_model::Field;
use serde::Deserialize;

use crate::error::{Error, ProfileError};
use crate::names::{column_name, every_table, fields_in_any_product, name_of};

const SHIPPED: [&str; 2] = [include_str!("../profiles/default.toml"), include_str!("../profiles/whole.toml")];

/// Which tables and columns leave the house, and how exact they are.
#[derive(Clone, Debug)]
pub struct Profile {
    /// What it is called.
    pub name: String,
    /// Whether table `person` has the personnummer itself, beside the pseudonym.
    pub pnr: bool,
    /// What stands in the address columns of persons with name and address protection.
    pub protected_addresses: ProtectedAddresses,
    /// How exact birth dates are, one's own and relatives'.
    pub birth_date: Precision,
    /// Where the groups of ages in the views begin: 0 first, rising.
    pub age_groups: Vec<u16>,
    /// The columns of each table, by name; `*` stands for every table or every column.
    tables: BTreeMap<String, Vec<String>>,
}

/// What stands in the address columns of persons with name and address protection (BESKYTTYPE 0001).
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum ProtectedAddresses {
    /// Nothing.
    Null,
    /// The code of the municipality.
    Municipality,
    /// What stands in those of others.
    Kept,
}

/// How exact a date is.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Precision {
    /// As received.
    Day,
    /// The first day of its month.
    Month,
    /// The first day of its year.
    Year,
}

const ANY: &str = "*";

/// A profile as it is written.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Form {
    name: String,
    pnr: bool,
    protected_addresses: ProtectedWord,
    birth_date: PrecisionWord,
    age_groups: Vec<u16>,
    tables: BTreeMap<String, Vec<String>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "lowercase")]
enum ProtectedWord {
    Null,
    Municipality,
    Kept,
}

#[derive(Deserialize)]
#[serde(rename_all = "lowercase")]
enum PrecisionWord {
    Day,
    Month,
    Year,
}

impl From<Form> for Profile {
    fn from(form: Form) -> Profile {
        let Form { name, pnr, age_groups, tables, .. } = form;
        let protected_addresses = match form.protected_addresses {
            ProtectedWord::Null => ProtectedAddresses::Null,
            ProtectedWord::Municipality => ProtectedAddresses::Municipality,
            ProtectedWord::Kept => ProtectedAddresses::Kept,
        };
        let birth_date = match form.birth_date {
            PrecisionWord::Day => Precision::Day,
            PrecisionWord::Month => Precision::Month,
            PrecisionWord::Year => Precision::Year,
        };
        Profile { name, pnr, protected_addresses, birth_date, age_groups, tables }
    }
}

impl Profile {
    /// The shipped profile of this name: `default` (no number, no name, of an address the municipality), `whole`.
    ///
    /// ```
    /// use cpr_lake::Profile;
    /// assert!(!Profile::shipped("default").ok_or("shipped")?.pnr);
    /// assert!(Profile::shipped("defalt").is_none());
    /// # Ok::<(), &str>(())
    /// ```
    pub fn shipped(name: &str) -> Option<Profile> {
        let all = SHIPPED.iter().map(|text| Profile::parse(text).expect("shipped profiles are tested"));
        all.into_iter().find(|profile| profile.name == name)
    }

    /// Reads a profile of one's own.
    ///
    /// # Errors
    /// [`Error::Profile`], which repeats no more than names of tables and columns.
    pub fn parse(text: &str) -> Result<Profile, Error> {
        let form: Form = toml::from_str(text).map_err(|error| {
            let before = error.span().map_or("", |span| text.get(..span.start).unwrap_or_default());
            let (line, what) = (before.lines().count().max(1), error.message().to_owned());
            Error::Profile(ProfileError::Form { line, what })
        })?;
        let profile = Profile::from(form);
        profile.check().map_err(Error::Profile)?;
        Ok(profile)
    }

    fn check(&self) -> Result<(), ProfileError> {
        if self.age_groups.first() != Some(&0) || !self.age_groups.is_sorted_by(|a, b| a < b) {
            return Err(ProfileError::AgeGroups);
        }
        if self.name.is_empty() || !self.name.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_".contains(&byte))
        {
            return Err(ProfileError::Name);
        }
        for (table, columns) in &self.tables {
            let aspects: Vec<_> = every_table().filter(|aspect| table == ANY || name_of(*aspect) == table).collect();
            if aspects.is_empty() {
                return Err(ProfileError::Table(table.clone()));
            }
            let is_field = |column: &String| {
                let mut fields = aspects.iter().flat_map(|aspect| fields_in_any_product(*aspect));
                column == ANY || fields.any(|field| column_name(field) == *column)
            };
            if let Some(column) = columns.iter().find(|column| !is_field(column)) {
                return Err(ProfileError::Column { table: table.clone(), column: column.clone() });
            }
        }
        Ok(())
    }

    /// True when the table leaves the house, with whatever columns.
    pub(crate) fn has_table(&self, table: &str) -> bool {
        self.columns_of(table).is_some()
    }

    /// True when the column of a field leaves the house.
    pub(crate) fn has_column(&self, table: &str, field: Field) -> bool {
        let name = column_name(field);
        self.columns_of(table).is_some_and(|columns| columns.iter().any(|column| *column == name || column == ANY))
    }

    fn columns_of(&self, table: &str) -> Option<&Vec<String>> {
        self.tables.get(table).or_else(|| self.tables.get(ANY))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_shipped_profiles_read_and_only_one_has_names() {
        let [default, whole] = ["default", "whole"].map(|name| Profile::shipped(name).expect("shipped"));
        assert!(!default.has_table("name") && !default.has_column("address", Field::StreetCode));
        assert!(default.has_column("address", Field::MunicipalityCode) && whole.has_column("name", Field::Surname));
        assert!(!default.pnr && !whole.pnr);
    }

    #[test]
    fn a_slip_of_the_pen_is_refused_with_its_place() {
        let default = SHIPPED[0];
        for (from, to, refusal) in [
            ("\"komkod\"", "\"komkode\"", "table address has no column komkode in any product"),
            ("address =", "adress =", "there is no table of this name: adress"),
            ("[0, 7", "[7, 9", "age_groups begin at 0 and rise"),
            ("pnr = false", "pnr = 1", "line 6: invalid type: integer `1`, expected a boolean"),
            ("pnr = false", "pnr = false\nnames = true", "unknown field `names`"),
        ] {
            let error = Profile::parse(&default.replacen(from, to, 1)).expect_err("refused").to_string();
            assert!(error.contains(refusal), "{error}");
        }
    }

    #[test]
    fn columns_are_named_as_cpr_names_fields() {
        assert_eq!(column_name(Field::CustodyStartDate), "start_dt_foraeldremyn");
        assert_eq!(column_name(Field::MunicipalityCode), "komkod");
        assert_eq!(column_name(Field::OrderToMoveStartDate), "start_dt_flyttepaabud");
    }
}
