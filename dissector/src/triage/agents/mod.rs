//! What happens to agents: logins that fail, agents that are thrown out, reserved for nothing, or steered by two hands.

mod changes;
mod desktops;
mod forced;
mod login;
mod reserved;
mod ringing;

use super::Detector;

/// The detectors of this folder.
pub(super) fn detectors() -> Vec<Box<dyn Detector + Send>> {
    let parts = [
        login::detectors(),
        forced::detectors(),
        reserved::detectors(),
        ringing::detectors(),
        changes::detectors(),
        desktops::detectors(),
    ];
    parts.into_iter().flatten().collect()
}
