//! Link layers: finds the IP datagram behind the link header.

/// LINKTYPE_ numbers that are read.
const NULL: u32 = 0;
const ETHERNET: u32 = 1;
const RAW_BSD: u32 = 12;
const RAW_OPENBSD: u32 = 14;
const RAW: u32 = 101;
const LOOP: u32 = 108;
const LINUX_COOKED: u32 = 113;
const IPV4: u32 = 228;
const IPV6: u32 = 229;
const LINUX_COOKED_2: u32 = 276;

/// Ether types.
const TYPE_IPV4: u16 = 0x0800;
const TYPE_IPV6: u16 = 0x86dd;
const VLAN: u16 = 0x8100;
const VLAN_SERVICE: u16 = 0x88a8;
const VLAN_OLD_DOUBLE: [u16; 3] = [0x9100, 0x9200, 0x9300];
/// Smaller values are lengths of 802.3 frames.
const SMALLEST_TYPE: u16 = 0x0600;

/// What lies behind a link header.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Network<'a> {
    /// Should be an IP datagram; link padding may follow it.
    Ip(&'a [u8]),
    /// Something else.
    Other,
    /// The packet ends within its link header.
    Cut,
    /// The link type is not known.
    Unknown,
}

/// Whether packets of a link type can be read.
pub(super) fn is_supported(link_type: u32) -> bool {
    network(link_type, &[]) != Network::Unknown
}

/// Takes the link header off.
pub(super) fn network(link_type: u32, data: &[u8]) -> Network<'_> {
    match link_type {
        ETHERNET => {
            // Two addresses of 6 bytes, then the type.
            let Some((_, rest)) = data.split_at_checked(12) else {
                return Network::Cut;
            };
            ethernet_payload(rest)
        }
        LINUX_COOKED => {
            // Packet type, hardware type, address length, address (8 bytes), protocol.
            let Some((_, rest)) = data.split_at_checked(14) else {
                return Network::Cut;
            };
            ethernet_payload(rest)
        }
        LINUX_COOKED_2 => match (data.first_chunk::<2>(), data.split_at_checked(20)) {
            // Protocol, reserved, interface, hardware type, packet type, address length, address (8 bytes).
            (Some(&protocol), Some((_, rest))) => typed(u16::from_be_bytes(protocol), rest),
            _ => Network::Cut,
        },
        NULL | LOOP => {
            let Some((&family, rest)) = data.split_first_chunk::<4>() else {
                return Network::Cut;
            };
            if is_ip_family(u32::from_le_bytes(family)) || is_ip_family(u32::from_be_bytes(family))
            {
                Network::Ip(rest)
            } else {
                Network::Other
            }
        }
        RAW | RAW_BSD | RAW_OPENBSD | IPV4 | IPV6 => {
            if data.is_empty() {
                Network::Cut
            } else {
                Network::Ip(data)
            }
        }
        _ => Network::Unknown,
    }
}

/// From the ether type on.
fn ethernet_payload(data: &[u8]) -> Network<'_> {
    match data.split_first_chunk::<2>() {
        Some((&ether_type, rest)) => typed(u16::from_be_bytes(ether_type), rest),
        None => Network::Cut,
    }
}

/// What follows an ether type: any number of VLAN tags, or SNAP in an 802.3 frame, may come before IP.
fn typed(mut ether_type: u16, mut data: &[u8]) -> Network<'_> {
    loop {
        match ether_type {
            TYPE_IPV4 | TYPE_IPV6 => return Network::Ip(data),
            tag if tag == VLAN || tag == VLAN_SERVICE || VLAN_OLD_DOUBLE.contains(&tag) => {
                let Some((&[_, _, high, low], rest)) = data.split_first_chunk::<4>() else {
                    return Network::Cut;
                };
                ether_type = u16::from_be_bytes([high, low]);
                data = rest;
            }
            length if length < SMALLEST_TYPE => {
                let Some((&[0xaa, 0xaa, 0x03, 0, 0, 0, high, low], rest)) =
                    data.split_first_chunk::<8>()
                else {
                    return Network::Other;
                };
                ether_type = u16::from_be_bytes([high, low]);
                data = rest;
                if ether_type < SMALLEST_TYPE {
                    return Network::Other;
                }
            }
            _ => return Network::Other,
        }
    }
}

/// Address family numbers for IP; that of IPv6 differs between systems.
fn is_ip_family(family: u32) -> bool {
    const INET: u32 = 2;
    const INET6_LINUX: u32 = 10;
    const INET6_NETBSD_OPENBSD: u32 = 24;
    const INET6_FREEBSD: u32 = 28;
    const INET6_DARWIN: u32 = 30;
    matches!(
        family,
        INET | INET6_LINUX | INET6_NETBSD_OPENBSD | INET6_FREEBSD | INET6_DARWIN
    )
}
