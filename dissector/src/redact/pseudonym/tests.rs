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
    for original in ["10.1.2.30\0\0", "2001:db8::10:5\0", "FE80::A:2"] {
        let mut data = original.as_bytes().to_vec();
        pseudonyms.address_text(&mut data);
        let fake = address(&original.trim_end_matches('\0').to_lowercase());
        let expected = original.replace(original.trim_end_matches('\0'), &fake);
        let found = String::from_utf8(data).unwrap();
        assert_eq!(found.to_lowercase(), expected);
    }
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
fn hardware_addresses_change_but_those_of_groups() {
    let mut pseudonyms = Pseudonyms::new([3; 32]);
    let mut one = [2, 0, 0, 0, 0, 1];
    pseudonyms.hardware(&mut one);
    assert_ne!(one, [2, 0, 0, 0, 0, 1]);
    assert_eq!(one.first().unwrap() & 3, 2);
    let mut group = [0xff; 6];
    pseudonyms.hardware(&mut group);
    assert_eq!(group, [0xff; 6]);
}
