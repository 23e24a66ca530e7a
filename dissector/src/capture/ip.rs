//! IP headers: IPv4 with options, IPv6 with extension headers, and the authentication header in both.

use super::bytes::Bytes;
use super::{length, size};
use etherparse::err::{ip_auth, ipv4, ipv6};
use etherparse::{
    IpAuthHeaderSlice, IpFragOffset, IpNumber, Ipv4HeaderSlice, Ipv6FragmentHeaderSlice,
    Ipv6HeaderSlice, Ipv6RawExtHeaderSlice,
};
use std::net::IpAddr;

/// An IP datagram, or a fragment of one, without its headers.
#[derive(Debug, Clone, Copy)]
pub(super) struct Datagram<'a> {
    pub source: IpAddr,
    pub destination: IpAddr,
    /// What the payload is. Of a fragment: what its IP header says, which may be an extension header.
    pub protocol: IpNumber,
    /// The captured payload.
    pub payload: &'a [u8],
    /// Payload bytes that follow but were not captured.
    pub missing: u32,
    /// Set if this is a part of a datagram only.
    pub fragment: Option<Fragment>,
    /// IPv4 identification; 0 where the sender gave none, and in IPv6.
    pub id: u16,
    /// Hops left.
    pub ttl: u8,
}

/// Which part of a datagram a fragment is.
#[derive(Debug, Clone, Copy)]
pub(super) struct Fragment {
    pub id: u32,
    pub offset: IpFragOffset,
    pub more: bool,
}

/// Why no payload was found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Stop {
    /// The captured bytes end within the headers.
    Cut,
    /// The headers contradict themselves.
    Malformed,
    /// Neither IPv4 nor IPv6.
    NotIp,
    /// IP, but not TCP.
    NotTcp,
    /// A part of a datagram, which is held.
    Fragment,
    /// Too many tunnels inside each other.
    TooDeep,
    /// An exported upper layer that cannot be followed.
    ForeignPdu,
    /// A link type that is not known.
    UnknownLink(u32),
}

/// Reads the IP headers at the start of `bytes`, which link padding may follow. How long they were on the wire counts where
/// the IP header gives no length (captures taken before segmentation offload).
pub(super) fn datagram(bytes: Bytes<'_>) -> Result<Datagram<'_>, Stop> {
    match bytes.data.first().map(|first| first >> 4) {
        Some(4) => ipv4_datagram(bytes.data, bytes.on_wire()),
        Some(6) => ipv6_datagram(bytes.data, bytes.on_wire()),
        Some(_) => Err(Stop::NotIp),
        None => Err(Stop::Cut),
    }
}

fn ipv4_datagram(data: &[u8], original_len: u32) -> Result<Datagram<'_>, Stop> {
    let header = Ipv4HeaderSlice::from_slice(data).map_err(|error| match error {
        ipv4::HeaderSliceError::Len(_) => Stop::Cut,
        ipv4::HeaderSliceError::Content(_) => Stop::Malformed,
    })?;
    let total = match header.total_len() {
        0 => original_len,
        total => u32::from(total),
    };
    let (payload, missing) = payload(data, header.slice().len(), total)?;
    let mut datagram = Datagram {
        source: header.source_addr().into(),
        destination: header.destination_addr().into(),
        protocol: header.protocol(),
        payload,
        missing,
        fragment: None,
        id: header.identification(),
        ttl: header.ttl(),
    };
    if header.is_fragmenting_payload() {
        datagram.fragment = Some(Fragment {
            id: header.identification().into(),
            offset: header.fragments_offset(),
            more: header.more_fragments(),
        });
    } else if header.protocol() == IpNumber::AUTHENTICATION_HEADER {
        datagram.take_extensions_off()?;
    }
    Ok(datagram)
}

