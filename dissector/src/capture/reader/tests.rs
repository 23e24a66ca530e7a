//! Files of every format, whole, cut, damaged and compressed, as the reader gives them.

#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic)]

use super::super::samples::*;
use super::*;
use proptest::prelude::*;
use std::io::{self, Read};

/// The expected packets, as the reader gives them.
fn contents(samples: &[Sample]) -> Vec<(i64, Vec<u8>)> {
    samples
        .iter()
        .map(|sample| (sample.nanos, sample.data.clone()))
        .collect()
}

fn given(read: &Outcome) -> Vec<(i64, Vec<u8>)> {
    read.packets
        .iter()
        .map(|packet| (packet.nanos, packet.data.clone()))
        .collect()
}

fn every_variant(samples: &[Sample]) -> Vec<Vec<u8>> {
    vec![
        pcap(MICROS, false, 1, samples),
        pcap(MICROS, true, 1, samples),
        pcap(NANOS, false, 1, samples),
        pcap(NANOS, true, 1, samples),
        pcap(MODIFIED, false, 1, samples),
        ng(false, samples),
        ng(true, samples),
    ]
}

#[test]
fn every_variant_gives_the_same_packets() {
    let samples = samples(5);
    for file in every_variant(&samples) {
        let read = read(&file);
        assert_eq!(given(&read), contents(&samples));
        assert!(read.errors.is_empty() && read.notes.is_empty(), "{read:?}");
        let numbers: Vec<u64> = read.packets.iter().map(|packet| packet.id.number).collect();
        assert_eq!(numbers, [1, 2, 3, 4, 5]);
        assert!(read.packets.iter().all(|packet| packet.link_type == 1));
    }
}

#[test]
fn nanoseconds_are_kept() {
    let samples = [sample(1_700_000_000_123_456_789, b"packet")];
    assert_eq!(
        read(&pcap(NANOS, false, 1, &samples)).nanos(),
        [1_700_000_000_123_456_789]
    );
    assert_eq!(
        read(&pcap(NANOS, true, 1, &samples)).nanos(),
        [1_700_000_000_123_456_789]
    );
}

#[test]
fn any_read_size_gives_the_same_packets() {
    let samples = samples(6);
    for file in every_variant(&samples) {
        for file in [
            file.clone(),
            gzip(&file),
            zstd(&file),
            lz4(&file),
            xz(&file),
            bzip2(&file),
        ] {
            for chunk in [1, 2, 7, 13, 100] {
                let read = read_chunked(&file, chunk);
                assert_eq!(given(&read), contents(&samples), "{chunk}");
                assert!(read.errors.is_empty() && read.notes.is_empty(), "{read:?}");
            }
        }
    }
}

#[test]
fn cut_anywhere_every_whole_packet_comes_and_a_note() {
    let samples = samples(4);
    for (variant, file) in every_variant(&samples).into_iter().enumerate() {
        // Where records end: the file may end there without anyone noticing.
        let mut ends: Vec<usize> = (0..=samples.len())
            .map(|count| every_variant(&samples[..count])[variant].len())
            .collect();
        ends.push(Ng::new(false).bytes.len());
        for len in 1..file.len() {
            let read = read(&file[..len]);
            if len < 4 {
                assert!(matches!(read.errors[..], [Error::NotACapture { .. }]));
                continue;
            }
            assert!(read.errors.is_empty(), "{len}: {read:?}");
            let given = given(&read);
            assert_eq!(given, contents(&samples)[..given.len()], "{len}");
            match read.kinds()[..] {
                [NoteKind::CutOff { offset, packets }] => {
                    assert!(offset < len as u64 && packets == given.len() as u64);
                }
                [] => assert!(ends.contains(&len), "{len}"),
                ref other => panic!("{len}: {other:?}"),
            }
        }
    }
}

#[test]
fn cut_compressed_data_gives_what_can_be_read_and_a_note() {
    let samples = samples(40);
    let file = plain(&samples);
    for packed in [
        gzip(&file),
        zstd(&file),
        lz4(&file),
        xz(&file),
        bzip2(&file),
    ] {
        for len in 10..packed.len() {
            let read = read(&packed[..len]);
            let given = given(&read);
            assert_eq!(given, contents(&samples)[..given.len()]);
            let told = !read.errors.is_empty() || !read.notes.is_empty();
            assert!(
                told || given.len() == samples.len(),
                "{len} of {}: {:x?}",
                packed.len(),
                &packed[..4]
            );
        }
    }
}

#[test]
fn compressed_members_one_after_the_other_are_one_capture() {
    let samples = samples(3);
    let file = plain(&samples);
    let (a, b) = file.split_at(77);
    for pack in [gzip, zstd, lz4, xz, bzip2] {
        let read = read(&[pack(a), pack(b)].concat());
        assert_eq!(given(&read), contents(&samples));
        assert!(read.errors.is_empty() && read.notes.is_empty(), "{read:?}");
    }
}

