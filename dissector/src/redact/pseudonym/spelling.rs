//! Addresses as they are spelled in texts.

use super::is_word;
use std::net::{Ipv4Addr, Ipv6Addr};
use std::str::FromStr;

/// The IPv4 address at the beginning of a text, and its length.
pub(super) fn four(text: &[u8]) -> Option<(usize, Ipv4Addr)> {
    let len = text
        .iter()
        .take_while(|b| b.is_ascii_digit() || **b == b'.')
        .count();
    leading(text, len)
}

/// The IPv6 address at the beginning of a text, in any spelling, and its length.
pub(super) fn six(text: &[u8]) -> Option<(usize, Ipv6Addr)> {
    let len = text
        .iter()
        .take_while(|b| b.is_ascii_hexdigit() || matches!(b, b':' | b'.'))
        .count();
    leading(text, len)
}

/// What the first bytes of a text spell. A sentence or a number of a port may go on behind it.
fn leading<A: FromStr>(text: &[u8], len: usize) -> Option<(usize, A)> {
    let spelled = text.get(..len)?;
    let spelled = spelled.strip_suffix(b".").unwrap_or(spelled);
    if text.get(spelled.len()).is_some_and(|b| is_word(*b)) {
        return None;
    }
    let parsed = |spelled: &[u8]| {
        let address = std::str::from_utf8(spelled).ok()?.parse().ok()?;
        Some((spelled.len(), address))
    };
    parsed(spelled).or_else(|| parsed(spelled.strip_suffix(b":")?))
}

/// An address in the spelling of another one's text: its groups, its letters capital or small, the zeros that it leaves out. `None`
/// where it cannot be spelled so.
pub(super) fn like(text: &[u8], address: Ipv6Addr) -> Option<Vec<u8>> {
    let capital = text.iter().any(u8::is_ascii_uppercase);
    let dotted = text.contains(&b'.');
    let groups = |text: &[u8]| match text {
        [] => Vec::new(),
        text => text.split(|b| *b == b':').map(<[u8]>::to_vec).collect(),
    };
    let double = text.windows(2).position(|pair| pair == b"::");
    let (front, back) = match double {
        Some(at) => (text.get(..at)?, text.get(at.checked_add(2)?..)?),
        None => (text, &[][..]),
    };
    let (mut front, mut back) = (groups(front), groups(back));
    let words = address.segments();
    // The last two groups may be an IPv4 address.
    let places = words.len() - usize::from(dotted);
    let left_out = places.checked_sub(front.len())?.checked_sub(back.len())?;
    let back_at = front.len().checked_add(left_out)?;
    if words
        .get(front.len()..back_at)?
        .iter()
        .any(|word| *word != 0)
    {
        return None;
    }
    let numbered = (0..).zip(front.iter_mut());
    for (at, group) in numbered.chain((back_at..).zip(back.iter_mut())) {
        let spelled = if group.contains(&b'.') {
            let [.., a, b, c, d] = address.octets();
            Ipv4Addr::new(a, b, c, d).to_string()
        } else {
            let width = group.len();
            let word = *words.get(at)?;
            if capital {
                format!("{word:0width$X}")
            } else {
                format!("{word:0width$x}")
            }
        };
        if spelled.len() != group.len() {
            return None;
        }
        *group = spelled.into_bytes();
    }
    let mut spelled = front.join(&b':');
    if double.is_some() {
        spelled.extend(b"::");
    }
    spelled.extend(back.join(&b':'));
    Some(spelled)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_spelled_like_another_one() {
        let fake = "2444:9e0::33:f4".parse().unwrap();
        for (text, expected) in [
            ("2001:db8::10:a5", Some("2444:9e0::33:f4")),
            ("2001:DB8::10:A5", Some("2444:9E0::33:F4")),
            (
                "2001:0db8:0000:0000:0000:0000:0010:00a5",
                Some("2444:09e0:0000:0000:0000:0000:0033:00f4"),
            ),
            ("2001:db8:0:0:0:0:10:a5", Some("2444:9e0:0:0:0:0:33:f4")),
            ("2001:db8::0:10:a5", Some("2444:9e0::0:33:f4")),
            // No room for what is not zero.
            ("2001:db8::a5", None),
            ("2001:db8::1:a5", None),
        ] {
            let spelled = like(text.as_bytes(), fake);
            assert_eq!(spelled.as_deref(), expected.map(str::as_bytes), "{text}");
        }
        let mapped = "::ffff:10.9.2.7".parse().unwrap();
        for (text, expected) in [
            ("::FFFF:10.0.0.5", Some("::FFFF:10.9.2.7")),
            ("0:0:0:0:0:ffff:10.0.0.5", Some("0:0:0:0:0:ffff:10.9.2.7")),
            ("::ffff:a00:5", None),
        ] {
            let spelled = like(text.as_bytes(), mapped);
            assert_eq!(spelled.as_deref(), expected.map(str::as_bytes), "{text}");
        }
    }

    #[test]
    fn an_address_ends_where_its_text_goes_on_otherwise() {
        for (text, expected) in [
            ("2001:db8::5]:554", Some("2001:db8::5")),
            ("fe80::a%eth0", Some("fe80::a")),
            ("::1: refused", Some("::1")),
            ("2001:db8::5.", Some("2001:db8::5")),
            ("10:15:01", None),
            ("2001:db8::5x", None),
            ("deadbeef", None),
        ] {
            let found = six(text.as_bytes()).map(|(len, _)| &text[..len]);
            assert_eq!(found, expected, "{text}");
        }
        assert_eq!(four(b"10.1.2.3. "), Some((8, Ipv4Addr::new(10, 1, 2, 3))));
        assert_eq!(four(b"10.1.2.3a"), None);
    }
}
