#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic)]

use super::super::samples::*;
use super::super::{Note, NoteKind};
use super::*;
use std::io;

fn inputs(files: &[Vec<u8>]) -> Vec<Box<dyn Input>> {
    files
        .iter()
        .map(|file| Box::new(Memory::new(file.clone())) as Box<dyn Input>)
        .collect()
}

/// A file of packets at these times, which hold its name.
fn at(nanos: &[i64], name: &str) -> Vec<u8> {
    let samples: Vec<_> = nanos
        .iter()
        .map(|nanos| sample(*nanos, name.as_bytes()))
        .collect();
    pcap(NANOS, false, 1, &samples)
}

#[test]
fn rotated_files_come_in_order_of_time_however_they_are_named() {
    let samples = samples(40);
    let files: Vec<Vec<u8>> = [3, 0, 2, 1]
        .iter()
        .enumerate()
        .map(|(index, part)| {
            let part = &samples[part * 10..part * 10 + 10];
            if index % 2 == 0 {
                gzip(&plain(part))
            } else {
                ng(true, part)
            }
        })
        .collect();
    let read = read_inputs(inputs(&files));
    let data: Vec<_> = samples.iter().map(|sample| sample.data.clone()).collect();
    assert_eq!(read.data(), data);
    assert_eq!(
        read.packets[0].id,
        super::super::PacketId {
            input: 1,
            number: 1
        }
    );
    assert_eq!(
        read.packets[39].id,
        super::super::PacketId {
            input: 0,
            number: 10
        }
    );
    assert!(read.notes.is_empty());
}

#[test]
fn overlapping_files_are_interleaved_and_ties_go_to_the_file_named_first() {
    let read = read_inputs(inputs(&[at(&[5, 7, 7, 9], "a"), at(&[1, 5, 7, 8, 9], "b")]));
    let order: Vec<_> = read
        .packets
        .iter()
        .map(|packet| (packet.nanos, packet.data[0]))
        .collect();
    let expected = [
        (1, b'b'),
        (5, b'a'),
        (5, b'b'),
        (7, b'a'),
        (7, b'a'),
        (7, b'b'),
        (8, b'b'),
        (9, b'a'),
        (9, b'b'),
    ];
    assert_eq!(order, expected);
}

#[test]
fn a_file_whose_clock_goes_back_keeps_its_order() {
    let read = read_inputs(inputs(&[
        at(&[10, 30, 20, 40], "a"),
        at(&[15, 25, 35], "b"),
    ]));
    assert_eq!(read.nanos(), [10, 15, 25, 30, 20, 35, 40]);
    assert_eq!(
        read.notes,
        [Note {
            input: 0,
            kind: NoteKind::ClockWentBack { packets: 1 }
        }]
    );
}

#[test]
fn few_rotated_files_are_open_at_once() {
    let samples = samples(60);
    let (open, most_open) = (Arc::default(), Arc::default());
    let inputs: Vec<Box<dyn Input>> = samples
        .chunks(2)
        .rev()
        .map(|part| {
            let (open, most_open) = (Arc::clone(&open), Arc::clone(&most_open));
            Box::new(Memory {
                open,
                most_open,
                ..Memory::new(plain(part))
            }) as Box<dyn Input>
        })
        .collect();
    let read = read_inputs(inputs);
    assert_eq!(read.packets.len(), 60);
    assert_eq!(
        (
            open.load(Ordering::Relaxed),
            most_open.load(Ordering::Relaxed)
        ),
        (0, 1)
    );
}

#[test]
fn an_input_that_cannot_be_opened_again_is_opened_once() {
    let samples = samples(4);
    let once = |part: &[Sample]| {
        Box::new(Memory {
            reopenable: false,
            chunk: 5,
            ..Memory::new(plain(part))
        }) as Box<dyn Input>
    };
    let read = read_inputs(vec![once(&samples[2..]), once(&samples[..2])]);
    let data: Vec<_> = samples.iter().map(|sample| sample.data.clone()).collect();
    assert_eq!(read.data(), data);
}

#[test]
fn bad_inputs_are_told_first_and_the_others_read() {
    let samples = samples(3);
    let mut cut = plain(&samples[..1]);
    cut.truncate(cut.len() - 1);
    let files = [
        b"text".to_vec(),
        plain(&samples),
        Vec::new(),
        cut,
        plain(&[]),
    ];
    let mut capture = Capture::new(inputs(&files));
    assert!(matches!(
        capture.next_packet(),
        Err(Error::NotACapture { .. })
    ));
    assert!(matches!(capture.next_packet(), Err(Error::Empty { .. })));
    for sample in &samples {
        assert_eq!(capture.next_packet().unwrap().unwrap().data, sample.data);
    }
    assert!(capture.next_packet().unwrap().is_none());
    assert!(capture.next_packet().unwrap().is_none());
    assert_eq!(
        capture.notes(),
        [Note {
            input: 3,
            kind: NoteKind::CutOff {
                offset: 24,
                packets: 0
            }
        }]
    );
    assert!(capture.notes().is_empty());
    assert_eq!(
        capture.progress(),
        Progress {
            bytes: plain(&samples).len() as u64,
            packets: 3
        }
    );
    assert_eq!((capture.name(3), capture.name(5)), (Some("memory"), None));
}

