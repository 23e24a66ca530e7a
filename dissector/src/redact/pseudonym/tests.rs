use super::*;
use std::collections::BTreeSet;

fn text(text: &str) -> String {
    let mut data = text.as_bytes().to_vec();
    Pseudonyms::new([3; 32]).text(&mut data);
    String::from_utf8(data).unwrap()
}

fn address(text: &str) -> String {
    Pseudonyms::new([3; 32])
        .address(text.parse().unwrap())
        .to_string()
}

#[test]
fn a_text_keeps_its_shape_and_nothing_else() {
    for original in [
        "20101",
        "+4930123456",
        "Anna Müller-Lüdenscheid",
        "SEP001122AABBCC",
        "user@example.com",
        "7",
        "日本語",
        "12#*",
    ] {
        let fake = text(original);
        assert_eq!(fake.len(), original.len());
        for (one, other) in original.chars().zip(fake.chars()) {
            assert_eq!(one.is_ascii_digit(), other.is_ascii_digit(), "{fake}");
            assert_eq!(one.is_ascii_lowercase(), other.is_ascii_lowercase());
            assert_eq!(one.is_ascii_uppercase(), other.is_ascii_uppercase());
            if !is_word(u8::try_from(one).unwrap_or(0x80)) {
                assert_eq!(one, other);
            }
        }
        assert_ne!(fake, original);
    }
    assert_eq!(
        (text(""), text("\0\0"), text(";-")),
        (String::new(), "\0\0".to_owned(), ";-".to_owned())
    );
}

#[test]
fn the_same_word_is_the_same_wherever_it_stands() {
    assert_eq!(
        text("20101;5550177"),
        format!("{};{}", text("20101"), text("5550177"))
    );
    assert_eq!(text("+5550177"), format!("+{}", text("5550177")));
    assert_eq!(
        text("at 10.1.2.30."),
        format!("{} {}.", text("at"), address("10.1.2.30"))
    );
}

#[test]
fn no_two_extensions_become_the_same() {
    let fakes: BTreeSet<String> = (1000..10_000).map(|n| text(&n.to_string())).collect();
    assert_eq!(fakes.len(), 9000);
}

#[test]
fn bytes_that_are_no_text_become_others() {
    let mut pseudonyms = Pseudonyms::new([3; 32]);
    for original in [&b"\x00\x01\xff\x80"[..], b"\xffM\xfcller", b"\x04abc"] {
        let mut data = original.to_vec();
        pseudonyms.bytes(&mut data);
        assert_ne!(data, original);
    }
    let mut data = b"plain\0".to_vec();
    pseudonyms.bytes(&mut data);
    assert_eq!(String::from_utf8(data).unwrap(), text("plain\0"));
}

#[test]
fn digits_written_as_small_bytes_stayed_what_they_were() {
    let mut data = *b"\x05\x05\x05\x00\x01\x04\x02";
    Pseudonyms::new([3; 32]).text(&mut data);
    let [a, b, c, end, d, e, f] = data;
    assert_ne!([a, b, c], [5, 5, 5]);
    assert_ne!([d, e, f], [1, 4, 2]);
    assert_eq!(end, 0);
    assert!([a, b, c, d, e, f].iter().all(|b| (1..=8).contains(b)));
}

#[test]
fn networks_stay_together_and_private() {
    let (a, b, c) = (
        address("10.20.30.40"),
        address("10.20.30.41"),
        address("10.21.30.40"),
    );
    let network = |a: &str| a.rsplit_once('.').unwrap().0.to_owned();
    assert_eq!(network(&a), network(&b));
    assert_ne!(network(&a), network(&c));
    for original in [
        "10.0.0.5",
        "172.16.1.1",
        "192.168.100.7",
        "8.8.8.8",
        "172.1.2.3",
        "100.64.0.1",
        "240.0.0.1",
        "254.255.255.255",
        "255.255.255.254",
        "0.0.0.7",
    ] {
        let fake = address(original);
        assert_eq!(fake.len(), original.len());
        assert_ne!(fake, original);
        let private = |a: &str| a.parse::<Ipv4Addr>().unwrap().is_private();
        assert_eq!(private(&fake), private(original), "{original} {fake}");
    }
    for same in [
        "127.0.0.1",
        "0.0.0.0",
        "255.255.255.255",
        "224.0.0.5",
        "::1",
        "::",
        "ff02::1",
    ] {
        assert_eq!(address(same), same);
    }
    for original in [
        "2001:db8::10:5",
        "fe80::1:2",
        "fd00:1::7",
        "::ffff:10.0.0.5",
    ] {
        let fake = address(original);
        assert_eq!(fake.len(), original.len());
        assert_ne!(fake, original);
    }
    assert!(address("fe80::1:2").starts_with("fe80::"));
    let fakes: BTreeSet<String> = (0..=255)
        .map(|n| address(&format!("192.168.7.{n}")))
        .collect();
    assert_eq!(fakes.len(), 256);
}

