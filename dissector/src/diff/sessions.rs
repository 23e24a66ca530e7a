//! Which session of the new side does what one of the old side did: told by who the client is, what it asked for and, among several of one
//! client, by order and content. Addresses, ports and times say nothing.

use super::rules::{Rules, Treatment};
use super::side::KeptSession;
use crate::protocol::{ValueTable, value_table};
use crate::reassembly::End;
use crate::session::{Content, Session};
use foldhash::fast::RandomState;
use std::collections::{BTreeMap, HashMap};

/// Pairs of sessions of one role that are compared by content, where not all of them have a counterpart.
const MOST_PAIRS: usize = 1_024;

/// Sessions that may be joined to others.
const MOST_JOINED: usize = 64;

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

/// Joins sessions that have no counterpart to another one of their client, where they go on with what a session of the other side says:
/// the client has only connected once more. Gives the pairs as they are then.
pub(super) fn joined(
    old: &mut Vec<KeptSession>,
    new: &mut Vec<KeptSession>,
) -> Vec<(usize, usize)> {
    // Each turn joins one session, so that few are left sooner or later; the bound is for clients that connect again and again.
    for _ in 0..MOST_JOINED {
        let pairs = matched(old, new);
        let turned: Vec<(usize, usize)> = pairs.iter().map(|(o, n)| (*n, *o)).collect();
        if !join_one(old, new, &pairs) && !join_one(new, old, &turned) {
            return pairs;
        }
    }
    matched(old, new)
}

/// Joins one session of `side`, if one is to be joined. Pairs have the place in `side` first.
fn join_one(side: &mut Vec<KeptSession>, other: &[KeptSession], pairs: &[(usize, usize)]) -> bool {
    let alone = (0..side.len()).filter(|place| !pairs.iter().any(|pair| pair.0 == *place));
    let found = alone.into_iter().find_map(|lone| {
        let beside = [false, true].map(|later| beside(side, lone, later));
        let gone_on = beside.into_iter().flatten().find(|place| {
            let counterpart = pairs.iter().find(|pair| pair.0 == *place);
            let sessions = (side.get(*place), side.get(lone));
            let counterpart = counterpart.and_then(|pair| other.get(pair.1));
            matches!((sessions, counterpart), ((Some(paired), Some(lone)), Some(other))
                if goes_on(paired, lone, other))
        });
        gone_on.map(|place| (place.min(lone), place.max(lone)))
    });
    // Sessions are in the order of their first messages.
    let Some((first, second)) = found else {
        return false;
    };
    let later = side.remove(second);
    if let Some(session) = side.get_mut(first) {
        session.join(later);
    }
    true
}

/// The session of the same client that is nearest before or behind one in time, and does not overlap it.
fn beside(side: &[KeptSession], place: usize, later: bool) -> Option<usize> {
    let lone = side.get(place)?;
    let (of, about) = (role(lone, 0)?, lone.about.as_ref()?);
    let apart = |session: &KeptSession| {
        let Some(other) = &session.about else {
            return false;
        };
        if later {
            about.last <= other.first
        } else {
            other.last <= about.first
        }
    };
    let mut of_client = side.iter().enumerate().filter(|(index, session)| {
        *index != place && role(session, 0).as_ref() == Some(&of) && apart(session)
    });
    let nearest = if later {
        of_client.next()
    } else {
        of_client.next_back()
    };
    nearest.map(|(index, _)| index)
}

