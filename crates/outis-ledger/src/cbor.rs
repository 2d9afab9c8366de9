//! Deterministic CBOR (RFC 8949 §4.2.1): one value has one encoding, so that a signature over bytes
//! is one over what they mean, and no bit of freedom is left in how they are written.

use ciborium::Value;
use serde::Serialize;

/// Bytes that are not one value in deterministic encoding.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum CborError {
    /// Not CBOR, or more than one value.
    #[error("it is not one CBOR value")]
    Malformed,
    /// The same value has another, the right, encoding.
    #[error("it is not in deterministic encoding")]
    NotDeterministic,
    /// A type that has no CBOR form.
    #[error("it has a part without a CBOR form")]
    Unencodable,
}

/// Encodes whatever can be serialised; structures become maps with text keys.
///
/// # Errors
/// When a part of it has no CBOR form.
pub fn to_bytes(value: &impl Serialize) -> Result<Vec<u8>, CborError> {
    let value = Value::serialized(value).map_err(|_| CborError::Unencodable)?;
    Ok(encode(value))
}

/// Encodes a value, with the keys of maps in the order of their encodings.
pub fn encode(value: Value) -> Vec<u8> {
    raw(&sorted(value))
}

/// Decodes bytes that must be the one encoding of one value.
///
/// # Errors
/// When they are not.
pub fn decode(bytes: &[u8]) -> Result<Value, CborError> {
    let mut rest = bytes;
    let value: Value = ciborium::from_reader(&mut rest).map_err(|_| CborError::Malformed)?;
    if !rest.is_empty() {
        return Err(CborError::Malformed);
    }
    if encode(value.clone()) != bytes {
        return Err(CborError::NotDeterministic);
    }
    Ok(value)
}

fn raw(value: &Value) -> Vec<u8> {
    let mut bytes = Vec::new();
    // A vector takes every byte, and every `Value` has an encoding.
    let _ = ciborium::into_writer(value, &mut bytes);
    bytes
}

fn sorted(value: Value) -> Value {
    match value {
        Value::Array(items) => Value::Array(items.into_iter().map(sorted).collect()),
        Value::Tag(tag, inner) => Value::Tag(tag, Box::new(sorted(*inner))),
        Value::Map(pairs) => {
            let mut pairs: Vec<(Value, Value)> =
                pairs.into_iter().map(|(key, value)| (sorted(key), sorted(value))).collect();
            pairs.sort_by_cached_key(|(key, _)| raw(key));
            Value::Map(pairs)
        }
        other => other,
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use proptest::prelude::*;

    use super::*;

    #[test]
    fn keys_are_sorted_by_their_encoding() {
        let map = BTreeMap::from([("aa", 1), ("b", 2)]);
        // {"b": 2, "aa": 1}: the shorter key first.
        assert_eq!(to_bytes(&map).unwrap(), [0xa2, 0x61, b'b', 2, 0x62, b'a', b'a', 1]);
    }

    #[test]
    fn other_encodings_are_refused() {
        let cases: [(&str, &[u8], CborError); 6] = [
            ("nothing", &[], CborError::Malformed),
            ("two values", &[0, 0], CborError::Malformed),
            ("cut", &[0x62, b'a'], CborError::Malformed),
            ("a number in two bytes", &[0x18, 1], CborError::NotDeterministic),
            ("indefinite length", &[0x9f, 0xff], CborError::NotDeterministic),
            ("keys out of order", &[0xa2, 0x61, b'b', 0, 0x61, b'a', 0], CborError::NotDeterministic),
        ];
        for (name, bytes, error) in cases {
            assert_eq!(decode(bytes), Err(error), "{name}");
        }
    }

    proptest! {
        #[test]
        fn no_bytes_make_it_panic(bytes in prop::collection::vec(any::<u8>(), 0..64)) {
            if let Ok(value) = decode(&bytes) {
                prop_assert_eq!(encode(value), bytes);
            }
        }
    }
}