#[test]
fn an_address_in_a_field_is_that_of_the_packets() {
    let mut pseudonyms = Pseudonyms::new([3; 32]);
    for original in ["10.1.2.30\0\0", "2001:db8::10:5\0", "fe80::a:2"] {
        let mut data = original.as_bytes().to_vec();
        pseudonyms.address_text(&mut data);
        let plain = original.trim_end_matches('\0');
        let expected = original.replace(plain, &address(plain));
        assert_eq!(String::from_utf8(data).unwrap(), expected);
    }
}

#[test]
fn an_address_in_another_spelling_became_another_address() {
    let mut pseudonyms = Pseudonyms::new([3; 32]);
    for (original, plain) in [
        ("FE80::A:2", "fe80::a:2"),
        ("2001:0db8:0000:0000:0000:0000:0010:0005", "2001:db8::10:5"),
        ("2001:DB8:0:0:0:0:10:5", "2001:db8::10:5"),
        ("::FFFF:10.0.0.5", "::ffff:10.0.0.5"),
    ] {
        let mut data = original.as_bytes().to_vec();
        pseudonyms.address_text(&mut data);
        let found = String::from_utf8(data).unwrap();
        assert_eq!(found.len(), original.len());
        let found: IpAddr = found.parse().unwrap();
        assert_eq!(found.to_string(), address(plain), "{original}");
    }
    let mut uri = b"rtsp://[2001:db8::10:5]:554/x".to_vec();
    pseudonyms.address_text(&mut uri);
    let uri = String::from_utf8(uri).unwrap();
    assert!(
        uri.contains(&format!("[{}]:", address("2001:db8::10:5"))),
        "{uri}"
    );
}

#[test]
fn extensions_between_colons_are_no_address() {
    assert_eq!(
        text("1001::2002"),
        format!("{}::{}", text("1001"), text("2002"))
    );
}

#[test]
fn numbers_keep_their_digits_and_their_bounds() {
    let mut pseudonyms = Pseudonyms::new([3; 32]);
    let fakes: BTreeSet<u32> = (1000..10_000)
        .map(|n| pseudonyms.number(n, u32::MAX))
        .collect();
    assert_eq!(fakes.len(), 9000);
    assert!(fakes.iter().all(|n| (1000..10_000).contains(n)));
    for number in [1_000_000_000, 4_000_000_000, u32::MAX] {
        assert!(pseudonyms.number(number, u32::MAX) >= 1_000_000_000);
    }
    assert_eq!(pseudonyms.number(0, u32::MAX), 0);
}

#[test]
fn hardware_addresses_change_but_that_of_all() {
    let mut pseudonyms = Pseudonyms::new([3; 32]);
    // A station, a group, and a group that holds the address of a cluster.
    for one in [
        [2, 0, 0, 0, 0, 1],
        [1, 0, 0x5e, 1, 2, 3],
        [3, 0xbf, 10, 0, 0, 5],
    ] {
        let mut fake = one;
        pseudonyms.hardware(&mut fake);
        assert_ne!(fake, one);
        assert_eq!(fake.first().unwrap() & 3, one.first().unwrap() & 3);
    }
    for same in [[0xff; 6], [0; 6]] {
        let mut fake = same;
        pseudonyms.hardware(&mut fake);
        assert_eq!(fake, same);
    }
}

#[test]
fn no_two_addresses_at_the_ends_of_ranges_become_the_same() {
    for prefix in ["0.0.0", "255.255.255", "254.1.255"] {
        let fakes: BTreeSet<String> = (0..=255)
            .map(|n| address(&format!("{prefix}.{n}")))
            .collect();
        assert_eq!(fakes.len(), 256, "{prefix}");
    }
}
