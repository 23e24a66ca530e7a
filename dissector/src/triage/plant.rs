//! What the server says of PG, peripherals and phones: SYSTEM_EVENT.

use super::{Code, Context, Detector, Sighting, Sightings};
use crate::analysis::Seen;
use crate::protocol::types;

/// SystemEventID: SYS_PERIPHERAL_OFFLINE.
const PERIPHERAL_OFFLINE: u32 = 4;

/// Peripherals that go offline.
#[derive(Debug, Default)]
pub(super) struct Peripherals;

impl Detector for Peripherals {
    fn message(&mut self, seen: &Seen<'_>, _: &Context, out: &mut Sightings) {
        if !seen.is(types::SYSTEM_EVENT) || seen.number("SystemEventID") != Some(PERIPHERAL_OFFLINE)
        {
            return;
        }
        let peripheral = seen.raw("SystemEventArg1").unwrap_or_default();
        out.push(
            Sighting::of(
                Code::PeripheralOffline,
                seen,
                format!("peripheral {peripheral} went offline"),
            )
            .group(format!("peripheral {peripheral} went offline")),
        );
    }
}
