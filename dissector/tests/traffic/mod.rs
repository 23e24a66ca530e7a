//! Busy sessions of any protocol version, and the truth about them: flows of calls, agents, statistics, configuration,
//! snapshots and heartbeats that overlap, with values as [`generate`] makes them. The same seed gives the same traffic.
#![allow(dead_code)] // Each test program uses its own part.

pub mod check;
pub mod wire;

use crate::generate::{self, Random, Wish, published};
use cti_dissector::Timestamp;
use cti_dissector::protocol::{Kind, Message, ProtocolVersion, Sender, message_by_name};
use ctishark_fixtures::Side;
use std::collections::HashMap;

/// What the traffic shall be like.
#[derive(Debug, Clone, Copy)]
pub struct Taste {
    /// Messages, more or less.
    pub messages: usize,
    /// TCP connections.
    pub connections: usize,
    /// The capture sees the handshakes, and sessions begin with OPEN_REQ.
    pub opened: bool,
    /// Of 16 messages, how many travel with the next one in one segment.
    pub joined: usize,
    /// Some messages are of any type, with any values that their fields can hold.
    pub odd: bool,
    /// Texts and opaque fields contain whole CTI messages now and then.
    pub hostile: bool,
    /// InvokeIDs are used again after so many; 0 for never.
    pub invoke_ids: u32,
}

impl Taste {
    /// A site's usual traffic, seen from the middle.
    pub const USUAL: Self = Self {
        messages: 400,
        connections: 2,
        opened: false,
        joined: 5,
        odd: false,
        hostile: false,
        invoke_ids: 0,
    };
}

/// A message that was sent.
#[derive(Debug, Clone)]
pub struct Said {
    pub connection: usize,
    pub side: Side,
    pub time: Timestamp,
    pub message: &'static Message,
    pub bytes: Vec<u8>,
    /// The request that it answers: its index.
    pub answers: Option<usize>,
    /// Travels with the next message of its side.
    pub joined: bool,
}

/// All that was said, in order of time.
#[derive(Debug)]
pub struct Talk {
    pub version: ProtocolVersion,
    pub connections: usize,
    pub opened: bool,
    pub said: Vec<Said>,
}

/// What happens together, step by step. Requests are answered by themselves; messages that a version does not have yet are
/// left out. A number stands in front of steps that come several times.
type Flow = (usize, &'static [(usize, &'static str)]);

