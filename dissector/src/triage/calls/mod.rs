//! What happens to calls: events out of order, calls that fail, never end, or are transferred into nothing.

mod ending;
mod failing;
mod media;
mod order;
mod transfers;

use super::Detector;

/// The detectors of this folder.
pub(super) fn detectors() -> Vec<Box<dyn Detector + Send>> {
    let parts = [
        order::detectors(),
        ending::detectors(),
        failing::detectors(),
        transfers::detectors(),
        media::detectors(),
    ];
    parts.into_iter().flatten().collect()
}
