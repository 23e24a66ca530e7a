//! Triage: what went wrong in a capture, the most important first, with what it usually means and what to check next.
//!
//! [`catalog`](Code) is the table of what can be found, [`Thresholds`] the table of the numbers that decide. Detectors, one file a subject,
//! look at all records and tell [`Sighting`]s; at the end these are grouped, effects are counted under their causes, and the rest is ranked.
//! Detectors never say that something is missing unless it would have been captured ([`Context::can_miss`]), and hold back while state is
//! being rebuilt after a failover ([`Context::recovering`]).

mod agents;
mod calls;
mod capture;
mod catalog;
mod clocks;
mod connecting;
mod context;
mod data;
mod dual;
mod ending;
mod facts;
mod fold;
mod grants;
mod heartbeats;
mod hints;
mod known;
mod maintenance;
mod network;
mod opening;
mod opens;
mod pair;
mod phones;
mod plant;
mod rank;
mod reference;
mod remembered;
mod requests;
mod sides;
mod sighting;
mod slow;
mod thresholds;
mod tls;
mod waits;
mod words;

pub use catalog::Code;
pub use context::Context;
pub use facts::{Granted, Opened, PairSide, SessionFacts};
pub use network::{Event, EventKind, TlsEnd, Wire};
pub use pair::{is_other_side, server_name};
pub use rank::{Example, Problem};
pub use reference::reference;
pub use sighting::{Sighting, Sightings};
pub use thresholds::{ThresholdError, Thresholds};

use crate::analysis::{Analysis, Seen};
use crate::capture::Segment;
use crate::correlate::Exchange;
use crate::ports::Ports;
use crate::reassembly::End;
use crate::record::{BreakRecord, Notice, Record};
use crate::session::Session;

/// Looks for some kinds of trouble. Each method gets what happens, in order, and what is known around it; the context already knows of it.
pub trait Detector {
    /// The next message.
    fn message(&mut self, seen: &Seen<'_>, around: &Context, out: &mut Sightings) {
        let _ = (seen, around, out);
    }

    /// A request and what became of it.
    fn exchange(&mut self, exchange: &Exchange, around: &Context, out: &mut Sightings) {
        let _ = (exchange, around, out);
    }

    /// A session began.
    fn began(&mut self, session: &Session, around: &Context, out: &mut Sightings) {
        let _ = (session, around, out);
    }

    /// A session ended; also at the end of the capture, with `End::CaptureEnded`.
    fn ended(&mut self, session: &Session, around: &Context, out: &mut Sightings) {
        let _ = (session, around, out);
    }

    /// Bytes of a session are missing.
    fn broke(&mut self, record: &BreakRecord, around: &Context, out: &mut Sightings) {
        let _ = (record, around, out);
    }

    /// The dissector has a finding about a session or the capture.
    fn notice(&mut self, notice: &Notice, around: &Context, out: &mut Sightings) {
        let _ = (notice, around, out);
    }

    /// TCP did something on a connection for CTI; much earlier than messages that are held back.
    fn wire(&mut self, event: &Event, around: &Context, out: &mut Sightings) {
        let _ = (event, around, out);
    }

    /// The capture is over.
    fn finish(&mut self, around: &Context, out: &mut Sightings) {
        let _ = (around, out);
    }
}

/// All detectors over one capture.
pub struct Triage {
    context: Context,
    detectors: Vec<Box<dyn Detector + Send>>,
    sightings: Sightings,
    /// Only what touches selected messages is told.
    selective: bool,
}

/// All detectors.
fn detectors() -> Vec<Box<dyn Detector + Send>> {
    let parts = [
        opening::detectors(),
        heartbeats::detectors(),
        ending::detectors(),
        sides::detectors(),
        maintenance::detectors(),
        plant::detectors(),
        phones::detectors(),
        clocks::detectors(),
        agents::detectors(),
        requests::detectors(),
        slow::detectors(),
        calls::detectors(),
        data::detectors(),
        network::detectors(),
        capture::detectors(),
    ];
    parts.into_iter().flatten().collect()
}

impl Triage {
    /// Nothing seen yet. `selective` when the user asked for some messages only: findings that touch none of them are left out.
    #[must_use]
    pub fn new(thresholds: Thresholds, selective: bool) -> Self {
        Self {
            context: Context::new(thresholds),
            detectors: detectors(),
            sightings: Sightings::default(),
            selective,
        }
    }

    /// The same, where CTI is expected on these ports: connections to them matter even if they never carry a message.
    #[must_use]
    pub fn with_ports(mut self, ports: Ports) -> Self {
        self.context.expect(ports);
        self
    }

    /// What was found, the most important first. Call after the last record.
    #[must_use]
    pub fn finish(mut self) -> Vec<Problem> {
        self.context.finish();
        self.tell_events();
        self.tell(|detector, context, out| detector.finish(context, out));
        rank::rank(self.sightings, self.context.thresholds())
    }

    /// Lets every detector see what TCP did.
    fn tell_events(&mut self) {
        for event in self.context.take_events() {
            self.tell(|detector, context, out| detector.wire(&event, context, out));
        }
    }

    /// Lets every detector see something, and drops what it tells of things that nobody asked for.
    fn tell(&mut self, mut tell: impl FnMut(&mut (dyn Detector + Send), &Context, &mut Sightings)) {
        let before = self.sightings.list.len();
        for detector in &mut self.detectors {
            tell(&mut **detector, &self.context, &mut self.sightings);
        }
        if self.selective && self.sightings.list.len() > before {
            let context = &self.context;
            let mut index = 0;
            self.sightings.list.retain(|sighting| {
                index += 1;
                index <= before || wanted(context, sighting)
            });
        }
        self.sightings.settle(before);
    }
}

/// Whether a sighting touches what was asked for: its message, else its session, else the capture as a whole.
fn wanted(context: &Context, sighting: &Sighting) -> bool {
    let message = sighting.message.and_then(|no| context.is_selected(no));
    let session = || {
        let sessions = [sighting.session, sighting.other_session];
        let facts = sessions.into_iter().flatten();
        facts
            .filter_map(|number| context.session(number))
            .map(|facts| facts.selected)
            .reduce(|one, other| one || other)
    };
    message.or_else(session).unwrap_or(true)
}

impl Analysis for Triage {
    fn message(&mut self, seen: &Seen<'_>) {
        self.context.message(seen);
        self.tell(|detector, context, out| detector.message(seen, context, out));
    }

    fn record(&mut self, record: &Record<'_>) {
        match record {
            Record::Message(..) => {}
            Record::Exchange(exchange) => {
                self.context.advance(exchange.time);
                self.tell(|detector, context, out| detector.exchange(exchange, context, out));
            }
            Record::SessionBegan(session) => {
                self.context.began(session);
                self.tell(|detector, context, out| detector.began(session, context, out));
            }
            Record::SessionEnded(session) => {
                self.context.ended(session, is_lost(session));
                self.tell(|detector, context, out| detector.ended(session, context, out));
            }
            Record::Break(record) => {
                self.context.broke(record);
                self.tell(|detector, context, out| detector.broke(record, context, out));
            }
            Record::Notice(notice) => {
                self.tell(|detector, context, out| detector.notice(notice, context, out));
            }
        }
    }

    fn segment(&mut self, segment: &Segment<'_>) {
        self.context.segment(segment);
        self.tell_events();
    }
}

/// Whether a session ended without a goodbye.
const fn is_lost(session: &Session) -> bool {
    session.close_status.is_none()
        && session.refused.is_none()
        && matches!(
            session.end,
            Some(End::Finished(_) | End::Reset(_) | End::Replaced)
        )
}
