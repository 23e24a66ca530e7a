//! Records hold what other records say: counts, numbers, times, and who answers whom.

use crate::records::{Exchange, Message, Record, Summary};
use crate::{captures, lines, run, strict};
use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

#[test]
fn records_agree_with_each_other() {
    for file in captures() {
        let records = lines(&run(&["--format", "ndjson"], std::slice::from_ref(&file)));
        let mut told = Story::default();
        for record in strict(&records) {
            told.take(record, &file);
        }
        told.check(&file);
    }
}

/// As what a request counts, by its outcome.
fn counts_as(outcome: &str, closing: bool) -> &'static str {
    match outcome {
        "confirmed" | "wrong_answer" => "answered",
        "failed" => "failed",
        "session_ended" if closing => "not_judged",
        "unanswered" | "session_ended" => "unanswered",
        "capture_ended" => "open",
        "not_expected" | "not_judged" => "not_judged",
        other => panic!("{other} is nothing that is told first"),
    }
}

/// What the records have told so far, to hold later ones against it.
#[derive(Default)]
struct Story {
    messages: BTreeMap<u64, Message>,
    open_sessions: BTreeMap<u32, u64>,
    sessions: u64,
    encrypted: u64,
    message_bytes: u64,
    exchanges: Vec<Exchange>,
    /// Requests and what became of them, gaps, missing and skipped bytes, as the sessions count them.
    counts: [u64; 9],
    gaps: [u64; 3],
    summary: Option<Summary>,
}

impl Story {
    fn take(&mut self, record: Record, file: &Path) {
        assert!(
            self.summary.is_none(),
            "{file:?}: something follows the summary"
        );
        match record {
            Record::Header(header) => {
                assert_eq!((header.schema, header.tool.as_str()), (1, "ctishark"));
                assert_eq!(header.inputs.len(), 1);
            }
            Record::Session(session) if session.event == "began" => {
                assert!(session.end.is_none() && session.last.is_none());
                assert_eq!(session.version.is_some(), session.version_source.is_some());
                assert_eq!(
                    session.versions.is_some(),
                    session.version_source.as_deref() == Some("inferred")
                );
                assert_ne!(session.client, session.server);
                self.sessions += 1;
                assert_eq!(
                    u64::from(session.session),
                    self.sessions,
                    "{file:?}: sessions count up"
                );
                self.encrypted += u64::from(session.content == "encrypted");
                assert!(self.open_sessions.insert(session.session, 0).is_none());
            }
            Record::Session(session) => {
                let of_session = self.open_sessions.remove(&session.session);
                let of_session = of_session.unwrap_or_else(|| panic!("{file:?}: never began"));
                assert!(Some(&session.first) <= session.last.as_ref());
                let messages =
                    session.messages_from_client.unwrap() + session.messages_from_server.unwrap();
                assert_eq!(
                    messages, of_session,
                    "{file:?}: messages of session {}",
                    session.session
                );
                self.message_bytes += session.message_bytes.unwrap();
                let counts = [
                    session.requests,
                    session.answered,
                    session.failed,
                    session.unanswered,
                    session.open,
                    session.not_judged,
                    session.gaps,
                    session.missing_bytes,
                    session.skipped_bytes,
                ];
                for (sum, count) in self.counts.iter_mut().zip(counts) {
                    *sum += count.unwrap();
                }
                assert!(session.end.is_some());
            }
            Record::Message(message) => {
                self.message(*message, file);
            }
            Record::Exchange(exchange) => {
                assert!(
                    self.open_sessions.contains_key(&exchange.session),
                    "{file:?}: {exchange:?}"
                );
                self.exchanges.push(exchange);
            }
            Record::Gap(gap) => {
                assert!(
                    self.open_sessions.contains_key(&gap.session),
                    "{file:?}: {gap:?}"
                );
                for (sum, count) in
                    self.gaps
                        .iter_mut()
                        .zip([1, gap.missing_bytes, gap.skipped_bytes])
                {
                    *sum += count;
                }
            }
            Record::Finding(finding) => {
                assert!(!finding.text.is_empty());
                let of = finding
                    .session
                    .is_none_or(|s| u64::from(s) <= self.sessions);
                assert!(of, "{file:?}: {finding:?}");
            }
            Record::Summary(summary) => self.summary = Some(summary),
        }
    }