/// Flows with how often they happen.
const FLOWS: &[Flow] = &[
    (
        6,
        &[
            (1, "AGENT_PRE_CALL_EVENT"),
            (3, "AGENT_STATE_EVENT"),
            (1, "BEGIN_CALL_EVENT"),
            (1, "CALL_DATA_UPDATE_EVENT"),
            (1, "CALL_DELIVERED_EVENT"),
            (1, "ANSWER_CALL_REQ"),
            (1, "CALL_ESTABLISHED_EVENT"),
            (2, "RTP_STARTED_EVENT"),
            (3, "AGENT_STATE_EVENT"),
            (1, "HOLD_CALL_REQ"),
            (1, "CALL_HELD_EVENT"),
            (1, "RETRIEVE_CALL_REQ"),
            (1, "CALL_RETRIEVED_EVENT"),
            (1, "SET_CALL_DATA_REQ"),
            (1, "CALL_DATA_UPDATE_EVENT"),
            (2, "CALL_CONNECTION_CLEARED_EVENT"),
            (1, "CALL_CLEARED_EVENT"),
            (2, "RTP_STOPPED_EVENT"),
            (3, "AGENT_STATE_EVENT"),
            (1, "END_CALL_EVENT"),
        ],
    ),
    (
        2,
        &[
            (1, "CONSULTATION_CALL_REQ"),
            (1, "CALL_HELD_EVENT"),
            (1, "BEGIN_CALL_EVENT"),
            (1, "CALL_SERVICE_INITIATED_EVENT"),
            (1, "CALL_ORIGINATED_EVENT"),
            (1, "CALL_DELIVERED_EVENT"),
            (1, "CALL_ESTABLISHED_EVENT"),
            (1, "CONFERENCE_CALL_REQ"),
            (1, "CALL_CONFERENCED_EVENT"),
            (1, "TRANSFER_CALL_REQ"),
            (1, "CALL_TRANSFERRED_EVENT"),
            (2, "END_CALL_EVENT"),
        ],
    ),
    (
        2,
        &[
            (1, "MAKE_CALL_REQ"),
            (1, "BEGIN_CALL_EVENT"),
            (1, "CALL_ORIGINATED_EVENT"),
            (1, "CALL_REACHED_NETWORK_EVENT"),
            (1, "CALL_FAILED_EVENT"),
            (1, "CLEAR_CONNECTION_REQ"),
            (1, "END_CALL_EVENT"),
        ],
    ),
    (
        2,
        &[
            (1, "CALL_QUEUED_EVENT"),
            (1, "CALL_DEQUEUED_EVENT"),
            (1, "CALL_DIVERTED_EVENT"),
            (1, "CALL_TRANSLATION_ROUTE_EVENT"),
        ],
    ),
    (4, &[(1, "SET_AGENT_STATE_REQ"), (4, "AGENT_STATE_EVENT")]),
    (4, &[(1, "HEARTBEAT_REQ")]),
    (3, &[(8, "QUERY_SKILL_GROUP_STATISTICS_REQ")]),
    (1, &[(4, "QUERY_AGENT_STATISTICS_REQ")]),
    (
        2,
        &[
            (2, "QUERY_AGENT_STATE_REQ"),
            (2, "SNAPSHOT_DEVICE_REQ"),
            (2, "SNAPSHOT_CALL_REQ"),
            (1, "QUERY_DEVICE_INFO_REQ"),
        ],
    ),
    (
        1,
        &[
            (1, "CONFIG_BEGIN_EVENT"),
            (1, "CONFIG_SERVICE_EVENT"),
            (2, "CONFIG_SKILL_GROUP_EVENT"),
            (3, "CONFIG_AGENT_EVENT"),
            (1, "CONFIG_DEVICE_EVENT"),
            (1, "CONFIG_CALL_TYPE_EVENT"),
            (1, "CONFIG_END_EVENT"),
        ],
    ),
    (
        1,
        &[
            (1, "SYSTEM_EVENT"),
            (1, "AGENT_TEAM_CONFIG_EVENT"),
            (1, "LIST_AGENT_TEAM_REQ"),
            (1, "MONITOR_AGENT_TEAM_START_REQ"),
        ],
    ),
    (
        1,
        &[
            (1, "START_RECORDING_REQ"),
            (1, "STOP_RECORDING_REQ"),
            (1, "SUPERVISE_CALL_REQ"),
            (1, "USER_MESSAGE_REQ"),
            (1, "USER_MESSAGE_EVENT"),
            (1, "REGISTER_VARIABLES_REQ"),
        ],
    ),
];

const MICROSECOND: i64 = 1_000;
const MILLISECOND: i64 = 1_000_000;
/// 2026-11-23 10:00:00 UTC.
const BEGIN: i64 = 1_795_428_000_000_000_000;

/// A message that is going to be sent.
struct Plan {
    time: i64,
    connection: usize,
    side: Side,
    message: &'static Message,
    /// Names a request, for the answer that points to it.
    key: u64,
    answers: Option<u64>,
    any_values: bool,
}

struct Planner<'r> {
    random: &'r mut Random,
    version: ProtocolVersion,
    all_answered: bool,
    plans: Vec<Plan>,
}