#[test]
fn no_input_is_an_empty_capture() {
    assert!(Capture::new(Vec::new()).next_packet().unwrap().is_none());
}

/// Inputs of which each covers the same time: packet by packet, they take turns. Also what is in them, in order.
fn side_by_side(files: usize, packets: usize, size: usize) -> (Vec<Vec<Sample>>, Vec<i64>) {
    let at = |packet: usize, file: usize| {
        1_700_000_000_000_000_000 + (packet * files + file) as i64 * 1000
    };
    let file = |file: usize| {
        let packet = |packet: usize| sample(at(packet, file), &vec![file as u8; size]);
        (0..packets).map(packet).collect()
    };
    let times = (0..packets).flat_map(|packet| (0..files).map(move |file| at(packet, file)));
    ((0..files).map(file).collect(), times.collect())
}

/// Inputs that share their counters of open sources; the second number is the most that were open at once.
fn counted(
    files: Vec<Vec<u8>>,
    limit: u32,
) -> (Vec<Box<dyn Input>>, Arc<std::sync::atomic::AtomicU32>) {
    let (open, most_open) = (Arc::default(), Arc::default());
    let inputs = files.into_iter().map(|file| {
        Box::new(Memory {
            open: Arc::clone(&open),
            most_open: Arc::clone(&most_open),
            limit,
            ..Memory::new(file)
        }) as Box<dyn Input>
    });
    (inputs.collect(), most_open)
}

#[test]
fn a_thousand_overlapping_files_are_not_all_open_at_once() {
    let (files, times) = side_by_side(1000, 3, 40);
    for (compress, most) in [
        (None, limits::OPEN_INPUTS),
        (Some(gzip as fn(&[u8]) -> Vec<u8>), limits::OPEN_INPUTS),
        (Some(zstd), limits::DECODER_MEMORY / (4 * 1024 * 1024)),
    ] {
        let files = files.iter().map(|file| plain(file));
        let files = files.map(|file| compress.map_or(file.clone(), |compress| compress(&file)));
        let (inputs, most_open) = counted(files.collect(), u32::MAX);
        let read = read_inputs(inputs);
        assert_eq!(read.nanos(), times);
        assert!(read.errors.is_empty() && read.notes.is_empty());
        // One more while it is being read.
        let opened = most_open.load(Ordering::Relaxed) as usize;
        assert!(
            opened <= most + 1 && opened > most / 2,
            "{opened} of {most}"
        );
    }
}

#[test]
fn a_system_that_allows_few_open_files_is_put_up_with() {
    let (files, times) = side_by_side(60, 30, 2000);
    let files = files.iter().map(|file| plain(file)).collect();
    let (inputs, most_open) = counted(files, 20);
    let read = read_inputs(inputs);
    assert_eq!(read.nanos(), times);
    assert!(read.errors.is_empty() && read.notes.is_empty());
    assert_eq!(most_open.load(Ordering::Relaxed), 20);
}

#[test]
fn the_buffers_of_overlapping_files_share_their_memory() {
    // Many packets; few that are larger than a share; files that start one after the other, so that the first ones have
    // had large buffers.
    for (files, packets, size, stagger) in [
        (100, 150, 3000, 0),
        (100, 3, 300_000, 0),
        (60, 75, 9000, 20),
    ] {
        let (mut contents, _) = side_by_side(files, packets, size);
        for (index, file) in contents.iter_mut().enumerate() {
            for sample in file {
                sample.nanos += (index * stagger * files) as i64 * 1000;
            }
        }
        let mut times: Vec<_> = contents
            .iter()
            .flatten()
            .map(|sample| sample.nanos)
            .collect();
        times.sort_unstable();
        let mut capture = Capture::new(inputs(
            &contents.iter().map(|file| plain(file)).collect::<Vec<_>>(),
        ));
        let mut most = 0;
        for time in &times {
            let packet = capture.next_packet().unwrap().unwrap();
            assert_eq!((packet.time.nanos(), packet.data.len()), (*time, size));
            most = most.max(capture.buffers());
        }
        assert!(capture.next_packet().unwrap().is_none());
        assert!(capture.notes().is_empty());
        // The one that is being read may need more for a record.
        assert!(
            most <= limits::READ_BUFFERS + limits::MAX_BLOCK,
            "{most} bytes"
        );
        let total: usize = contents.iter().map(|file| plain(file).len()).sum();
        assert!(total > 2 * limits::READ_BUFFERS, "the test needs more data");
        // What was read again to save memory does not count twice.
        assert_eq!(capture.progress().bytes, total as u64);
    }
}

