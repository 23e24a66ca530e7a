//! Many small inputs in one file: each as its length in four bytes, most significant first, and its bytes.

/// The inputs of a file; ends before one that is cut off.
#[must_use]
pub fn unpack(mut packed: &[u8]) -> Vec<Vec<u8>> {
    let mut inputs = Vec::new();
    while let Some((len, rest)) = packed.split_first_chunk::<4>()
        && let Ok(len) = usize::try_from(u32::from_be_bytes(*len))
        && let Some((input, rest)) = rest.split_at_checked(len)
    {
        inputs.push(input.to_vec());
        packed = rest;
    }
    inputs
}

/// The shortest of these inputs in one file of at most `most` bytes.
#[must_use]
pub fn pack(mut inputs: Vec<Vec<u8>>, most: usize) -> Vec<u8> {
    inputs.sort_by(|a, b| (a.len(), a).cmp(&(b.len(), b)));
    inputs.dedup();
    let mut packed = Vec::new();
    for input in inputs {
        if packed.len() + 4 + input.len() > most {
            break;
        }
        packed.extend((input.len() as u32).to_be_bytes());
        packed.extend(input);
    }
    packed
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_packed_is_unpacked() {
        let inputs = vec![vec![], vec![1], vec![2, 3, 4]];
        let packed = pack(inputs.clone(), 100);
        assert_eq!(unpack(&packed), inputs);
        assert_eq!(unpack(&packed[..packed.len() - 1]), inputs[..2]);
        assert_eq!(unpack(&pack(inputs.clone(), 12)), inputs[..2]);
    }
}
