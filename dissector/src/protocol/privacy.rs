//! Which fields tell about people and places (`protocol/privacy.toml`).

use super::tables;

/// What is put in the place of a value.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Treatment {
    /// Another value of the same length and alphabet, the same one wherever it stands.
    Pseudonym,
    /// Letters become x, digits 0.
    Mask,
    /// Every byte becomes x.
    Secret,
    /// It stays as it is.
    Keep,
}

impl Treatment {
    /// The name used in `privacy.toml` and in output.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Pseudonym => "pseudonym",
            Self::Mask => "mask",
            Self::Secret => "secret",
            Self::Keep => "keep",
        }
    }
}

/// Fields that tell the same kind of thing.
#[derive(Debug, PartialEq, Eq)]
pub struct PrivacyClass {
    /// Its name.
    pub name: &'static str,
    /// What its fields tell.
    pub summary: &'static str,
    /// What is done about it unless asked otherwise.
    pub treatment: Treatment,
    /// Names of its fields, floating and fixed.
    pub fields: &'static [&'static str],
}

/// All classes.
#[must_use]
pub fn classes() -> &'static [PrivacyClass] {
    tables::PRIVACY
}

/// The class of a floating field; every text and opaque field has one.
#[must_use]
pub fn of_tag(tag: u16) -> Option<&'static PrivacyClass> {
    let rows = tables::PRIVACY_BY_TAG;
    let row = rows.binary_search_by_key(&tag, |(tag, _)| *tag).ok()?;
    classes().get(rows.get(row)?.1)
}

/// The class of a fixed field, by its name; few have one.
#[must_use]
pub fn of_fixed(name: &str) -> Option<&'static PrivacyClass> {
    classes().iter().find(|class| class.fields.contains(&name))
}
