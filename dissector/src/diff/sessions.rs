//! Which session of the new side does what one of the old side did: told by who the client is, what it asked for and, among several of one
//! client, by order and content. Addresses, ports and times say nothing.

use super::side::KeptSession;
use crate::session::{Content, Session};
use foldhash::fast::RandomState;
use std::collections::{BTreeMap, HashMap};

/// Pairs of sessions of one role that are compared by content, where not all of them have a counterpart.
const MOST_PAIRS: usize = 1_024;

/// Who a session is, the less exactly the higher the level.
type Role = (u8, Vec<Option<String>>, Option<u32>, Option<u32>);

/// Levels of exactness.
const LEVELS: u8 = 5;

/// Pairs of sessions, by their places in their lists, in the order of the old side.
pub(super) fn matched(old: &[KeptSession], new: &[KeptSession]) -> Vec<(usize, usize)> {
    let mut pairs = Vec::new();
    let mut left_old: Vec<usize> = (0..old.len()).collect();
    let mut left_new: Vec<usize> = (0..new.len()).collect();
    for level in 0..LEVELS {
        let last = level + 1 == LEVELS;
        if last && (left_old.len() != 1 || left_new.len() != 1) {
            // Nothing tells which is which.
            break;
        }
        let mut roles: BTreeMap<Role, (Vec<usize>, Vec<usize>)> = BTreeMap::new();
        for index in &left_old {
            if let Some(role) = old.get(*index).and_then(|s| role(s, level)) {
                roles.entry(role).or_default().0.push(*index);
            }
        }
        for index in &left_new {
            if let Some(role) = new.get(*index).and_then(|s| role(s, level)) {
                roles.entry(role).or_default().1.push(*index);
            }
        }
        for (of_old, of_new) in roles.into_values() {
            pairs.extend(among(old, new, &of_old, &of_new));
        }
        let taken_old: std::collections::BTreeSet<usize> = pairs.iter().map(|p| p.0).collect();
        let taken_new: std::collections::BTreeSet<usize> = pairs.iter().map(|p| p.1).collect();
        left_old.retain(|index| !taken_old.contains(index));
        left_new.retain(|index| !taken_new.contains(index));
    }
    pairs.sort_unstable();
    pairs
}

fn content(about: Option<&Session>) -> u8 {
    match about.map(|about| about.content) {
        Some(Content::Encrypted) => 1,
        _ => 0,
    }
}

/// Who a session is at a level of exactness; `None` where that level says nothing of it.
fn role(session: &KeptSession, level: u8) -> Option<Role> {
    let about = session.about.as_deref();
    let content = content(about);
    let nobody = Default::default();
    let identity = about.map_or(&nobody, |about| &about.identity);
    let names = |names: &[&Option<String>]| names.iter().map(|n| (*n).clone()).collect();
    let client = &identity.client_id;
    let agent = [
        client,
        &identity.agent_id,
        &identity.agent_extension,
        &identity.agent_instrument,
    ];
    match level {
        0 => Some((
            content,
            names(&agent),
            identity.services_requested,
            identity.peripheral_id,
        )),
        1 => Some((content, names(&agent), None, None))
            .filter(|_| identity.services_requested.is_some()),
        2 => client
            .is_some()
            .then(|| (content, names(&[client]), None, None)),
        3 => identity
            .services_requested
            .map(|services| (content, Vec::new(), Some(services), None)),
        _ => Some((content, Vec::new(), None, None)),
    }
}

/// Pairs among sessions of one role: in order, and by content where there are more on one side.
fn among(
    old: &[KeptSession],
    new: &[KeptSession],
    of_old: &[usize],
    of_new: &[usize],
) -> Vec<(usize, usize)> {
    let in_order = || of_old.iter().copied().zip(of_new.iter().copied()).collect();
    if of_old.len() == of_new.len()
        || of_old.is_empty()
        || of_new.is_empty()
        || of_old.len().saturating_mul(of_new.len()) > MOST_PAIRS
    {
        return in_order();
    }
    let bags = |all: &[KeptSession], of: &[usize]| -> Vec<HashMap<u32, u32, RandomState>> {
        let sessions = of.iter().filter_map(|index| all.get(*index));
        sessions.map(bag).collect()
    };
    let (old_bags, new_bags) = (bags(old, of_old), bags(new, of_new));
    // The pairs, in order, that have most in common; every session of the smaller side gets a counterpart.
    let width = new_bags.len() + 1;
    let mut best = vec![0u64; width * (old_bags.len() + 1)];
    let mut common = vec![0u64; old_bags.len() * new_bags.len()];
    for (row, old) in old_bags.iter().enumerate().rev() {
        for (column, new) in new_bags.iter().enumerate().rev() {
            let shared = in_common(old, new) + 1;
            let cell =
                |row: usize, column: usize| best.get(row * width + column).copied().unwrap_or(0);
            let skip = cell(row + 1, column).max(cell(row, column + 1));
            let with = shared + cell(row + 1, column + 1);
            if let Some(cell) = best.get_mut(row * width + column) {
                *cell = skip.max(with);
            }
            if let Some(cell) = common.get_mut(row * (width - 1) + column) {
                *cell = shared;
            }
        }
    }
    let cell = |row: usize, column: usize| best.get(row * width + column).copied().unwrap_or(0);
    let (mut row, mut column) = (0, 0);
    let mut pairs = Vec::new();
    while let (Some(old), Some(new)) = (of_old.get(row), of_new.get(column)) {
        let shared = common.get(row * (width - 1) + column).copied().unwrap_or(0);
        if cell(row, column) == shared + cell(row + 1, column + 1) {
            pairs.push((*old, *new));
            row += 1;
            column += 1;
        } else if cell(row, column) == cell(row + 1, column) {
            row += 1;
        } else {
            column += 1;
        }
    }
    pairs
}