    fn message(&mut self, message: Message, file: &Path) {
        let no = message.no;
        let expected = self
            .messages
            .last_key_value()
            .map_or(1, |(last, _)| last + 1);
        assert_eq!(no, expected, "{file:?}: messages count up by one");
        let of_session = self.open_sessions.get_mut(&message.session);
        *of_session.unwrap_or_else(|| panic!("{file:?}: #{no} is outside its session")) += 1;
        assert_ne!(message.src, message.dst);
        assert!(["client-to-server", "server-to-client"].contains(&message.direction.as_str()));
        assert!((1..=25).contains(&message.version), "{file:?}: #{no}");
        assert_ne!(message.version_source.as_deref(), Some("open_req"));
        assert_eq!(message.name.is_some(), message.role.is_some());
        assert!(!message.packets.is_empty() && message.files.is_none());
        let end = message.length + 8;
        for raw in [&message.opaque, &message.unread].into_iter().flatten() {
            assert_eq!(raw.hex.is_none(), raw.masked.is_some(), "{file:?}: #{no}");
            let digits = raw.hex.as_ref().map_or(0, String::len);
            let length = u64::try_from(digits / 2).unwrap();
            assert!(
                raw.offset >= 8 && raw.offset + length <= end,
                "{file:?}: #{no}"
            );
        }
        for finding in message.findings.iter().flatten() {
            assert!(
                !finding.text.is_empty() && finding.offset.is_none_or(|o| o <= end),
                "{file:?}: #{no}"
            );
        }
        for field in &message.floating {
            assert!(
                field.tag > 0 && (field.masked.is_some() == field.value.is_null()),
                "{file:?}: #{no}"
            );
        }
        if let Some(request) = message.answers {
            let request = &self.messages[&request];
            assert_eq!(request.session, message.session, "{file:?}: #{no}");
            assert_ne!(request.direction, message.direction, "{file:?}: #{no}");
        }
        self.messages.insert(no, message);
    }

    fn check(&self, file: &Path) {
        let summary = self.summary.as_ref().unwrap();
        assert!(
            self.open_sessions.is_empty(),
            "{file:?}: sessions without end"
        );
        assert!(summary.tcp_packets + summary.duplicate_packets <= summary.packets);
        assert!(summary.selected_messages.is_none());
        assert_eq!(summary.shown_early, 0, "{file:?}");
        let messages = u64::try_from(self.messages.len()).unwrap();
        assert_eq!(
            (
                summary.messages,
                summary.message_bytes,
                summary.sessions,
                summary.encrypted_sessions
            ),
            (messages, self.message_bytes, self.sessions, self.encrypted),
            "{file:?}"
        );
        let counted = [
            summary.requests,
            summary.answered,
            summary.failed,
            summary.unanswered,
            summary.open,
            summary.not_judged,
            summary.gaps,
            summary.missing_bytes,
            summary.skipped_bytes,
        ];
        assert_eq!(counted, self.counts, "{file:?}: the sessions' counts");
        assert_eq!(
            counted[0],
            counted[1..6].iter().sum::<u64>(),
            "{file:?}: requests"
        );
        assert_eq!(&counted[6..], self.gaps, "{file:?}: the gap records");
        self.check_exchanges(summary, file);
    }

    fn check_exchanges(&self, summary: &Summary, file: &Path) {
        // What was told first of each request counts.
        let mut told = BTreeSet::new();
        let mut counts: BTreeMap<&str, u64> = BTreeMap::new();
        for exchange in &self.exchanges {
            if let Some(request) = exchange.request.as_ref().filter(|r| told.insert(r.no)) {
                let closing = request.name.as_deref() == Some("CLOSE_REQ");
                *counts
                    .entry(counts_as(&exchange.outcome, closing))
                    .or_default() += 1;
            }
        }
        for (name, count) in [
            ("answered", summary.answered),
            ("failed", summary.failed),
            ("unanswered", summary.unanswered),
            ("open", summary.open),
            ("not_judged", summary.not_judged),
        ] {
            let expected = counts.get(name).copied().unwrap_or(0);
            assert_eq!(count, expected, "{file:?}: {name}");
        }
        let mut answers = BTreeMap::new();
        for exchange in &self.exchanges {
            let told = format!("{file:?}: {exchange:?}");
            for part in [&exchange.request, &exchange.answer].into_iter().flatten() {
                let message = &self.messages[&part.no];
                let same = (
                    message.number,
                    &message.name,
                    &message.time,
                    message.session,
                );
                assert_eq!(
                    (part.number, &part.name, &part.time, exchange.session),
                    same,
                    "{told}"
                );
            }
            assert!(
                exchange.request.is_some() || exchange.outcome == "no_request",
                "{told}"
            );
            match exchange.outcome.as_str() {
                "failed" => assert!(exchange.failure.is_some(), "{told}"),
                // A failure message that answers nothing says all the same what failed.
                "no_request" => {}
                _ => assert!(exchange.failure.is_none(), "{told}"),
            }
            let both = exchange.request.as_ref().zip(exchange.answer.as_ref());
            assert_eq!(both.is_some(), exchange.latency_ms.is_some(), "{told}");
            if let Some((request, answer)) = both {
                answers.insert(answer.no, (request.no, exchange.latency_ms));
                assert_eq!(exchange.time, answer.time, "{told}");
            }
        }
        for message in self.messages.values() {
            let by_message = message.answers.map(|request| (request, message.latency_ms));
            assert_eq!(
                by_message.as_ref(),
                answers.get(&message.no),
                "{file:?}: #{}",
                message.no
            );
        }
    }
}
