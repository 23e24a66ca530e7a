//! What is done about each field: what `protocol/privacy.toml` says, unless the user wants something else.

use crate::protocol::privacy::{self, PrivacyClass, Treatment};
use crate::protocol::{self, FloatingField, WireType};
use std::collections::BTreeMap;

/// The class under whose name values are counted that nothing is known of.
pub const UNKNOWN: &str = "unknown";

/// What to do about each field.
#[derive(Debug, Clone, Default)]
pub struct Policy {
    classes: BTreeMap<&'static str, Treatment>,
    tags: BTreeMap<u16, Treatment>,
    fixed: BTreeMap<&'static str, Treatment>,
}

/// A name that is neither that of a class nor that of a field which can be redacted.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("no class or field is called '{name}'{}", hint(.near))]
pub struct UnknownName {
    /// What was asked for.
    pub name: String,
    /// A name that is nearly the same.
    pub near: Option<&'static str>,
}

fn hint(near: &Option<&'static str>) -> String {
    near.map_or_else(String::new, |near| format!("; there is '{near}'"))
}

/// A row of the policy.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Row {
    /// Name of the class.
    pub class: &'static str,
    /// Name of the field.
    pub field: &'static str,
    /// What is done about it.
    pub treatment: Treatment,
}

impl Policy {
    /// Leaves a class or a field as it is.
    ///
    /// # Errors
    /// When there is none of that name.
    pub fn keep(&mut self, name: &str) -> Result<(), UnknownName> {
        self.set(name, |_| Treatment::Keep)
    }

    /// Replaces the values of a class or a field; of numbers, too, that stay otherwise.
    ///
    /// # Errors
    /// When there is none of that name.
    pub fn redact(&mut self, name: &str) -> Result<(), UnknownName> {
        self.set(name, |class| match class.map(|c| c.treatment) {
            None | Some(Treatment::Keep) => Treatment::Pseudonym,
            Some(treatment) => treatment,
        })
    }

    fn set(
        &mut self,
        name: &str,
        treatment: impl Fn(Option<&'static PrivacyClass>) -> Treatment,
    ) -> Result<(), UnknownName> {
        if let Some(class) = privacy::classes().iter().find(|c| c.name == name) {
            self.classes.insert(class.name, treatment(Some(class)));
            for field in class.fields {
                self.fixed.remove(field);
            }
            self.tags
                .retain(|tag, _| privacy::of_tag(*tag) != Some(class));
            return Ok(());
        }
        let mut found = false;
        for field in protocol::floating_fields()
            .iter()
            .filter(|f| is_called(f, name))
        {
            if field.wire.is_some_and(can_change) {
                found = true;
                let class = privacy::of_tag(field.tag);
                self.tags.insert(field.tag, treatment(class));
            }
        }
        for field in fixed_names(name) {
            found = true;
            self.fixed
                .insert(field, treatment(privacy::of_fixed(field)));
        }
        if found {
            return Ok(());
        }
        Err(UnknownName {
            name: name.to_owned(),
            near: nearest(name),
        })
    }

    /// What is done about a floating field.
    pub(super) fn floating(&self, tag: u16) -> (Treatment, &'static str) {
        let class = privacy::of_tag(tag);
        let treatment = self.tags.get(&tag).copied();
        self.of(class, treatment)
    }

    /// What is done about a fixed field.
    pub(super) fn fixed(&self, name: &'static str) -> (Treatment, &'static str) {
        if self.fixed.is_empty() && self.classes.is_empty() && privacy::of_fixed(name).is_none() {
            return (Treatment::Keep, "none");
        }
        self.of(privacy::of_fixed(name), self.fixed.get(name).copied())
    }

    /// What is done about a class as a whole.
    #[must_use]
    pub fn class(&self, name: &str) -> Treatment {
        let class = privacy::classes().iter().find(|c| c.name == name);
        self.of(class, None).0
    }

    fn of(
        &self,
        class: Option<&'static PrivacyClass>,
        own: Option<Treatment>,
    ) -> (Treatment, &'static str) {
        let Some(class) = class else {
            return (own.unwrap_or(Treatment::Keep), "none");
        };
        let by_class = self.classes.get(class.name).copied();
        let treatment = own.or(by_class).unwrap_or(class.treatment);
        (treatment, class.name)
    }

    /// Every field that has a class, in order of classes.
    pub fn rows(&self) -> impl Iterator<Item = Row> {
        privacy::classes().iter().flat_map(move |class| {
            class.fields.iter().map(move |field| {
                let tag = protocol::floating_fields()
                    .iter()
                    .find(|f| f.name == *field)
                    .map(|f| f.tag);
                let (treatment, class) = match tag {
                    Some(tag) => self.floating(tag),
                    None => self.fixed(field),
                };
                Row {
                    class,
                    field,
                    treatment,
                }
            })
        })
    }
}

/// Whether a message may call a floating field so.
fn is_called(field: &FloatingField, name: &str) -> bool {
    let used = || {
        protocol::messages()
            .iter()
            .flat_map(|m| m.floating)
            .any(|u| u.field.tag == field.tag && u.name == name)
    };
    field.name == name || field.also.contains(&name) || used()
}

/// Types of which a value can be replaced by another.
const fn can_change(wire: WireType) -> bool {
    matches!(
        wire,
        WireType::String
            | WireType::Unspec
            | WireType::NamedVariable
            | WireType::NamedArray
            | WireType::Int
            | WireType::UInt
    )
}

fn fixed_names(name: &str) -> impl Iterator<Item = &'static str> {
    let fields = protocol::messages()
        .iter()
        .flat_map(|m| m.layouts)
        .flat_map(|l| l.fixed);
    let found = fields.filter(move |f| f.name == name && can_change(f.wire));
    found.map(|f| f.name).take(1)
}

