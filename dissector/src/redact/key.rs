//! Keys: what decides which value becomes which.

use crate::limits::MAX_KEY_BYTES;
use argon2::{Algorithm, Argon2, Params, Version};

/// Memory that stretching a key takes (KiB), its passes over it, and its lanes: what OWASP's Password Storage Cheat Sheet advises
/// for Argon2id. They and the salt decide what a key comes to: a change of any gives every capture other pseudonyms, so the salt
/// has a version.
const MEMORY: u32 = 19 * 1024;
const PASSES: u32 = 2;
const LANES: u32 = 1;
const SALT: &[u8] = b"ctishark redact pseudonyms v2";

/// A key shorter than that (bytes) is too easy to find by trying, however it is stretched.
pub const SHORTEST_KEY: usize = 16;

/// Why a secret text cannot be a key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum KeyError {
    /// There is nothing.
    #[error("the key is empty")]
    Empty,
    /// It is shorter than [`SHORTEST_KEY`].
    #[error("a key of less than {SHORTEST_KEY} characters is too easy to find by trying")]
    Short,
    /// It is longer than [`MAX_KEY_BYTES`].
    #[error("a key of more than {MAX_KEY_BYTES} bytes is hardly meant")]
    Long,
    /// There is not enough memory to stretch it.
    #[error("a key could not be stretched")]
    Stretch,
}

/// The key that a secret text stands for. It is stretched by Argon2id, so that each guess costs whoever tries phrases much time and
/// memory.
///
/// # Errors
/// When the text is too short or too long.
pub fn key(secret: &[u8]) -> Result<[u8; 32], KeyError> {
    match secret.len() {
        0 => return Err(KeyError::Empty),
        1..SHORTEST_KEY => return Err(KeyError::Short),
        len if len > MAX_KEY_BYTES => return Err(KeyError::Long),
        _ => {}
    }
    let mut key = [0; 32];
    let params = Params::new(MEMORY, PASSES, LANES, Some(key.len()));
    let stretched = params.and_then(|params| {
        Argon2::new(Algorithm::Argon2id, Version::V0x13, params)
            .hash_password_into(secret, SALT, &mut key)
    });
    stretched.map_err(|_| KeyError::Stretch)?;
    Ok(key)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_comes_to_the_same_for_ever() {
        // As the reference implementation says: argon2 'ctishark redact pseudonyms v2' -id -t 2 -k 19456 -p 1 -l 32 -v 13
        let hex: String = key(b"only for this test")
            .unwrap()
            .iter()
            .map(|b| format!("{b:02x}"))
            .collect();
        assert_eq!(
            hex,
            "2470c5f4d567644e93891cbbb334bc12ae6ae0abbaf053256e21f33772148d0c"
        );
    }

    #[test]
    fn what_is_no_key_is_refused() {
        assert_eq!(key(b""), Err(KeyError::Empty));
        assert_eq!(key(b"fifteen letters"), Err(KeyError::Short));
        assert_eq!(key(&vec![b'x'; MAX_KEY_BYTES + 1]), Err(KeyError::Long));
    }
}
