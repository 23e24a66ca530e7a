//! What a capture holds, as packets and as streams.

use cti_dissector::capture::{Capture, Input, Layers, Peeled};
use std::collections::{BTreeMap, BTreeSet};
use std::io::{self, Read};
use std::path::{Path, PathBuf};

struct File(PathBuf);

impl Input for File {
    fn name(&self) -> &str {
        "file"
    }

    fn open(&mut self) -> io::Result<Box<dyn Read + Send>> {
        Ok(Box::new(std::fs::File::open(&self.0)?))
    }

    fn reopenable(&self) -> bool {
        true
    }
}

/// What a capture tells by itself: all packets, the payload of each flow, and the addresses of all layers.
pub struct Content {
    pub packets: Vec<Vec<u8>>,
    pub payload: Vec<u8>,
    pub ends: BTreeSet<std::net::IpAddr>,
}

pub fn content(path: &Path) -> Content {
    let mut capture = Capture::new(vec![Box::new(File(path.to_owned()))]);
    let mut layers = Layers::new();
    let mut flows: BTreeMap<_, Vec<u8>> = BTreeMap::new();
    let mut packets = Vec::new();
    let mut ends = BTreeSet::new();
    while let Some(packet) = capture.next_packet().unwrap() {
        packets.push(packet.data.to_vec());
        if let Peeled::Tcp(segment) = layers.segment(&packet) {
            ends.extend([segment.source.ip(), segment.destination.ip()]);
            let flow = flows
                .entry((segment.source, segment.destination))
                .or_default();
            flow.extend_from_slice(segment.payload);
        }
    }
    Content {
        packets,
        payload: flows.into_values().flatten().collect(),
        ends,
    }
}
