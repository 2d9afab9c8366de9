//! One signed window: a COSE_Sign1 (RFC 9052 §4.2) over bytes whose meaning this crate does not know.
//!
//! Everything said about the window is in the protected header, so the signature covers it. There is one encoding
//! for one envelope: whatever could be written in another way is refused.

use coset::{
    CoseSign1, CoseSign1Builder, Header, HeaderBuilder, Label, RegisteredLabelWithPrivate,
    TaggedCborSerializable, cbor::Value, iana,
};

use crate::{DeviceKey, Digest, PublicKey};

/// What the payload is.
pub const CONTENT_TYPE: &str = "application/vnd.outis.window+cbor";

/// The longest envelope in bytes: more than the largest window.
pub const ENVELOPE_BYTES_MAX: usize = 8 << 20;

/// What the device states about a window, beside its totals.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Seal {
    /// Counts the windows of the device from 0, over all cameras and starts.
    pub sequence: u64,
    /// In which run of the door it was counted; the log tells when that began.
    pub run: u64,
    /// The camera's name.
    pub camera: String,
    /// Where the window begins in the camera's time, in milliseconds. It grows within a run.
    pub start_ms: i64,
    /// The configuration in force.
    pub configuration: Digest,
}

/// Why bytes are not a window of this device.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum EnvelopeError {
    /// Not the one form that an envelope has.
    #[error("it is not a signed window")]
    Malformed,
    /// Signed with another key.
    #[error("it names another device's key")]
    OtherKey,
    /// The signature is not one over this.
    #[error("its signature is not the device's")]
    BadSignature,
}

/// Signs a window.
pub fn seal(seal: &Seal, payload: Vec<u8>, key: &DeviceKey) -> Vec<u8> {
    let sign1 = CoseSign1Builder::new()
        .protected(header(seal, &key.public()))
        .payload(payload)
        .create_signature(&[], |message| key.sign(message).to_vec());
    sign1.build().to_tagged_vec().unwrap_or_default()
}

/// Checks the signature and takes the envelope apart.
///
/// # Errors
/// When it is not exactly what [`seal`] makes with this device's key.
pub fn open(bytes: &[u8], key: &PublicKey) -> Result<(Seal, Vec<u8>), EnvelopeError> {
    let sign1 = CoseSign1::from_tagged_slice(bytes).map_err(|_| EnvelopeError::Malformed)?;
    let seal = read_header(&sign1.protected.header).ok_or(EnvelopeError::Malformed)?;
    if sign1.protected.header.key_id != key.id().0 {
        return Err(EnvelopeError::OtherKey);
    }
    sign1
        .verify_signature(&[], |signature, message| key.verifies(message, signature).then_some(()).ok_or(()))
        .map_err(|()| EnvelopeError::BadSignature)?;
    let CoseSign1 { payload, signature, .. } = sign1;
    let payload = payload.ok_or(EnvelopeError::Malformed)?;
    let only = CoseSign1Builder::new()
        .protected(header(&seal, key))
        .payload(payload.clone())
        .signature(signature)
        .build();
    let same = only.to_tagged_vec().is_ok_and(|only| only == bytes);
    same.then_some((seal, payload)).ok_or(EnvelopeError::Malformed)
}

/// The keys in the order of their encodings.
fn header(seal: &Seal, key: &PublicKey) -> Header {
    HeaderBuilder::new()
        .algorithm(iana::Algorithm::EdDSA)
        .content_type(CONTENT_TYPE.to_owned())
        .key_id(key.id().0.to_vec())
        .text_value("run".into(), seal.run.into())
        .text_value("start".into(), seal.start_ms.into())
        .text_value("camera".into(), Value::Text(seal.camera.clone()))
        .text_value("sequence".into(), seal.sequence.into())
        .text_value("configuration".into(), Value::Bytes(seal.configuration.0.to_vec()))
        .build()
}

fn read_header(header: &Header) -> Option<Seal> {
    let expected = RegisteredLabelWithPrivate::Assigned(iana::Algorithm::EdDSA);
    (header.alg.as_ref() == Some(&expected)).then_some(())?;
    let value = |name: &str| {
        let mut values = header.rest.iter().filter(|(label, _)| *label == Label::Text(name.to_owned()));
        values.next().map(|(_, value)| value)
    };
    let number = |name| value(name)?.as_integer();
    Some(Seal {
        sequence: number("sequence")?.try_into().ok()?,
        run: number("run")?.try_into().ok()?,
        camera: value("camera")?.as_text()?.to_owned(),
        start_ms: number("start")?.try_into().ok()?,
        configuration: Digest::from_slice(value("configuration")?.as_bytes()?)?,
    })
}

#[cfg(test)]
mod tests {
    use coset::CborSerializable;
    use proptest::prelude::*;

    use super::*;
    use crate::cbor;

    fn key() -> DeviceKey {
        DeviceKey::from_seed(&[1; 32])
    }

    fn label() -> Seal {
        Seal {
            sequence: 300,
            run: 2,
            camera: "gate".into(),
            start_ms: -900_000,
            configuration: Digest::of(b"configuration"),
        }
    }

    #[test]
    fn what_is_sealed_can_be_opened_and_is_deterministic() {
        let bytes = seal(&label(), b"payload".to_vec(), &key());
        assert_eq!(open(&bytes, &key().public()), Ok((label(), b"payload".to_vec())));
        assert_eq!(seal(&label(), b"payload".to_vec(), &key()), bytes);
        assert!(cbor::decode(&bytes).is_ok());
        let sign1 = CoseSign1::from_tagged_slice(&bytes).unwrap();
        let protected = sign1.protected.original_data.unwrap();
        assert!(cbor::decode(&protected).is_ok(), "the header is in deterministic encoding too");
    }

    #[test]
    fn others_are_refused() {
        let bytes = seal(&label(), b"payload".to_vec(), &key());
        let other = DeviceKey::from_seed(&[2; 32]);
        assert_eq!(open(&bytes, &other.public()), Err(EnvelopeError::OtherKey));
        let mut unprotected = CoseSign1::from_tagged_slice(&bytes).unwrap();
        unprotected.unprotected.content_type = Some(coset::ContentType::Text("note".into()));
        let unprotected = unprotected.to_tagged_vec().unwrap();
        assert_eq!(open(&unprotected, &key().public()), Err(EnvelopeError::Malformed));
        let untagged = CoseSign1::from_tagged_slice(&bytes).unwrap().to_vec().unwrap();
        assert_eq!(open(&untagged, &key().public()), Err(EnvelopeError::Malformed));
    }

    proptest! {
        #[test]
        fn no_changed_byte_goes_unnoticed(at: prop::sample::Index, by in 1..=u8::MAX) {
            let mut bytes = seal(&label(), b"payload".to_vec(), &key());
            let at = at.index(bytes.len());
            bytes[at] ^= by;
            prop_assert!(open(&bytes, &key().public()).is_err());
        }

        #[test]
        fn no_bytes_make_it_panic(bytes in prop::collection::vec(any::<u8>(), 0..80)) {
            prop_assert!(open(&bytes, &key().public()).is_err());
        }
    }
}
