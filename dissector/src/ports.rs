//! Which TCP ports speak CTI by convention (port tables of Unified CCE and Finesse). Sites may choose others.

use std::ops::RangeInclusive;

/// Plain port of side A, instance 0.
const SIDE_A: u16 = 42027;
/// Plain port of side B, instance 0.
const SIDE_B: u16 = 43027;
/// From a plain port to the secured one of the same instance.
const TO_SECURED: u16 = 3;
/// Ports from one instance to the next.
const INSTANCE_STEP: u16 = 40;
/// Instance numbers of Unified CCE.
const INSTANCES: RangeInclusive<u16> = 0..=24;

/// What a server port says about a connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum PortKind {
    /// CTI in plain text is expected.
    Plain,
    /// CTI over TLS is expected.
    Secured,
    /// Nothing.
    Other,
}

/// The ports on which CTI is expected: the conventional ones and those that the user adds.
#[derive(Debug, Clone, Default)]
pub struct Ports {
    added: Vec<u16>,
}

impl Ports {
    /// The conventional ports and some more.
    #[must_use]
    pub const fn with(added: Vec<u16>) -> Self {
        Self { added }
    }

    /// What a port says.
    #[must_use]
    pub fn kind(&self, port: u16) -> PortKind {
        if self.added.contains(&port) {
            return PortKind::Plain;
        }
        for base in [SIDE_A, SIDE_B] {
            for (first, kind) in [
                (base, PortKind::Plain),
                (base + TO_SECURED, PortKind::Secured),
            ] {
                let Some(distance) = port.checked_sub(first) else {
                    continue;
                };
                if distance.is_multiple_of(INSTANCE_STEP)
                    && INSTANCES.contains(&(distance / INSTANCE_STEP))
                {
                    return kind;
                }
            }
        }
        PortKind::Other
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn conventional_ports_of_all_instances() {
        let ports = Ports::with(vec![5000]);
        for (port, kind) in [
            (42027, PortKind::Plain),
            (42067, PortKind::Plain),
            (43027, PortKind::Plain),
            (43987, PortKind::Plain),
            (42030, PortKind::Secured),
            (43030 + 40 * 24, PortKind::Secured),
            (5000, PortKind::Plain),
            (44027 + 40, PortKind::Other),
            (42028, PortKind::Other),
            (80, PortKind::Other),
        ] {
            assert_eq!(ports.kind(port), kind, "{port}");
        }
    }
}