/// Whether most of what a session without counterpart says is what the counterpart of its neighbour says and the neighbour does not.
fn goes_on(paired: &KeptSession, lone: &KeptSession, other: &KeptSession) -> bool {
    let (said, more) = (bag(paired), bag(lone));
    let left = bag(other).into_iter().filter_map(|(template, count)| {
        let left = count.saturating_sub(said.get(&template).copied().unwrap_or(0));
        Some(u64::from(left.min(*more.get(&template)?)))
    });
    let told: u64 = left.sum();
    let all = u64::try_from(lone.messages.len()).unwrap_or(u64::MAX);
    all > 0 && told.saturating_mul(2) >= all
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

/// By what name patterns of fields name what is told of sessions: `session.end`.
pub(super) const SESSION: &str = "session";

/// Something that is told of a session.
pub(super) struct Aspect {
    /// Its key in JSON's session records.
    pub what: &'static str,
    /// The message and its field that tell it.
    pub field: Option<(&'static str, &'static str)>,
    of: fn(&Session) -> Option<String>,
}

/// All of them.
pub(super) const ASPECTS: [Aspect; 13] = [
    Aspect {
        what: "version",
        field: Some(("OPEN_REQ", "VersionNumber")),
        of: |session| session.version.map(|v| v.0.to_string()),
    },
    Aspect {
        what: "client_id",
        field: Some(("OPEN_REQ", "ClientID")),
        of: |session| session.identity.client_id.clone(),
    },
    Aspect {
        what: "client_signature",
        field: Some(("OPEN_REQ", "ClientSignature")),
        of: |session| session.identity.client_signature.clone(),
    },
    Aspect {
        what: "agent_id",
        field: Some(("OPEN_REQ", "AgentID")),
        of: |session| session.identity.agent_id.clone(),
    },
    Aspect {
        what: "agent_extension",
        field: Some(("OPEN_REQ", "AgentExtension")),
        of: |session| session.identity.agent_extension.clone(),
    },
    Aspect {
        what: "agent_instrument",
        field: Some(("OPEN_REQ", "AgentInstrument")),
        of: |session| session.identity.agent_instrument.clone(),
    },
    Aspect {
        what: "peripheral_id",
        field: Some(("OPEN_REQ", "PeripheralID")),
        of: |session| session.identity.peripheral_id.map(|id| id.to_string()),
    },
    Aspect {
        what: "services_requested",
        field: Some(("OPEN_REQ", "ServicesRequested")),
        of: |session| services(session.identity.services_requested),
    },
    Aspect {
        what: "services_granted",
        field: Some(("OPEN_CONF", "ServicesGranted")),
        of: |session| services(session.identity.services_granted),
    },
    Aspect {
        what: "idle_timeout",
        field: Some(("OPEN_REQ", "IdleTimeout")),
        of: |session| session.identity.idle_timeout.map(|s| s.to_string()),
    },
    Aspect {
        what: "close_status",
        field: Some(("CLOSE_REQ", "Status")),
        of: |session| status(session.close_status),
    },
    Aspect {
        what: "refused",
        field: Some(("FAILURE_CONF", "Status")),
        of: |session| status(session.refused),
    },
    Aspect {
        what: "end",
        field: None,
        of: end,
    },
];

/// What is not as it was about a session.
pub(super) fn changes(rules: &Rules, old: &KeptSession, new: &KeptSession) -> Vec<SessionChange> {
    let counted = |what, was: usize, is: usize| SessionChange {
        what,
        old: Some(was.to_string()),
        new: Some(is.to_string()),
    };
    let mut changes = Vec::new();
    let connections = (old.joined.len() + 1, new.joined.len() + 1);
    if connections.0 != connections.1 {
        changes.push(counted("connections", connections.0, connections.1));
    }
    if let Some((was, is)) = heartbeats_ceased(old, new) {
        changes.push(counted("heartbeats", was, is));
    }
    changes.retain(|change| rules.treatment(SESSION, change.what, None) == Treatment::Value);
    if let (Some(old), Some(new)) = (&old.about, &new.about) {
        changes.extend(aspects(rules, old, new));
    }
    changes
}

/// Heartbeats of both sides, where one had some and the other one none though it lasted long enough for them.
fn heartbeats_ceased(old: &KeptSession, new: &KeptSession) -> Option<(usize, usize)> {
    /// Heartbeats that are due by the other side's, so that none is no chance.
    const DUE: u64 = 3;
    let lasted = |session: &KeptSession| {
        let (first, last) = (session.messages.first()?, session.messages.last()?);
        u64::try_from(last.time.nanos_since(first.time)).ok()
    };
    let (was, is) = (old.heartbeats, new.heartbeats);
    let (some, with, without) = match (was, is) {
        (0, some) => (some, lasted(new)?, lasted(old)?),
        (some, 0) => (some, lasted(old)?, lasted(new)?),
        _ => return None,
    };
    let due = u128::from(some) * u128::from(without) / u128::from(with.max(1));
    let count = |number: u64| usize::try_from(number).unwrap_or(usize::MAX);
    (due >= u128::from(DUE)).then(|| (count(was), count(is)))
}

/// What is not as it was of what the protocol tells of a session.
fn aspects(rules: &Rules, old: &Session, new: &Session) -> Vec<SessionChange> {
    // Who the client is, and which version the session has, is known for sure only where its beginning was captured.
    let opened = |session: &Session| session.identity.services_requested.is_some();
    let both_opened = opened(old) && opened(new);
    let changed = |aspect: &Aspect| {
        let (was, is) = ((aspect.of)(old), (aspect.of)(new));
        let counts = match aspect.what {
            // How a session ended is known only where its end was captured.
            "end" => was.is_some() && is.is_some(),
            "close_status" => end(old).is_some() && end(new).is_some(),
            "refused" => true,
            _ => both_opened,
        };
        let differs = match treatment(rules, aspect) {
            Treatment::Value => was != is,
            Treatment::Ignored => false,
            Treatment::Varies | Treatment::Identity(_) => was.is_some() != is.is_some(),
        };
        (counts && differs).then_some(SessionChange {
            what: aspect.what,
            old: was,
            new: is,
        })
    };
    ASPECTS.iter().filter_map(changed).collect()
}

/// How something is compared that is told of a session: as the field that tells it.
fn treatment(rules: &Rules, aspect: &Aspect) -> Treatment {
    match rules.treatment(SESSION, aspect.what, None) {
        Treatment::Value => aspect.field.map_or(Treatment::Value, |(message, field)| {
            rules.treatment(message, field, None)
        }),
        treatment => treatment,
    }
}

/// What is told of sessions by fields of a message.
pub(super) fn aspects_by(message: &str) -> impl Iterator<Item = &'static Aspect> {
    let of_message = move |aspect: &&Aspect| aspect.field.is_some_and(|(of, _)| of == message);
    ASPECTS.iter().filter(of_message)
}

/// Whether something is told as a change of the session, or is not to be told of sessions.
pub(super) fn is_settled(rules: &Rules, changes: &[SessionChange], aspect: &Aspect) -> bool {
    changes.iter().any(|change| change.what == aspect.what)
        || rules.treatment(SESSION, aspect.what, None) == Treatment::Ignored
}

fn services(services: Option<u32>) -> Option<String> {
    services.map(|bits| shown(bits, value_table("CTIServiceMask")))
}

fn status(status: Option<u32>) -> Option<String> {
    status.map(|bits| shown(bits, value_table("StatusCode")))
}

fn end(session: &Session) -> Option<String> {
    let by = session.ended_by.map_or("either side", |by| by.sender());
    match session.end {
        Some(End::Finished(_)) => Some(format!("closed by the {by}")),
        Some(End::Reset(_)) => Some(format!("reset by the {by}")),
        _ => None,
    }
}

fn shown(bits: u32, table: Option<&'static ValueTable>) -> String {
    let value = super::lexicon::Value::Number {
        value: bits.into(),
        bits,
    };
    String::from_utf8_lossy(&value.show(table, None)).into_owned()
}
