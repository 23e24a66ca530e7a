//! One time that something was seen, as detectors tell it.

use super::{Code, Context, SessionFacts};
use crate::analysis::Seen;
use crate::capture::PacketId;
use crate::correlate::Part;
use crate::finding::Severity;
use crate::limits;
use crate::record::Packets;
use crate::time::Timestamp;
use std::collections::BTreeMap;

/// One time that something was seen.
#[derive(Debug, Clone)]
pub struct Sighting {
    /// What.
    pub code: Code,
    /// How much it matters this time.
    pub severity: Severity,
    /// What the sightings that make one finding have in common, as words that can head them: "S3, agent 1001". Empty: all of the code.
    pub group: String,
    /// What was seen this time.
    pub text: String,
    /// When.
    pub time: Timestamp,
    /// The session it is about.
    pub session: Option<u32>,
    /// Another session that it is about too.
    pub other_session: Option<u32>,
    /// The message to look at.
    pub message: Option<u64>,
    /// The packets to look at.
    pub packets: Packets,
    /// The agent it touches.
    pub agent: Option<String>,
    /// The call it touches.
    pub call: Option<u32>,
    /// More agents that it touches.
    pub more_agents: Vec<String>,
    /// More calls that it touches.
    pub more_calls: Vec<u32>,
    /// What more is known about just this, such as the meaning of a status.
    pub hint: Option<String>,
}

impl Sighting {
    /// Something seen at a time, with the usual severity.
    #[must_use]
    pub fn new(code: Code, time: Timestamp, text: impl Into<String>) -> Self {
        Self {
            code,
            severity: code.severity(),
            group: String::new(),
            text: text.into(),
            time,
            session: None,
            other_session: None,
            message: None,
            packets: Packets::default(),
            agent: None,
            call: None,
            more_agents: Vec::new(),
            more_calls: Vec::new(),
            hint: None,
        }
    }

    /// Something about a message.
    #[must_use]
    pub fn of(code: Code, seen: &Seen<'_>, text: impl Into<String>) -> Self {
        let mut sighting = Self::new(code, seen.info.time, text);
        sighting.session = Some(seen.info.peers.session);
        sighting.message = Some(seen.info.no);
        sighting.packets = seen.info.packets.clone();
        sighting
    }

    /// Something about a message that was seen before, told by its part in an exchange.
    #[must_use]
    pub fn of_part(
        code: Code,
        session: u32,
        part: &Part,
        around: &Context,
        text: impl Into<String>,
    ) -> Self {
        let mut sighting = Self::new(code, part.time, text);
        sighting.session = Some(session);
        sighting.message = Some(part.no);
        sighting.packets = around.packets(part.no);
        sighting
    }

    /// With another severity.
    #[must_use]
    pub fn severity(mut self, severity: Severity) -> Self {
        self.severity = severity;
        self
    }

    /// One of a group.
    #[must_use]
    pub fn group(mut self, group: impl Into<String>) -> Self {
        self.group = group.into();
        self
    }

    /// About a session.
    #[must_use]
    pub fn session(mut self, session: u32) -> Self {
        self.session = Some(session);
        self
    }

    /// About another session as well.
    #[must_use]
    pub fn and_session(mut self, session: u32) -> Self {
        self.other_session = Some(session);
        self
    }

    /// About a packet that carries no whole message.
    #[must_use]
    pub fn packet(mut self, packet: PacketId) -> Self {
        self.packets = Packets::from(&[packet][..]);
        self
    }

    /// About the end of a session: its last message, and the packet that ended it.
    #[must_use]
    pub fn end_of(mut self, facts: &SessionFacts, around: &Context) -> Self {
        self.session = Some(facts.peers.session);
        self.message = facts.last_no;
        let packet = around
            .wire()
            .end_packet(facts.peers.client, facts.peers.server);
        if let Some(packet) = packet {
            self = self.packet(packet);
        }
        self
    }

    /// About a message by its number.
    #[must_use]
    pub fn message(mut self, no: u64, around: &Context) -> Self {
        self.message = Some(no);
        self.packets = around.packets(no);
        self
    }

    /// Touching an agent.
    #[must_use]
    pub fn agent(mut self, agent: impl Into<String>) -> Self {
        self.agent = Some(agent.into());
        self
    }

    /// Touching a call.
    #[must_use]
    pub fn call(mut self, call: u32) -> Self {
        self.call = Some(call);
        self
    }

    /// Touching several agents and calls.
    #[must_use]
    pub fn touching(mut self, agents: Vec<String>, calls: Vec<u32>) -> Self {
        self.more_agents = agents;
        self.more_calls = calls;
        self
    }

    /// With what more is known.
    #[must_use]
    pub fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }
}

/// What detectors have told so far.
#[derive(Debug, Default)]
pub struct Sightings {
    pub(super) list: Vec<Sighting>,
    /// Those beyond [`limits::MAX_SIGHTINGS`].
    pub(super) uncounted: BTreeMap<Code, u64>,
    /// How many of each group were kept.
    kept: BTreeMap<(Code, String), usize>,
    /// Those of a group beyond [`limits::MAX_SIGHTINGS_OF_ONE`]: how many, and the time of the last one.
    pub(super) more: BTreeMap<(Code, String), (u64, Timestamp)>,
    /// Severities of whole groups.
    pub(super) severities: BTreeMap<(Code, String), Severity>,
    /// What more is known of whole groups.
    pub(super) hints: BTreeMap<(Code, String), String>,
}

impl Sightings {
    /// Tells one.
    pub fn push(&mut self, sighting: Sighting) {
        if self.list.len() < limits::MAX_SIGHTINGS {
            self.list.push(sighting);
        } else {
            *self.uncounted.entry(sighting.code).or_default() += 1;
        }
    }

    /// Looks at those told since there were `before`: of one group only so many are kept, lest it crowd out all others.
    pub(super) fn settle(&mut self, before: usize) {
        if self.list.len() <= before {
            return;
        }
        for sighting in self.list.split_off(before) {
            let key = (sighting.code, sighting.group.clone());
            let kept = self.kept.entry(key.clone()).or_default();
            if *kept < limits::MAX_SIGHTINGS_OF_ONE {
                *kept += 1;
                self.list.push(sighting);
                continue;
            }
            let (count, last) = self.more.entry(key).or_insert((0, sighting.time));
            *count += 1;
            *last = sighting.time.max(*last);
        }
    }

    /// Says more of a whole group: what only all of its sightings show.
    pub fn hint(&mut self, code: Code, group: &str, hint: impl Into<String>) {
        if self.hints.len() < limits::MAX_SIGHTINGS {
            self.hints.insert((code, group.to_owned()), hint.into());
        }
    }

    /// Gives a whole group a severity, whatever its sightings have: for what only their number or share tells.
    pub fn set_severity(&mut self, code: Code, group: impl Into<String>, severity: Severity) {
        if self.severities.len() < limits::MAX_SIGHTINGS {
            self.severities.insert((code, group.into()), severity);
        }
    }
}
