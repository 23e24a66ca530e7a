//! Requests and how they were answered.

use super::{Code, Context, Detector, Sighting, Sightings};
use crate::correlate::{Exchange, OutcomeKind};
use crate::protocol::roles;

/// Requests without an answer.
#[derive(Debug)]
pub(super) struct Unanswered;

impl Detector for Unanswered {
    fn exchange(&mut self, exchange: &Exchange, around: &Context, out: &mut Sightings) {
        let (Some(request), OutcomeKind::Unanswered) = (&exchange.request, exchange.outcome.kind)
        else {
            return;
        };
        // These have findings of their own.
        if matches!(request.number, roles::OPEN_REQ | roles::HEARTBEAT_REQ) {
            return;
        }
        let name = request.message.map_or("request", |m| m.name);
        out.push(
            Sighting::of_part(
                Code::Unanswered,
                exchange.session,
                request,
                around,
                format!("{name}, InvokeID {}", exchange.invoke_id),
            )
            .group(format!("{name} not answered")),
        );
    }
}
