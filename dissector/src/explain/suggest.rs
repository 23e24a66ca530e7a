//! Names that are near to one that does not exist.

use crate::protocol;

use super::index::{self, TYPES};

/// Names of messages that come near to `name`, the nearest first.
#[must_use]
pub fn similar_messages(name: &str) -> Vec<&'static str> {
    nearest(name, protocol::messages().iter().map(|m| m.name))
}

/// Names of anything that come near to `name`, the nearest first.
pub(super) fn similar(name: &str) -> Vec<&'static str> {
    let mut names: Vec<&'static str> = protocol::messages().iter().map(|m| m.name).collect();
    for field in protocol::floating_fields() {
        names.extend([field.constant, field.name]);
        names.extend(field.also);
    }
    for message in protocol::messages() {
        names.extend(index::fixed_fields(message).iter().map(|f| f.name));
    }
    for table in index::tables() {
        names.push(table.name);
        names.extend(
            table
                .values
                .iter()
                .flat_map(|v| v.symbol.into_iter().chain([v.short])),
        );
    }
    names.extend(protocol::specials().iter().filter_map(|s| s.name));
    names.extend(TYPES.iter().map(|(wire, _)| wire.name()));
    names.extend(index::services().iter().map(|s| s.service));
    nearest(name, names.into_iter())
}

/// How many names are worth suggesting.
const MOST: usize = 6;

/// The candidates nearest to `name`: first those that begin with it, then those that contain it, then those spelled alike.
pub(crate) fn nearest(
    name: &str,
    candidates: impl Iterator<Item = &'static str>,
) -> Vec<&'static str> {
    let wanted = name.trim().to_ascii_uppercase();
    if wanted.is_empty() {
        return Vec::new();
    }
    let mut found: Vec<(u8, u32, &'static str)> = candidates
        .filter_map(|candidate| {
            let (class, distance) = distance(&wanted, &candidate.to_ascii_uppercase())?;
            Some((class, distance, candidate))
        })
        .collect();
    found.sort_unstable();
    found.dedup_by_key(|(_, _, name)| *name);
    // Only spelling helps against a typo; a fragment of three letters has too many alike.
    let best = found.first().map_or(0, |(class, _, _)| *class);
    found
        .into_iter()
        .filter(|(class, _, _)| *class <= best.max(1))
        .map(|(_, _, name)| name)
        .take(MOST)
        .collect()
}

/// Class (0 begins with, 1 contains, 2 spelled alike) and distance within it; `None` when not near.
fn distance(wanted: &str, candidate: &str) -> Option<(u8, u32)> {
    let spare =
        |a: &str, b: &str| u32::try_from(a.len().saturating_sub(b.len())).unwrap_or(u32::MAX);
    if wanted.len() >= 3 {
        if candidate.starts_with(wanted) {
            return Some((0, spare(candidate, wanted)));
        }
        if candidate.contains(wanted) {
            return Some((1, spare(candidate, wanted)));
        }
    }
    let edits = strsim::damerau_levenshtein(wanted, candidate);
    let allowed = (wanted.len().max(candidate.len()) / 4).clamp(1, 5);
    (edits <= allowed).then(|| (2, u32::try_from(edits).unwrap_or(u32::MAX)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn typos_and_fragments() {
        assert_eq!(similar_messages("OPEN_RQ").first(), Some(&"OPEN_REQ"));
        assert_eq!(
            similar_messages("agent_stat").first(),
            Some(&"AGENT_STATE_EVENT")
        );
        assert!(similar_messages("DELIVERED").contains(&"CALL_DELIVERED_EVENT"));
        assert!(similar_messages("xyzzy plugh").is_empty());
        assert!(similar_messages("").is_empty());
    }
}