fn ipv6_datagram(data: &[u8], original_len: u32) -> Result<Datagram<'_>, Stop> {
    let header = Ipv6HeaderSlice::from_slice(data).map_err(|error| match error {
        ipv6::HeaderSliceError::Len(_) => Stop::Cut,
        ipv6::HeaderSliceError::Content(_) => Stop::Malformed,
    })?;
    let header_len = header.slice().len();
    let total = match header.payload_length() {
        0 => original_len,
        payload => length(header_len).saturating_add(payload.into()),
    };
    let (payload, missing) = payload(data, header_len, total)?;
    let mut datagram = Datagram {
        source: header.source_addr().into(),
        destination: header.destination_addr().into(),
        protocol: header.next_header(),
        payload,
        missing,
        fragment: None,
        id: 0,
        ttl: header.hop_limit(),
    };
    datagram.take_extensions_off()?;
    Ok(datagram)
}

/// The captured payload and how much of it is missing, of a datagram `total` bytes long.
fn payload(data: &[u8], header: usize, total: u32) -> Result<(&[u8], u32), Stop> {
    let captured = size(total).min(data.len());
    let payload = data.get(header..captured).ok_or(Stop::Malformed)?;
    Ok((payload, total.saturating_sub(length(captured))))
}

impl<'a> Datagram<'a> {
    /// Takes extension headers off the payload, up to a fragment header that makes this a fragment: what follows that one
    /// can be read in the joined datagram only.
    pub(super) fn take_extensions_off(&mut self) -> Result<(), Stop> {
        loop {
            let (len, next) = match self.protocol {
                IpNumber::IPV6_HEADER_HOP_BY_HOP
                | IpNumber::IPV6_ROUTE_HEADER
                | IpNumber::IPV6_DESTINATION_OPTIONS => {
                    let header = Ipv6RawExtHeaderSlice::from_slice(self.payload)
                        .map_err(|_| self.too_short())?;
                    (header.slice().len(), header.next_header())
                }
                IpNumber::AUTHENTICATION_HEADER => {
                    let header =
                        IpAuthHeaderSlice::from_slice(self.payload).map_err(
                            |error| match error {
                                ip_auth::HeaderSliceError::Len(_) => self.too_short(),
                                ip_auth::HeaderSliceError::Content(_) => Stop::Malformed,
                            },
                        )?;
                    (header.slice().len(), header.next_header())
                }
                IpNumber::IPV6_FRAGMENTATION_HEADER => {
                    let header = Ipv6FragmentHeaderSlice::from_slice(self.payload)
                        .map_err(|_| self.too_short())?;
                    if header.is_fragmenting_payload() {
                        self.fragment = Some(Fragment {
                            id: header.identification(),
                            offset: header.fragment_offset(),
                            more: header.more_fragments(),
                        });
                    }
                    (header.slice().len(), header.next_header())
                }
                _ => return Ok(()),
            };
            self.payload = self.payload.get(len..).ok_or(Stop::Malformed)?;
            self.protocol = next;
            if self.fragment.is_some() {
                return Ok(());
            }
        }
    }

    /// The payload with what is missing of it.
    pub(super) fn bytes(&self) -> Bytes<'a> {
        Bytes {
            data: self.payload,
            missing: self.missing,
        }
    }

    /// Whether the payload can be TCP or carry it, as far as can be told from a fragment.
    pub(super) fn may_carry_tcp(&self) -> bool {
        matches!(
            self.protocol,
            IpNumber::TCP
                | IpNumber::IPV4
                | IpNumber::IPV6
                | IpNumber::GRE
                | IpNumber::ETHER_IP
                | IpNumber::MPLS_IN_IP
                | IpNumber::UDP
                | IpNumber::IPV6_HEADER_HOP_BY_HOP
                | IpNumber::IPV6_ROUTE_HEADER
                | IpNumber::IPV6_DESTINATION_OPTIONS
                | IpNumber::AUTHENTICATION_HEADER
                | IpNumber::IPV6_FRAGMENTATION_HEADER
        )
    }

    /// Why a header does not fit into the payload.
    fn too_short(&self) -> Stop {
        if self.missing > 0 {
            Stop::Cut
        } else {
            Stop::Malformed
        }
    }
}