#[test]
fn damage_in_compressed_data_is_noted() {
    let samples = samples(200);
    let file = plain(&samples);
    let mut packed = gzip(&file);
    // The checksum at the end.
    let len = packed.len();
    packed[len - 8] ^= 1;
    let read = read(&packed);
    assert_eq!(given(&read), contents(&samples));
    match &read.kinds()[..] {
        [
            NoteKind::CompressionDamaged {
                compression: Compression::Gzip,
                offset,
                packets: 200,
                ..
            },
        ] => assert_eq!(*offset, file.len() as u64),
        other => panic!("{other:?}"),
    }
}

#[test]
fn what_is_no_capture_is_said_to_be_none() {
    let error = |data: &[u8]| {
        let mut read = read(data);
        assert!(read.packets.is_empty() && read.notes.is_empty());
        assert_eq!(read.errors.len(), 1);
        read.errors.remove(0).to_string()
    };
    assert_eq!(error(b""), "memory is empty");
    assert_eq!(
        error(b"hello\n"),
        "memory is not a packet capture: it looks like text"
    );
    assert_eq!(
        error(&[0, 1, 2, 3, 4]),
        "memory is not a packet capture: unknown content"
    );
    assert_eq!(
        error(&gzip(b"hello")),
        "memory is not a packet capture: gzip data holding text"
    );
    assert_eq!(
        error(&gzip(b"")),
        "memory is not a packet capture: gzip data holding nothing"
    );
    assert_eq!(
        error(&gzip(&zstd(b"hello"))),
        "memory is not a packet capture: gzip data holding zstd data"
    );
    assert_eq!(
        error(b"PK\x03\x04rest"),
        "memory is not a packet capture: it looks like a ZIP archive"
    );
    assert_eq!(
        error(b"snoop\0\0\0\0\0\0\x02"),
        "memory is in an unsupported capture format: snoop"
    );
    assert_eq!(
        error(b"\x1f\x8b\x08\x00garbage"),
        "memory: the gzip data is damaged from its start"
    );
    assert_eq!(
        error(b"BZh is how this text starts"),
        "memory is not a packet capture: it looks like text"
    );
    let mut future = ng(true, &samples(1));
    future[13] = 2;
    assert_eq!(
        error(&future),
        "memory is in an unsupported capture format: pcapng of a version other than 1"
    );
    let mut future = plain(&[]);
    future[4] = 3;
    assert_eq!(
        error(&future),
        "memory is in an unsupported capture format: pcap of a version other than 2"
    );
}

#[test]
fn what_a_file_is_depended_on_how_much_of_it_came_at_first() {
    let file = [
        &pcapng::SECTION_MAGIC[..],
        b" and then text, up to a byte that is none\x01",
    ]
    .concat();
    for chunk in [1, 7, 30, usize::MAX] {
        let read = read_chunked(&file, chunk);
        let told = read.errors.iter().map(ToString::to_string);
        let expected = "memory is not a packet capture: unknown content";
        assert_eq!(told.collect::<Vec<_>>(), [expected], "{chunk}");
    }
}

/// Fails after some bytes.
struct Failing(Vec<u8>);

impl Input for Failing {
    fn name(&self) -> &str {
        "failing"
    }

    fn open(&mut self) -> io::Result<Box<dyn Read + Send>> {
        struct Fail;
        impl Read for Fail {
            fn read(&mut self, _: &mut [u8]) -> io::Result<usize> {
                Err(io::Error::other("the disk is gone"))
            }
        }
        Ok(Box::new(io::Cursor::new(self.0.clone()).chain(Fail)))
    }

    fn reopenable(&self) -> bool {
        false
    }
}

#[test]
fn a_read_error_comes_after_the_packets_before_it_with_its_cause() {
    let samples = samples(3);
    for file in [plain(&samples), zstd(&plain(&samples))] {
        let read = read_inputs(vec![Box::new(Failing(file))]);
        assert_eq!(given(&read), contents(&samples));
        let [error @ Error::Read { .. }] = &read.errors[..] else {
            panic!("{read:?}")
        };
        assert_eq!(
            std::error::Error::source(error).unwrap().to_string(),
            "the disk is gone"
        );
    }
}

#[test]
fn notes_tell_of_cut_packets_of_the_clock_and_of_the_link_type() {
    let mut samples = samples(4);
    samples[1].original_len = 1_500;
    samples[3].nanos -= 10_000_000_000;
    let read = read(&pcap(MICROS, false, 147, &samples));
    assert_eq!(
        read.kinds(),
        [
            NoteKind::UnknownLinkType {
                link_type: 147,
                packet: 1
            },
            NoteKind::ClockWentBack { packets: 1 },
            NoteKind::PacketsCut { packets: 1 },
        ]
    );
    assert_eq!(given(&read), contents(&samples));
    assert_eq!(read.packets[1].original_len, 1_500);
}

