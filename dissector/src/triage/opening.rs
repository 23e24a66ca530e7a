//! How sessions are opened: refused, repeated, reduced.

use super::{Code, Context, Detector, Sighting, Sightings};
use crate::correlate::{Exchange, OutcomeKind};
use crate::protocol::types;

/// OPEN_REQ refused by the server.
#[derive(Debug, Default)]
pub(super) struct Refusals;

impl Detector for Refusals {
    fn exchange(&mut self, exchange: &Exchange, around: &Context, out: &mut Sightings) {
        let (Some(request), OutcomeKind::Failed) = (&exchange.request, exchange.outcome.kind)
        else {
            return;
        };
        let Some(failure) = exchange
            .outcome
            .failure
            .filter(|_| request.number == types::OPEN_REQ)
        else {
            return;
        };
        let status = failure.name().unwrap_or("unknown status");
        let text = format!("refused with status {} ({status})", failure.code);
        let group = around
            .session(exchange.session)
            .map(|s| s.label())
            .unwrap_or_default();
        out.push(
            Sighting::of_part(Code::OpenRefused, exchange.session, request, around, text)
                .group(group),
        );
    }
}
