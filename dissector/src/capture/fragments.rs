//! Joins fragments of IP datagrams: any order, duplicates and overlaps (of overlapping bytes the last captured count).
//!
//! What is held is bounded in bytes, datagrams and capture time; what does not become whole within that is given up and
//! counted. A fragment that comes again shortly after its datagram was joined is a duplicate and dropped.
//!
//! UDP is of interest as a tunnel only, which the first fragment tells by its port: the parts of other datagrams are let go
//! then, and not counted.

use super::ip::Datagram;
use super::tunnel;
use super::{PacketId, PacketSet};
use crate::limits;
use crate::time::Timestamp;
use etherparse::IpNumber;
use etherparse::defrag::IpDefragBuf;
use std::collections::{BTreeMap, HashMap};
use std::net::IpAddr;
use std::time::Duration;

/// Fragments of a joined datagram that come again within this capture time are duplicates; after it, the identification
/// has been used anew.
const DUPLICATE_AGE: Duration = Duration::from_secs(1);

/// What makes fragments belong together. The protocol counts for IPv4 only: in IPv6 it stands in the first fragment.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
struct Key {
    source: IpAddr,
    destination: IpAddr,
    id: u32,
    protocol: Option<IpNumber>,
    /// The tunnels around it: the same numbers may be in use inside and outside, and in several tunnels.
    nest: u64,
}

struct Entry {
    /// Arrival order of the first fragment.
    order: u64,
    first: Timestamp,
    fragments: u64,
    /// What it is part of is known to be of interest.
    wanted: bool,
    /// The packets that brought it.
    carriers: Vec<PacketId>,
    parts: Parts,
}

enum Parts {
    Some {
        buffer: IpDefragBuf,
        /// Protocol by the fragment at offset 0.
        protocol: Option<IpNumber>,
    },
    /// The datagram was joined at that time.
    Joined(Timestamp),
    /// At that time the datagram turned out to be of no interest.
    Refused(Timestamp),
}

/// The datagrams that are not whole yet.
#[derive(Default)]
pub(super) struct Fragments {
    entries: HashMap<Key, Entry, foldhash::fast::RandomState>,
    /// Keys of the entries by arrival of their first fragment.
    order: BTreeMap<u64, Key>,
    next: u64,
    bytes: usize,
    /// Fragments of datagrams that did not become whole.
    given_up: u64,
    /// The packets that brought these, where somebody wants to know.
    lost: Option<PacketSet>,
}

/// What became of a fragment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Joined {
    /// It made its datagram whole, the payload of which is of this protocol.
    Whole(IpNumber),
    /// It is held, or was a duplicate.
    Kept,
    /// It contradicts the other fragments.
    Malformed,
    /// Its datagram is of no interest.
    Refused,
}

impl Fragments {
    /// Nothing held. Notes the packets whose fragments never became whole.
    pub(super) fn noting_lost() -> Self {
        Self {
            lost: Some(PacketSet::default()),
            ..Self::default()
        }
    }

    /// Gives up whatever is held, and tells the packets that brought what never became whole.
    pub(super) fn into_lost(mut self) -> PacketSet {
        self.finish();
        self.lost.unwrap_or_default()
    }

