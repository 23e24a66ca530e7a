//! Phones that Unified CM reports out of service: SYSTEM_EVENT again, one by one or many at once.

use super::waits::Waits;
use super::{Code, Context, Detector, Sighting, Sightings, known, words};
use crate::analysis::Seen;
use crate::finding::Severity;
use crate::limits;
use crate::protocol::types;
use crate::time::Timestamp;
use std::collections::{BTreeMap, VecDeque};

/// SYS_INSTRUMENT_OUT_OF_SERVICE of SystemEventID.
const OUT_OF_SERVICE: u32 = 10;
/// SYS_INSTRUMENT_BACK_IN_SERVICE.
const IN_SERVICE: u32 = 11;

/// Phones that are looked at together.
const MAX_BURST: usize = limits::MAX_TRIAGE_KEPT;

/// The detectors of this file.
pub(super) fn detectors() -> Vec<Box<dyn Detector + Send>> {
    vec![Box::new(Phones::default())]
}

/// A phone: its peripheral and its instrument.
type Phone = (u32, String);

#[derive(Debug, Default)]
struct Phones {
    /// Phones that are out, while it is open whether they come back soon.
    out: Waits<Phone, (Sighting, Timestamp)>,
    /// Phones that stayed out and were told.
    known_out: BTreeMap<Phone, ()>,
    /// Phones that went out lately.
    burst: VecDeque<(Timestamp, Sighting)>,
    /// Number of the burst that goes on.
    bursts: u32,
    goes_on: bool,
}

impl Phones {
    fn out(&mut self, phone: Phone, seen: &Seen<'_>, around: &Context, out: &mut Sightings) {
        if self.out.get_mut(&phone).is_some() || self.known_out.contains_key(&phone) {
            return;
        }
        let thresholds = around.thresholds();
        let time = seen.info.time;
        let mut sighting = Sighting::of(Code::PhoneOut, seen, format!("phone {}", phone.1))
            .group("phones out of service");
        let agents = &around.known().agents;
        sighting.agent = agents.at(Some(phone.0), &phone.1).map(str::to_owned);
        let mut one = Sighting::of(Code::PhonesLost, seen, format!("phone {}", phone.1));
        one.agent.clone_from(&sighting.agent);
        self.out
            .add(phone, time.after(thresholds.phone_back), (sighting, time));
        while self
            .burst
            .front()
            .is_some_and(|(first, _)| first.after(thresholds.phones_window) < time)
        {
            self.burst.pop_front();
            if self.burst.is_empty() {
                self.goes_on = false;
            }
        }
        if self.burst.len() >= MAX_BURST {
            self.burst.pop_front();
        }
        if self.goes_on {
            out.push(one.clone().group(self.heading()));
            self.burst.push_back((time, one));
            return;
        }
        self.burst.push_back((time, one));
        if super::thresholds::reaches(self.burst.len(), thresholds.phones) {
            self.goes_on = true;
            self.bursts += 1;
            let heading = self.heading();
            for (_, one) in &self.burst {
                out.push(one.clone().group(heading.clone()));
            }
        }
    }

    fn heading(&self) -> String {
        let again = match self.bursts {
            0 | 1 => String::new(),
            n => format!(" (time {n})"),
        };
        format!("many phones went out of service at once{again}")
    }

    fn due(&mut self, around: &Context, out: &mut Sightings) {
        while let Some((phone, (mut sighting, _), _)) = self.out.due(around.now()) {
            let wait = around.thresholds().phone_back.as_nanos();
            let wait = i64::try_from(wait).unwrap_or(i64::MAX);
            let wait = words::span(wait);
            sighting.text.push_str(&format!(": not back within {wait}"));
            out.push(sighting);
            if self.known_out.len() < MAX_BURST {
                self.known_out.insert(phone, ());
            }
        }
    }
}

impl Detector for Phones {
    fn message(&mut self, seen: &Seen<'_>, around: &Context, out: &mut Sightings) {
        self.due(around, out);
        if !seen.is(types::SYSTEM_EVENT) {
            return;
        }
        let (Some(peripheral), Some(instrument)) = (
            seen.raw("SystemEventArg1"),
            known::first_text(seen, &["Text", "EventDeviceID"]),
        ) else {
            return;
        };
        let phone = (peripheral, instrument);
        match seen.raw("SystemEventID") {
            Some(OUT_OF_SERVICE) => self.out(phone, seen, around, out),
            Some(IN_SERVICE) => {
                self.known_out.remove(&phone);
                if let Some((mut sighting, since)) = self.out.take(&phone) {
                    let span = words::span(seen.info.time.nanos_since(since));
                    sighting.text.push_str(&format!(": back after {span}"));
                    out.push(sighting.severity(Severity::Info));
                }
            }
            _ => {}
        }
    }

    fn finish(&mut self, around: &Context, out: &mut Sightings) {
        self.due(around, out);
        while let Some((_, (mut sighting, _), _)) = self.out.drain() {
            sighting.text.push_str(": not back when the capture ended");
            out.push(sighting.severity(Severity::Info));
        }
    }
}