fn nearest(name: &str) -> Option<&'static str> {
    let classes = privacy::classes().iter().map(|c| c.name);
    let fields = protocol::floating_fields().iter().map(|f| f.name);
    classes
        .chain(fields)
        .map(|known| {
            let near = strsim::jaro_winkler(&known.to_lowercase(), &name.to_lowercase());
            (known, near)
        })
        .filter(|(_, near)| *near > 0.85)
        .max_by(|(_, one), (_, other)| one.total_cmp(other))
        .map(|(known, _)| known)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn floating(policy: &Policy, name: &str) -> Treatment {
        let field = protocol::floating_fields().iter().find(|f| f.name == name);
        policy.floating(field.unwrap().tag).0
    }

    #[test]
    fn every_text_and_every_opaque_field_has_a_class() {
        for field in protocol::floating_fields() {
            if matches!(
                field.wire,
                Some(
                    WireType::String
                        | WireType::Unspec
                        | WireType::NamedVariable
                        | WireType::NamedArray
                )
            ) {
                assert!(privacy::of_tag(field.tag).is_some(), "{}", field.name);
            }
            if field.secret {
                let (treatment, class) = Policy::default().floating(field.tag);
                assert_eq!((treatment, class), (Treatment::Secret, "secret"));
            }
        }
        assert!(Policy::default().rows().count() > 100);
    }

    #[test]
    fn the_last_word_counts() {
        let mut policy = Policy::default();
        assert_eq!(floating(&policy, "ANI"), Treatment::Pseudonym);
        policy.keep("phone").unwrap();
        policy.redact("DNIS").unwrap();
        assert_eq!(floating(&policy, "ANI"), Treatment::Keep);
        assert_eq!(floating(&policy, "DNIS"), Treatment::Pseudonym);
        policy.keep("phone").unwrap();
        assert_eq!(floating(&policy, "DNIS"), Treatment::Keep);
        policy.redact("variable_name").unwrap();
        assert_eq!(policy.class("variable_name"), Treatment::Pseudonym);
        policy.redact("ConnectionCallID").unwrap();
        assert_eq!(policy.fixed("ConnectionCallID").0, Treatment::Pseudonym);
        assert_eq!(policy.fixed("InvokeID").0, Treatment::Keep);
        policy.keep("secret").unwrap();
        policy.redact("ClientPassword").unwrap();
        assert_eq!(floating(&policy, "ClientPassword"), Treatment::Secret);
    }

    #[test]
    fn a_name_in_a_message_is_as_good_as_the_usual_one() {
        let mut policy = Policy::default();
        policy.keep("Instrument").unwrap();
        assert_eq!(floating(&policy, "AgentInstrument"), Treatment::Keep);
    }

    #[test]
    fn an_unknown_name_is_refused() {
        let mut policy = Policy::default();
        let error = policy.keep("AgentIdd").unwrap_err();
        assert_eq!(
            error.to_string(),
            "no class or field is called 'AgentIdd'; there is 'AgentID'"
        );
        assert!(policy.redact("AgentState").is_err());
        assert!(policy.redact("").is_err());
    }
}