/// An input that changes between two times it is opened.
struct Changing {
    contents: Vec<Option<Vec<u8>>>,
    opened: usize,
}

impl Input for Changing {
    fn name(&self) -> &str {
        "changing"
    }

    fn open(&mut self) -> io::Result<Box<dyn io::Read + Send>> {
        let content = self.contents[self.opened.min(self.contents.len() - 1)].clone();
        self.opened += 1;
        let content = content.ok_or(io::ErrorKind::NotFound)?;
        Ok(Box::new(io::Cursor::new(content)))
    }

    fn reopenable(&self) -> bool {
        true
    }
}

fn changing(contents: Vec<Option<Vec<u8>>>) -> Box<dyn Input> {
    Box::new(Changing {
        contents,
        opened: 0,
    })
}

#[test]
fn a_file_that_vanishes_after_the_first_look_is_told_and_the_others_are_read() {
    let samples = samples(6);
    let mut inputs = inputs(&[plain(&samples[..2]), plain(&samples[4..])]);
    inputs.push(changing(vec![Some(plain(&samples[2..4])), None]));
    let read = read_inputs(inputs);
    assert_eq!(read.packets.len(), 4);
    assert!(matches!(&read.errors[..], [Error::Open { name, .. }] if name == "changing"));
}

#[test]
fn a_file_that_was_overwritten_after_the_first_look_comes_in_its_new_place() {
    let samples = samples(6);
    let mut inputs = inputs(&[plain(&samples[1..4])]);
    inputs.push(changing(vec![
        Some(plain(&samples[..1])),
        Some(plain(&samples[4..])),
    ]));
    inputs.push(changing(vec![Some(plain(&samples[..1])), Some(plain(&[]))]));
    let read = read_inputs(inputs);
    let times: Vec<_> = samples[1..].iter().map(|sample| sample.nanos).collect();
    assert_eq!(read.nanos(), times);
    assert!(read.errors.is_empty());
}

#[test]
fn a_file_that_shrinks_while_it_waits_is_cut_off() {
    let (files, _) = side_by_side(40, 2, 300_000);
    let mut inputs = inputs(
        &files[1..]
            .iter()
            .map(|file| plain(file))
            .collect::<Vec<_>>(),
    );
    let whole = plain(&files[0]);
    let first = whole[..100_000].to_vec();
    inputs.push(changing(vec![
        Some(whole.clone()),
        Some(whole),
        Some(first),
    ]));
    let read = read_inputs(inputs);
    assert_eq!(read.packets.len(), 39 * 2 + 1);
    assert!(read.errors.is_empty());
    let [
        Note {
            input: 39,
            kind: NoteKind::CutOff { packets: 1, .. },
        },
    ] = &read.notes[..]
    else {
        panic!("{:?}", read.notes)
    };
}

#[test]
fn a_copy_is_not_read_again() {
    let samples = samples(20);
    let whole = plain(&samples);
    let cut = whole[..whole.len() / 2].to_vec();
    let mut other = samples.clone();
    other[19].data[0] ^= 1;
    let files = [
        cut,
        whole.clone(),
        gzip(&whole),
        plain(&other),
        whole.clone(),
    ];
    let mut capture = Capture::new(inputs(&files));
    let mut from = Vec::new();
    while let Some(packet) = capture.next_packet().unwrap() {
        from.push(packet.id.input);
    }
    from.sort_unstable();
    let expected: Vec<_> = [1, 3].iter().flat_map(|input| [*input; 20]).collect();
    assert_eq!(from, expected);
    assert!(capture.notes().is_empty());
    let copies: Vec<_> = capture.spans().map(|span| span.copy_of).collect();
    assert_eq!(copies, [Some(1), None, Some(1), None, Some(1)]);
    let sizes: usize = files.iter().map(Vec::len).sum();
    assert_eq!(capture.progress().bytes, sizes as u64);
}

#[test]
fn what_each_input_covers_is_known_in_the_end() {
    let samples = samples(5);
    let files = [plain(&samples[3..]), plain(&samples[..3]), plain(&[])];
    let mut capture = Capture::new(inputs(&files));
    while capture.next_packet().unwrap().is_some() {}
    let at = |index: usize| Some(Timestamp::from_nanos(samples[index].nanos));
    let span = |first, last, packets| Span {
        first,
        last,
        packets,
        copy_of: None,
    };
    let spans: Vec<_> = capture.spans().collect();
    assert_eq!(
        spans,
        [
            span(at(3), at(4), 2),
            span(at(0), at(2), 3),
            Span::default()
        ]
    );
}