impl Planner<'_> {
    fn exists(&self, message: &Message) -> bool {
        message.since.is_none_or(|s| s <= self.version.known())
    }

    fn add(&mut self, time: i64, connection: usize, message: &'static Message, any_values: bool) {
        if !self.exists(message) {
            return;
        }
        let side = match message.sender {
            Sender::Client => Side::Client,
            Sender::Server => Side::Server,
            Sender::Either => *self.random.pick(&[Side::Client, Side::Server]),
        };
        let key = self.random.next();
        self.plans.push(Plan {
            time,
            connection,
            side,
            message,
            key,
            answers: None,
            any_values,
        });
        if message.kind == Kind::Request {
            self.answer(time, connection, side, message, key, any_values);
        }
    }

    /// Most requests are confirmed after a while, some fail, few stay without answer.
    fn answer(
        &mut self,
        asked: i64,
        connection: usize,
        side: Side,
        request: &Message,
        key: u64,
        any_values: bool,
    ) {
        let name = match (self.random.below(32), request.service) {
            (0, _) if !self.all_answered => return,
            (1, "client-control") => "CONTROL_FAILURE_CONF",
            (1, _) => "FAILURE_CONF",
            _ => "",
        };
        let message = match (name, request.reply) {
            ("", Some(reply)) => cti_dissector::protocol::message(reply),
            ("", None) => None,
            (name, _) => message_by_name(name),
        };
        let Some(message) = message.filter(|m| self.exists(m)) else {
            return;
        };
        let wait = i64::try_from(200 + self.random.below(60_000)).unwrap() * MICROSECOND;
        self.plans.push(Plan {
            time: asked + wait,
            connection,
            side: side.other(),
            message,
            key: 0,
            answers: Some(key),
            any_values,
        });
    }

    fn flow(&mut self, connection: usize, begin: i64) {
        let total: usize = FLOWS.iter().map(|(weight, _)| weight).sum();
        let mut ticket = self.random.below(total);
        let (_, steps) = FLOWS
            .iter()
            .find(|(weight, _)| match ticket.checked_sub(*weight) {
                Some(left) => {
                    ticket = left;
                    false
                }
                None => true,
            })
            .unwrap();
        let mut time = begin;
        for (most, name) in *steps {
            let message = message_by_name(name).unwrap();
            for _ in 0..=self.random.below(*most) {
                self.add(time, connection, message, false);
                // Steps that belong to one cause come almost together.
                let step = match self.random.below(3) {
                    0 => self.random.below(200_000),
                    _ => self.random.below(2_000),
                };
                time += i64::try_from(step).unwrap() * MICROSECOND;
            }
        }
    }
}

/// Makes traffic.
pub fn talk(version: ProtocolVersion, taste: Taste, random: &mut Random) -> Talk {
    let mut planner = Planner {
        random,
        version,
        // Nobody can tell an answer to a repeated InvokeID from one to the request that stayed without.
        all_answered: taste.invoke_ids > 0,
        plans: Vec::new(),
    };
    let second = 1000 * MILLISECOND;
    // About 150 messages a second and connection.
    let span =
        i64::try_from(taste.messages / taste.connections).unwrap() * second / 150 + second / 4;
    let odd: Vec<&'static Message> = published()
        .filter(|m| {
            !matches!(
                m.name,
                "OPEN_REQ" | "OPEN_CONF" | "CLOSE_REQ" | "CLOSE_CONF"
            )
        })
        .collect();
    while planner.plans.len() < taste.messages {
        let connection = planner.random.below(taste.connections);
        let at = BEGIN + i64::try_from(planner.random.next() >> 33).unwrap() % span;
        if taste.odd && planner.random.once_in(3) {
            let message = *planner.random.pick(&odd);
            let any_values = planner.random.once_in(2);
            planner.add(at, connection, message, any_values);
        } else {
            planner.flow(connection, at);
        }
    }
    if taste.opened {
        let open = message_by_name("OPEN_REQ").unwrap();
        for connection in 0..taste.connections {
            let before = BEGIN - second + i64::try_from(connection).unwrap() * MILLISECOND;
            planner.add(before, connection, open, false);
        }
    }
    let mut plans = planner.plans;
    plans.sort_by_key(|plan| plan.time);
    let mut said = say(version, taste, plans, random);
    settle_joins(&mut said);
    Talk {
        version,
        connections: taste.connections,
        opened: taste.opened,
        said,
    }
}

