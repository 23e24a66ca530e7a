//! The TCP segment in an IP datagram, and the one that exported payload was in.

use super::exported::Payload;
use super::ip::{Datagram, Stop};
use super::{Flags, Packet, Segment, length};
use etherparse::err::tcp::HeaderSliceError;
use etherparse::{TcpHeader, TcpHeaderSlice};
use std::net::SocketAddr;

/// The segment in a datagram, its check sum, and the length of its header.
pub(super) fn in_datagram<'a>(
    packet: &Packet<'_>,
    datagram: &Datagram<'a>,
) -> Result<(Segment<'a>, u16, usize), Stop> {
    match TcpHeaderSlice::from_slice(datagram.payload) {
        Ok(header) => Ok((
            tcp(packet, datagram, &header)?,
            header.checksum(),
            header.slice().len(),
        )),
        Err(HeaderSliceError::Content(_)) => Err(Stop::Malformed),
        Err(HeaderSliceError::Len(_)) => cut_in_options(packet, datagram),
    }
}

/// The segment of a header that is cut within its options, which only tell copies apart: the fixed part may be all there.
/// Also its check sum, and a header length without options.
#[cold]
fn cut_in_options<'a>(
    packet: &Packet<'_>,
    datagram: &Datagram<'a>,
) -> Result<(Segment<'a>, u16, usize), Stop> {
    /// The longest TCP header (bytes).
    const LONGEST: usize = 60;
    if datagram.missing == 0 {
        return Err(Stop::Malformed);
    }
    if datagram.payload.len() < TcpHeader::MIN_LEN {
        return Err(Stop::Cut);
    }
    let mut filled = [0; LONGEST];
    for (to, from) in filled.iter_mut().zip(datagram.payload) {
        *to = *from;
    }
    let header = TcpHeaderSlice::from_slice(&filled).map_err(|_| Stop::Malformed)?;
    let segment = tcp(packet, datagram, &header)?;
    Ok((segment, header.checksum(), TcpHeader::MIN_LEN))
}

fn tcp<'a>(
    packet: &Packet<'_>,
    datagram: &Datagram<'a>,
    header: &TcpHeaderSlice<'_>,
) -> Result<Segment<'a>, Stop> {
    let header_len = header.slice().len();
    let cut_off_header = header_len.saturating_sub(datagram.payload.len());
    let Some(missing) = datagram.missing.checked_sub(length(cut_off_header)) else {
        return Err(Stop::Malformed);
    };
    Ok(Segment {
        packet: packet.id,
        time: packet.time,
        source: SocketAddr::new(datagram.source, header.source_port()),
        destination: SocketAddr::new(datagram.destination, header.destination_port()),
        sequence: header.sequence_number(),
        acknowledgment: header.acknowledgment_number(),
        flags: Flags {
            syn: header.syn(),
            fin: header.fin(),
            rst: header.rst(),
            ack: header.ack(),
        },
        window: header.window_size(),
        payload: datagram.payload.get(header_len..).unwrap_or_default(),
        missing,
    })
}

/// The segment that exported payload was in.
pub(super) const fn of_exported<'a>(packet: &Packet<'_>, payload: &Payload<'a>) -> Segment<'a> {
    Segment {
        packet: packet.id,
        time: packet.time,
        source: payload.source,
        destination: payload.destination,
        sequence: payload.sequence,
        acknowledgment: payload.acknowledgment,
        flags: payload.flags,
        window: 0,
        payload: payload.bytes.data,
        missing: payload.bytes.missing,
    }
}