    /// Takes a fragment that some packets brought (several where it was itself within fragments); the payload of a datagram
    /// that it makes whole is left in `joined`, and `carriers` are all packets that brought a part of it.
    pub(super) fn add(
        &mut self,
        datagram: &Datagram<'_>,
        nest: u64,
        time: Timestamp,
        carriers: &mut Vec<PacketId>,
        joined: &mut Vec<u8>,
    ) -> Joined {
        let Some(fragment) = datagram.fragment else {
            return Joined::Malformed;
        };
        self.give_up_old(time);
        let key = Key {
            source: datagram.source,
            destination: datagram.destination,
            id: fragment.id,
            protocol: datagram.source.is_ipv4().then_some(datagram.protocol),
            nest,
        };
        let is_first = fragment.offset.value() == 0;
        let is_udp = datagram.protocol == IpNumber::UDP;
        if is_udp && is_first && !tunnel::may_be_udp_tunnel(datagram.payload) {
            self.refuse(key, time);
            return Joined::Refused;
        }
        let done = match self.entries.get(&key).map(|entry| &entry.parts) {
            Some(Parts::Joined(then)) => Some((*then, Joined::Kept)),
            Some(Parts::Refused(then)) => Some((*then, Joined::Refused)),
            _ => None,
        };
        if let Some((then, what)) = done {
            let anew = what == Joined::Refused && is_first;
            if time <= then.after(DUPLICATE_AGE) && !anew {
                return what;
            }
            self.remove(&key);
        }
        let entry = self.entries.entry(key).or_insert_with(|| {
            let order = self.next;
            self.next = self.next.saturating_add(1);
            self.order.insert(order, key);
            let buffer = IpDefragBuf::new(datagram.protocol, Vec::new(), Vec::new());
            Entry {
                order,
                first: time,
                fragments: 0,
                wanted: !is_udp,
                carriers: Vec::new(),
                parts: Parts::Some {
                    buffer,
                    protocol: None,
                },
            }
        });
        entry.wanted |= is_first;
        let Parts::Some { buffer, protocol } = &mut entry.parts else {
            return Joined::Kept;
        };
        let held = buffer.data().len();
        let added = buffer.add(fragment.offset, fragment.more, datagram.payload);
        self.bytes = self
            .bytes
            .saturating_sub(held)
            .saturating_add(buffer.data().len());
        if added.is_err() {
            self.give_up(&key);
            return Joined::Malformed;
        }
        entry.fragments = entry.fragments.saturating_add(1);
        if entry.carriers.len() < limits::MAX_CARRIERS {
            entry.carriers.extend_from_slice(carriers);
        }
        if is_first {
            *protocol = Some(datagram.protocol);
        }
        if let (Some(protocol), true) = (*protocol, buffer.is_complete()) {
            self.bytes = self.bytes.saturating_sub(buffer.data().len());
            joined.clear();
            joined.extend_from_slice(buffer.data());
            *carriers = std::mem::take(&mut entry.carriers);
            entry.parts = Parts::Joined(time);
            return Joined::Whole(protocol);
        }
        self.stay_within_limits();
        Joined::Kept
    }

    /// Lets go what is held of a datagram that is of no interest, and remembers it for a while.
    fn refuse(&mut self, key: Key, time: Timestamp) {
        self.remove(&key);
        let order = self.next;
        self.next = self.next.saturating_add(1);
        self.order.insert(order, key);
        let entry = Entry {
            order,
            first: time,
            fragments: 0,
            wanted: false,
            carriers: Vec::new(),
            parts: Parts::Refused(time),
        };
        self.entries.insert(key, entry);
        self.stay_within_limits();
    }

    fn stay_within_limits(&mut self) {
        while self.bytes > limits::FRAGMENT_BYTES || self.entries.len() > limits::FRAGMENT_DATAGRAMS
        {
            if !self.give_up_oldest() {
                break;
            }
        }
    }

    /// Bytes of the datagrams that are held.
    pub(super) const fn held(&self) -> usize {
        self.bytes
    }

    /// Fragments that were given up so far.
    pub(super) fn given_up(&self) -> u64 {
        self.given_up
    }

    /// Gives up whatever is held: no more fragments come.
    pub(super) fn finish(&mut self) {
        while self.give_up_oldest() {}
    }

    fn give_up_old(&mut self, now: Timestamp) {
        while let Some((_, key)) = self.order.first_key_value() {
            match self.entries.get(key) {
                Some(entry) if now <= entry.first.after(limits::FRAGMENT_AGE) => return,
                _ => self.give_up_oldest(),
            };
        }
    }

    /// False if nothing is held.
    fn give_up_oldest(&mut self) -> bool {
        let Some((_, key)) = self.order.pop_first() else {
            return false;
        };
        self.give_up(&key);
        true
    }

    fn give_up(&mut self, key: &Key) {
        if let Some(Entry {
            fragments,
            wanted: true,
            carriers,
            parts: Parts::Some { .. },
            ..
        }) = self.remove(key)
        {
            if let Some(lost) = &mut self.lost {
                lost.add(&carriers);
            }
            self.given_up = self.given_up.saturating_add(fragments);
        }
    }

    fn remove(&mut self, key: &Key) -> Option<Entry> {
        let entry = self.entries.remove(key)?;
        self.order.remove(&entry.order);
        if let Parts::Some { buffer, .. } = &entry.parts {
            self.bytes = self.bytes.saturating_sub(buffer.data().len());
        }
        Some(entry)
    }
}
