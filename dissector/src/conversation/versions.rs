//! The protocol version of a session: stated by OPEN_REQ, or decided once enough messages were weighed.

use super::connection::SessionState;
use super::core::Core;
use crate::decode::Decoder;
use crate::finding::{Code, Finding};
use crate::limits;
use crate::protocol::{self, Message, NEWEST, ProtocolVersion};
use crate::record::{Direction, MessageInfo, Notice, Record, Sink};
use crate::sequencer::Place;
use crate::session::{VersionSource, resolve};
use crate::time::Timestamp;

impl<S: Sink> Core<S> {
    /// Lets the session's beginning pass, now that what there is to know of it is known.
    pub(super) fn announce(&mut self, state: &mut SessionState) {
        let session = &state.session;
        self.sequencer
            .with_session(state.began, |began| *began = session.clone());
        self.sequencer.answered(state.began);
    }

    /// OPEN_REQ states the version, which rules the session from here on, this message included.
    pub(super) fn open_req(
        &mut self,
        state: &mut SessionState,
        bytes: &[u8],
        findings: &mut Vec<Finding>,
    ) {
        let forced = self.options.version;
        // VersionNumber stands at the same place in every version, so any version serves to read it.
        let any = ProtocolVersion(NEWEST.into());
        let stated = self
            .decoder
            .decode(bytes, any)
            .fixed_named("VersionNumber")
            .map(|f| f.number().bits);
        let Some(stated) = stated.map(ProtocolVersion) else {
            return;
        };
        if !stated.is_known() {
            let text = format!(
                "version {stated} is not known; decoded as version {}",
                forced.unwrap_or(stated).known()
            );
            findings.push(Finding::at(Code::VersionUnknown, 12, text));
        }
        let version = forced.unwrap_or(stated);
        let view = self.decoder.decode(bytes, version);
        state.session.opened(&view);
        if forced.is_none() {
            state.session.version = Some(version);
            state.session.version_source = VersionSource::Stated;
            state.evidence = None;
            if state.undecided {
                state.undecided = false;
                self.release(state);
            }
        }
    }

    /// Decides a session's version on what was weighed so far and lets its messages pass.
    pub(super) fn decide_version(&mut self, state: &mut SessionState) {
        if !state.undecided {
            return;
        }
        state.undecided = false;
        let (code, text) = match (state.session.version, state.session.version_source) {
            (Some(version), VersionSource::Inferred { oldest, newest }) if oldest == newest => (
                Code::VersionInferred,
                format!("version {version} inferred from the messages"),
            ),
            (_, VersionSource::Inferred { oldest, newest }) => (
                Code::VersionInferred,
                format!("version {oldest} to {newest} inferred from the messages"),
            ),
            _ => (
                Code::VersionUndecided,
                format!("the messages do not tell the version; {NEWEST} is assumed"),
            ),
        };
        let notice = Notice {
            code,
            text,
            time: Some(state.session.first),
            session: Some(state.session.peers.session),
        };
        self.release(state);
        self.sequencer.push(Record::Notice(&notice), 0);
    }

    /// The version is decided: the messages that waited for it pass.
    fn release(&mut self, state: &mut SessionState) {
        self.announce(state);
        let version = state
            .session
            .version
            .unwrap_or(ProtocolVersion(NEWEST.into()));
        let source = state.session.version_source;
        for unsettled in std::mem::take(&mut state.unsettled) {
            self.sequencer
                .with_message(unsettled.place, |info| unsettled.settle(info, version));
        }
        for place in std::mem::take(&mut state.waiting) {
            self.sequencer.with_message(place, |info| {
                info.version = version;
                info.version_source = source;
            });
            self.sequencer.answered(place);
        }
    }

    pub(super) fn next_overdue_inference(&mut self, now: Timestamp) -> Option<u32> {
        let (deadline, connection) = *self.inferring.front()?;
        if deadline > now && self.inferring.len() <= limits::MAX_OPEN_REQUESTS {
            return None;
        }
        self.inferring.pop_front();
        Some(connection)
    }
}

/// A message that waits for the version to know what it is.
pub(super) struct Unsettled {
    pub place: Place,
    /// The last version in which it may be the older message, and what it is up to then and from then on.
    until: u8,
    older: Option<&'static Message>,
    newer: Option<&'static Message>,
}

impl Unsettled {
    /// What a message may be, if that depends on the version.
    pub(super) fn of(
        decoder: &mut Decoder,
        info: &MessageInfo,
        bytes: &[u8],
        renumbered: Option<bool>,
        place: Place,
    ) -> Option<Self> {
        let until = protocol::alternatives(info.number).find_map(|(_, a)| a.until)?;
        let from = match info.direction {
            Direction::ClientToServer => protocol::Sender::Client,
            Direction::ServerToClient => protocol::Sender::Server,
        };
        let mut at = |version: u8| {
            let version = Some(ProtocolVersion(version.into()));
            resolve(decoder, bytes, info.number, from, version, renumbered).0
        };
        Some(Self {
            place,
            until,
            older: at(until),
            newer: at(NEWEST),
        })
    }

    /// Settles what it is. A message that takes part in an exchange stays what it was taken for.
    fn settle(&self, info: &mut MessageInfo, version: ProtocolVersion) {
        let message = if version.known() <= self.until {
            self.older
        } else {
            self.newer
        };
        let is_free = |message: Option<&Message>| {
            message.is_none_or(|m| m.layouts.first().is_none_or(|l| !l.invoke_id))
        };
        if is_free(message) && is_free(info.message) {
            info.message = message;
        }
    }
}