/// How often a session says what.
fn bag(session: &KeptSession) -> HashMap<u32, u32, RandomState> {
    let mut bag = HashMap::default();
    for message in &session.messages {
        *bag.entry(message.template).or_insert(0) += 1;
    }
    bag
}

/// How much two sessions have in common, in millionths of the larger one.
fn in_common(old: &HashMap<u32, u32, RandomState>, new: &HashMap<u32, u32, RandomState>) -> u64 {
    let total =
        |bag: &HashMap<u32, u32, RandomState>| bag.values().map(|n| u64::from(*n)).sum::<u64>();
    let shared: u64 = old
        .iter()
        .filter_map(|(template, n)| Some(u64::from(*n.min(new.get(template)?))))
        .sum();
    shared * 1_000_000 / total(old).max(total(new)).max(1)
}

/// Something about a session that is not as it was.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct SessionChange {
    /// What it is, by its key in JSON's session records.
    pub what: &'static str,
    /// How it was.
    pub old: Option<String>,
    /// How it is.
    pub new: Option<String>,
}

/// What is not as it was about a session.
pub(super) fn changes(old: &Session, new: &Session) -> Vec<SessionChange> {
    let aspects = aspects(old).into_iter().zip(aspects(new));
    let mut changes: Vec<SessionChange> = aspects
        .filter(|(old, new)| old.1 != new.1)
        .map(|((what, old), (_, new))| SessionChange { what, old, new })
        .collect();
    // Who the client is, and which version the session has, is known for sure only where its beginning was captured.
    let opened = |session: &Session| session.identity.services_requested.is_some();
    let both_opened = opened(old) && opened(new);
    changes.retain(|change| match change.what {
        // How a session ended is known only where its end was captured.
        "end" => change.old.is_some() && change.new.is_some(),
        "close_status" | "refused" => true,
        _ => both_opened,
    });
    changes
}

fn aspects(session: &Session) -> Vec<(&'static str, Option<String>)> {
    use crate::protocol::value_table;
    use crate::reassembly::End;
    let identity = &session.identity;
    let mask = |services: Option<u32>| {
        services.map(|bits| {
            let table = value_table("CTIServiceMask");
            shown(bits, table)
        })
    };
    let status = |status: Option<u32>| status.map(|bits| shown(bits, value_table("StatusCode")));
    let by = session.ended_by.map_or("either side", |by| by.sender());
    let end = match session.end {
        Some(End::Finished(_)) => Some(format!("closed by the {by}")),
        Some(End::Reset(_)) => Some(format!("reset by the {by}")),
        _ => None,
    };
    vec![
        ("version", session.version.map(|v| v.0.to_string())),
        ("client_id", identity.client_id.clone()),
        ("client_signature", identity.client_signature.clone()),
        ("agent_id", identity.agent_id.clone()),
        ("agent_extension", identity.agent_extension.clone()),
        ("agent_instrument", identity.agent_instrument.clone()),
        (
            "peripheral_id",
            identity.peripheral_id.map(|id| id.to_string()),
        ),
        ("services_requested", mask(identity.services_requested)),
        ("services_granted", mask(identity.services_granted)),
        ("idle_timeout", identity.idle_timeout.map(|s| s.to_string())),
        ("close_status", status(session.close_status)),
        ("refused", status(session.refused)),
        ("end", end),
    ]
}

fn shown(bits: u32, table: Option<&'static crate::protocol::ValueTable>) -> String {
    let value = super::lexicon::Value::Number {
        value: bits.into(),
        bits,
    };
    String::from_utf8_lossy(&value.show(table, None)).into_owned()
}