/// Turns plans, in order of time, into bytes.
fn say(version: ProtocolVersion, taste: Taste, plans: Vec<Plan>, random: &mut Random) -> Vec<Said> {
    let mut asked: HashMap<u64, (usize, i64)> = HashMap::new();
    let mut next = vec![1 + u32::try_from(random.below(300_000)).unwrap(); taste.connections];
    let mut said: Vec<Said> = Vec::new();
    for plan in plans {
        let earlier = plan.answers.and_then(|key| asked.get(&key).copied());
        let invoke_id = match earlier {
            Some((_, invoke_id)) => invoke_id,
            None => {
                let id = &mut next[plan.connection];
                *id += 1;
                i64::from(id.checked_rem(taste.invoke_ids).unwrap_or(*id))
            }
        };
        let fixed = [
            ("InvokeID", invoke_id),
            ("VersionNumber", i64::from(version.0)),
            ("More", 0),
        ];
        let smuggled = match said.last() {
            Some(other) if taste.hostile => other.bytes.clone(),
            _ => Vec::new(),
        };
        let smuggled = smuggle(smuggled, &said, random);
        let entries = match random.below(24) {
            0 => 60,
            1..=6 => 10,
            _ => 3,
        };
        let wish = Wish {
            fixed: &fixed,
            usual: !plan.any_values,
            lifelike: !plan.any_values,
            entries,
            smuggled: &smuggled,
        };
        let mut made = generate::message(plan.message, version, random, wish);
        while made.bytes.len() > 12_500 {
            let wish = Wish { entries: 3, ..wish };
            made = generate::message(plan.message, version, random, wish);
        }
        if plan.message.kind == Kind::Request {
            asked.insert(plan.key, (said.len(), invoke_id));
        }
        said.push(Said {
            connection: plan.connection,
            side: plan.side,
            time: Timestamp::from_nanos(plan.time),
            message: plan.message,
            bytes: made.bytes,
            answers: earlier.map(|(index, _)| index),
            joined: random.below(16) < taste.joined,
        });
    }
    said
}

/// Messages wait for the next one of their side only as long as that is believable: requests are sent before their answers.
fn settle_joins(said: &mut [Said]) {
    const LONGEST: i64 = 300 * MILLISECOND;
    let mut answered: HashMap<usize, i64> = HashMap::new();
    for answer in said.iter() {
        if let Some(request) = answer.answers {
            answered.insert(request, answer.time.nanos());
        }
    }
    // When the next message of each side leaves.
    let mut next: HashMap<(usize, Side), i64> = HashMap::new();
    for (index, message) in said.iter_mut().enumerate().rev() {
        let sender = (message.connection, message.side);
        let leaves = next.get(&sender).copied();
        message.joined &= leaves.is_some_and(|leaves| {
            let in_time = answered.get(&index).is_none_or(|answer| leaves < *answer);
            in_time && leaves - message.time.nanos() < LONGEST
        });
        let time = match leaves {
            Some(leaves) if message.joined => leaves,
            _ => message.time.nanos(),
        };
        next.insert(sender, time);
    }
}

/// What hostile fields contain: one message of the session or several, so short that fields can hold them.
fn smuggle(last: Vec<u8>, said: &[Said], random: &mut Random) -> Vec<u8> {
    if last.is_empty() {
        return last;
    }
    let mut bytes = Vec::new();
    for _ in 0..=random.below(4) {
        let other = random.pick(said);
        if bytes.len() + other.bytes.len() <= 120 {
            bytes.extend(&other.bytes);
        }
    }
    bytes
}