#[test]
fn damage_in_a_pcap_is_skipped_up_to_the_next_sound_record() {
    let samples = samples(9);
    let before = plain(&samples[..4]).len();
    let mut file = plain(&samples);
    // A length that cannot be.
    file[before + 8..before + 12].copy_from_slice(&u32::MAX.to_le_bytes());
    let bytes = (samples[4].data.len() + 16) as u64;
    let read = read(&file);
    assert_eq!(
        given(&read),
        [&contents(&samples)[..4], &contents(&samples)[5..]].concat()
    );
    assert_eq!(
        read.kinds(),
        [NoteKind::DamageSkipped {
            places: 1,
            bytes,
            offset: before as u64,
            packets: 4
        }]
    );
}

#[test]
fn damage_in_a_pcapng_is_skipped_up_to_the_next_sound_block() {
    let samples = samples(9);
    for big_endian in [false, true] {
        let before = ng(big_endian, &samples[..4]).len();
        let after = ng(big_endian, &samples[..5]).len();
        // The first length, the second one, and the interface.
        for (at, value) in [
            (before + 4, 0xffff_fff0_u32),
            (before + 4, 1000),
            (after - 4, 4),
            (before + 8, 7),
        ] {
            let mut file = ng(big_endian, &samples);
            let value = if big_endian {
                value.to_be_bytes()
            } else {
                value.to_le_bytes()
            };
            file[at..at + 4].copy_from_slice(&value);
            let read = read(&file);
            assert_eq!(
                given(&read),
                [&contents(&samples)[..4], &contents(&samples)[5..]].concat(),
                "{at}"
            );
            let (bytes, offset) = ((after - before) as u64, before as u64);
            assert_eq!(
                read.kinds(),
                [NoteKind::DamageSkipped {
                    places: 1,
                    bytes,
                    offset,
                    packets: 4
                }]
            );
        }
    }
}

#[test]
fn what_was_decompressed_before_damage_was_lost_with_it() {
    let samples: Vec<Sample> = (0..300)
        .map(|index| {
            let data = format!("packet {index} of some, {}", index * 7919 % 1000);
            sample(1_700_000_000_000_000_000 + index * 1000, data.as_bytes())
        })
        .collect();
    let plain = plain(&samples);
    let per_packet = plain.len() / samples.len();
    for (name, file, may_lack) in [
        ("xz", xz(&plain), 0),
        ("gzip", gzip(&plain), 4096 / per_packet),
    ] {
        let mut most = 0;
        for at in (64..file.len() - 64).step_by(61) {
            let mut file = file.clone();
            file[at] ^= 0xFF;
            let whole = read(&file).packets.len();
            let sips = read_chunked(&file, 1).packets.len();
            assert!(whole + may_lack >= sips, "{name} {at}: {whole} of {sips}");
            most = most.max(sips);
        }
        assert!(most > samples.len() / 2, "{name}: {most}");
    }
}

#[test]
fn packets_fill_the_buffer_many_times_over() {
    let samples: Vec<Sample> = (0..300)
        .map(|index| {
            let data: Vec<u8> = (0..index * 137 % 60_000)
                .map(|byte| (byte ^ index) as u8)
                .collect();
            sample(1_700_000_000_000_000_000 + index as i64 * 1000, &data)
        })
        .collect();
    for file in [
        plain(&samples),
        ng(true, &samples),
        gzip(&ng(false, &samples)),
    ] {
        for chunk in [usize::MAX, 4_096] {
            let read = read_chunked(&file, chunk);
            assert_eq!(given(&read), contents(&samples));
            assert!(read.notes.is_empty());
        }
    }
}

proptest! {
    #[test]
    fn random_bytes_never_panic(start in 0_usize..12, bytes in proptest::collection::vec(any::<u8>(), 0..600)) {
        let samples = samples(2);
        let mut files = every_variant(&samples);
        let file = plain(&samples);
        files.extend([gzip(&file), zstd(&file), lz4(&file), xz(&file), bzip2(&file)]);
        let mut data = files[start].clone();
        data.truncate(data.len() / 2);
        data.extend(&bytes);
        read(&data);
        read(&bytes);
    }

    #[test]
    fn changed_bytes_never_panic(
        start in 0_usize..12,
        changes in proptest::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..8),
    ) {
        let samples = samples(6);
        let mut files = every_variant(&samples);
        let file = plain(&samples);
        files.extend([gzip(&file), zstd(&file), lz4(&file), xz(&file), bzip2(&file)]);
        let mut data = files[start].clone();
        for (at, value) in changes {
            let at = at.index(data.len());
            data[at] = value;
        }
        read(&data);
    }
}
