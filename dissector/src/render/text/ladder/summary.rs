//! What stands above a ladder: what the call came to, its names, numbers, times, parties, data and end.

use super::super::clock;
use super::super::pen::{Paint, Pen};
use super::{Stories, assigned};
use crate::analysis::calls::{Call, Outcome, Party};

impl Stories {
    /// What the call came to.
    pub(super) fn summary(&mut self, pen: &mut Pen<'_>, call: &Call) {
        pen.painted(Paint::Label, &format!("call {}", call.no));
        pen.put("  ");
        pen.put(call.outcome.name());
        for feature in &call.features {
            pen.put(", ");
            pen.put(feature.name());
        }
        pen.end_line();
        self.lead(pen, "when");
        clock::date(pen, self.clock.day(&self.look.zone, call.first));
        pen.put(" ");
        self.moment(pen, call.first);
        pen.put(" to ");
        self.moment(pen, call.until);
        pen.put(", ");
        clock::duration(pen, call.duration());
        if call.outcome == Outcome::Open {
            pen.put(", not over");
        }
        pen.end_line();
        self.identity(pen, call);
        self.lead(pen, "times");
        for (word, nanos) in [
            ("queue ", call.times.queue),
            (", ring ", call.times.ring),
            (", talk ", call.times.talk),
            (", hold ", call.times.hold),
        ] {
            pen.put(word);
            span(pen, nanos);
        }
        if let Some(after) = call.answered_after {
            pen.put("; answered after ");
            clock::duration(pen, after);
        }
        pen.end_line();
        for (index, party) in call.parties.iter().enumerate() {
            self.lead(pen, if index == 0 { "parties" } else { "" });
            self::party(pen, party);
            pen.end_line();
        }
        self.ending(pen, call);
        if !call.variables.is_empty() {
            self.lead(pen, "data");
            let told = ["ANI", "DNIS", "DialedNumber"];
            let values: Vec<Vec<u8>> = call
                .variables
                .iter()
                .filter(|(name, _)| !told.contains(&name.as_str()))
                .map(|(name, value)| self.piece(|pen| assigned(pen, name, value)))
                .collect();
            self.wrapped(pen, &values, 12);
        }
        for request in &call.failed_requests {
            self.lead(pen, "failed");
            pen.put(&format!("#{} {} ", request.no, request.name));
            pen.painted(Paint::Bad, &request.reason());
            pen.end_line();
        }
        let listed = u64::try_from(call.failed_requests.len()).unwrap_or(u64::MAX);
        if call.failed_request_count > listed {
            self.lead(pen, "");
            pen.put(&format!(
                "and {} more requests",
                call.failed_request_count - listed
            ));
            pen.end_line();
        }
        self.lead(pen, "messages");
        let sessions: Vec<String> = call.sessions.iter().map(|s| format!("S{s}")).collect();
        pen.put(&format!(
            "{}, #{} to #{}, in {}",
            call.messages,
            call.first_message,
            call.last_message,
            sessions.join(", ")
        ));
        pen.end_line();
        if !call.findings.is_empty() {
            self.lead(pen, "findings");
            let findings = call.findings.iter();
            let findings: Vec<String> = findings
                .map(|(code, count)| format!("{} {}", count, code.name()))
                .collect();
            pen.painted(Paint::Doubtful, &findings.join(", "));
            pen.end_line();
        }
    }

    /// What the call is called.
    fn identity(&self, pen: &mut Pen<'_>, call: &Call) {
        self.lead(pen, "ids");
        for (index, id) in call.ids.iter().enumerate() {
            if index > 0 {
                pen.put(", ");
            }
            pen.number(id.id.into());
            let before = index.checked_sub(1).and_then(|i| call.ids.get(i));
            if let Some(peripheral) = id.peripheral
                && before.is_none_or(|before| before.peripheral != id.peripheral)
            {
                pen.put(&format!(" (peripheral {peripheral})"));
            }
        }
        if call.ids.is_empty() {
            pen.put(match call.outcome {
                Outcome::Open => "none yet: it was announced",
                _ => "none: it never came",
            });
        }
        for key in &call.router_keys {
            pen.put(&format!(", RouterCallKey {key}"));
        }
        for reference in &call.references {
            pen.put(&format!(", CallReferenceID {reference}"));
        }
        pen.end_line();
        let told = [
            ("ANI", call.ani.as_deref()),
            ("DNIS", call.dnis.as_deref()),
            ("DialedNumber", call.dialed.as_deref()),
        ];
        let call_type = call.call_type_name();
        let told = told.into_iter().chain([("CallType", call_type.as_deref())]);
        let mut any = false;
        for (name, value) in told {
            let Some(value) = value else { continue };
            if any {
                pen.put(", ");
            } else {
                self.lead(pen, "numbers");
            }
            any = true;
            pen.put(name);
            pen.put(" ");
            pen.escaped(value.as_bytes());
        }
        if any {
            pen.end_line();
        }
    }

    fn ending(&self, pen: &mut Pen<'_>, call: &Call) {
        let by = call.ended_by.and_then(|index| call.parties.get(index));
        let cause = call.cause_name();
        if by.is_none() && cause.is_none() {
            return;
        }
        self.lead(pen, "end");
        if let Some(party) = by {
            pen.escaped(party.label().as_bytes());
            pen.put(" hung up");
        }
        if let Some(cause) = cause {
            pen.put(if by.is_some() { ", " } else { "" });
            pen.put(&cause);
        }
        pen.end_line();
    }

    /// Begins a line with what it tells.
    pub(super) fn lead(&self, pen: &mut Pen<'_>, word: &str) {
        pen.put("  ");
        pen.on(Paint::Dim);
        pen.padded(word, 10);
        pen.off();
    }
}

fn span(pen: &mut Pen<'_>, nanos: i64) {
    if nanos == 0 {
        pen.put("-");
    } else {
        clock::duration(pen, nanos);
    }
}

fn party(pen: &mut Pen<'_>, party: &Party) {
    pen.escaped(party.label().as_bytes());
    pen.put(" ");
    pen.put(party.kind.name());
    if party.caller {
        pen.put(", caller");
    }
    for (word, nanos) in [
        (", rang ", party.ring),
        (", connected ", party.talk),
        (", in consultation ", party.consult),
        (", held ", party.hold),
    ] {
        if nanos > 0 {
            pen.put(word);
            clock::duration(pen, nanos);
        }
    }
    if let Some(state) = party.state.filter(|state| state.is_there()) {
        pen.put(", still ");
        pen.put(state.name());
    }
}
