//! Writes captures too large to be kept: for measuring speed, and the memory that hostile traffic can cost.

use anyhow::{Context, Result, bail};
use clap::{Parser, ValueEnum};
use ctishark_bench::{Capture, centre, hostile, repeated};
use std::fs::File;
use std::io::BufWriter;
use std::path::PathBuf;

/// Writes a capture of about the size asked for. The same arguments give the same bytes.
#[derive(Debug, Parser)]
struct Arguments {
    /// What the capture holds.
    kind: Kind,

    /// Size of the file, such as 100MB or 2GB (powers of ten).
    #[arg(value_parser = size)]
    size: u64,

    /// Where to write it.
    out: PathBuf,

    /// Connections that are open at once, for `connections` and `holes`.
    #[arg(long, default_value_t = 20)]
    at_once: usize,

    /// Connections in all, for `connections` and `holes`.
    #[arg(long, default_value_t = 2000)]
    connections: usize,

    /// Another run of the same day, for `busy`: other names of calls and requests, other times. For `repeated`: the opposite order.
    #[arg(long)]
    again: bool,

    /// Which day, for `busy`: another number is another day altogether.
    #[arg(long, default_value_t = 7)]
    day: u64,

    /// PeripheralID, which nearly all messages hold, for `busy`.
    #[arg(long, default_value_t = 5000)]
    peripheral: u32,

    /// Leave out one of so many events of the first client, for `busy`.
    #[arg(long, default_value_t = 0)]
    leave_out: u64,

    /// End after so many events, for `busy` and `repeated`.
    #[arg(long, default_value_t = 0)]
    events: u64,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum Kind {
    /// A busy contact centre: 200 agents as two all-events clients see them.
    Busy,
    /// The same three messages again and again.
    Repeated,
    /// Many connections, so many at once.
    Connections,
    /// SYN after SYN, each from another port and address.
    Syns,
    /// Connections whose first bytes are missing.
    Holes,
    /// A header that announces 4 GB, then traffic.
    Length,
}

fn main() -> Result<()> {
    let arguments = Arguments::parse();
    let out = &arguments.out;
    let file = File::create(out).with_context(|| format!("cannot create {}", out.display()))?;
    let mut capture = Capture::begin(BufWriter::with_capacity(1 << 20, file), arguments.size)?;
    let crowd = hostile::Crowd {
        connections: arguments.connections,
        at_once: arguments.at_once,
    };
    match arguments.kind {
        Kind::Busy => {
            let rerun = centre::Rerun {
                renamed: arguments.again,
                leave_out: arguments.leave_out,
                events: arguments.events,
                day: arguments.day,
                peripheral: arguments.peripheral,
            };
            centre::busy(&mut capture, rerun)?;
        }
        Kind::Repeated => {
            repeated::repeated(&mut capture, arguments.events, arguments.again)?;
        }
        Kind::Connections => hostile::connections(&mut capture, crowd, false)?,
        Kind::Holes => hostile::connections(&mut capture, crowd, true)?,
        Kind::Syns => hostile::syns(&mut capture)?,
        Kind::Length => hostile::length(&mut capture)?,
    }
    capture.finish()
}

/// A number of bytes with a decimal unit.
fn size(text: &str) -> Result<u64> {
    let digits = text.trim_end_matches(|c: char| c.is_ascii_alphabetic());
    let unit: u64 = match text.get(digits.len()..) {
        Some("" | "B") => 1,
        Some("kB") => 1_000,
        Some("MB") => 1_000_000,
        Some("GB") => 1_000_000_000,
        _ => bail!("a size is a number with B, kB, MB or GB"),
    };
    let number: u64 = digits.parse().context("not a number")?;
    number.checked_mul(unit).context("too large")
}
