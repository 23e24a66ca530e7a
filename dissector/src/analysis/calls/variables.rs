//! Call variables and other call data over time.

use super::story::Setting;
use crate::analysis::Seen;
use crate::decode::FieldValue;
use crate::limits;
use std::collections::{BTreeMap, BTreeSet};

/// Floating fields that are call data, beside CallVariable1 to 10 and the named variables.
const DATA: [&str; 9] = [
    "ANI",
    "DNIS",
    "DialedNumber",
    "CallerEnteredDigits",
    "UserToUserInfo",
    "CallWrapupData",
    "CustomerPhoneNumber",
    "CustomerAccountNumber",
    "ProtocolReferenceGUID",
];

/// Numbers of the call. Each call ID of a story has its own; those of the first one are kept.
const NUMBERS: [&str; 3] = ["ANI", "DNIS", "DialedNumber"];

/// PeripheralType of Unified CCX, which sends changed ECC variables only.
const CCX: u32 = 21;

/// A value as a message has it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Said {
    pub name: String,
    pub value: String,
    /// It is an ECC variable.
    ecc: bool,
}

/// The call data that a message carries, in wire order.
pub(super) fn said(seen: &Seen<'_>) -> Vec<Said> {
    let lossy = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    let mut found = Vec::new();
    for field in seen.view.floating() {
        if seen.view.hides(&field) {
            continue;
        }
        let Some(tag_name) = field.name() else {
            continue;
        };
        let said = match field.value() {
            FieldValue::NamedVariable { name, value } => Said {
                name: lossy(name),
                value: lossy(value),
                ecc: true,
            },
            FieldValue::NamedArray { index, name, value } => Said {
                name: format!("{}[{index}]", lossy(name)),
                value: lossy(value),
                ecc: true,
            },
            FieldValue::Text(text)
                if DATA.contains(&tag_name) || tag_name.starts_with("CallVariable") =>
            {
                Said {
                    name: tag_name.to_owned(),
                    value: lossy(text),
                    ecc: false,
                }
            }
            _ => continue,
        };
        found.push(said);
    }
    found
}

/// The call data of a call as it is now.
#[derive(Debug, Clone, Default)]
pub(super) struct Variables {
    values: BTreeMap<String, String>,
    /// Names of those that are ECC variables.
    ecc: BTreeSet<String>,
    /// Of names and values.
    bytes: usize,
}

impl Variables {
    /// Takes over what an event says; tells what that changes. A CALL_DATA_UPDATE_EVENT carries what changed, but all ECC variables: those
    /// that it lacks are gone.
    pub fn apply(
        &mut self,
        said: &[Said],
        update: bool,
        peripheral_type: Option<u32>,
    ) -> Vec<Setting> {
        let mut settings = Vec::new();
        if update && peripheral_type != Some(CCX) && said.iter().any(|s| s.ecc) {
            let gone: Vec<String> = self
                .ecc
                .iter()
                .filter(|name| !said.iter().any(|s| s.ecc && s.name == **name))
                .cloned()
                .collect();
            for name in gone {
                self.ecc.remove(&name);
                let was = self.values.remove(&name);
                let freed = name.len() + was.as_ref().map_or(0, String::len);
                self.bytes = self.bytes.saturating_sub(freed);
                settings.push(Setting {
                    name,
                    value: None,
                    was,
                });
            }
        }
        for Said { name, value, ecc } in said {
            let was = self.values.get(name).cloned();
            // An empty value that was not there before is no news.
            if was.as_ref() == Some(value) || (was.is_none() && value.is_empty()) {
                continue;
            }
            if was.is_some() && !update && NUMBERS.contains(&name.as_str()) {
                settings.push(Setting {
                    name: name.clone(),
                    value: Some(value.clone()),
                    was: None,
                });
                continue;
            }
            let grown = self.bytes - was.as_ref().map_or(0, String::len)
                + value.len()
                + if was.is_none() { name.len() } else { 0 };
            if grown > limits::MAX_CALL_DATA {
                continue;
            }
            self.bytes = grown;
            if *ecc {
                self.ecc.insert(name.clone());
            }
            self.values.insert(name.clone(), value.clone());
            settings.push(Setting {
                name: name.clone(),
                value: Some(value.clone()),
                was,
            });
        }
        settings
    }

    /// What another, younger call has and this one lacks.
    pub fn absorb(&mut self, other: Self) {
        for (name, value) in other.values {
            let size = name.len() + value.len();
            if !self.values.contains_key(&name) && self.bytes + size <= limits::MAX_CALL_DATA {
                self.bytes += size;
                if other.ecc.contains(&name) {
                    self.ecc.insert(name.clone());
                }
                self.values.insert(name, value);
            }
        }
    }

    /// The values by name.
    pub fn into_values(self) -> BTreeMap<String, String> {
        self.values
    }
}
