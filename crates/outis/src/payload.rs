//! A window as the bytes that are signed, and back for people to read. The only place that knows both.

use outis_ledger::{
    Seal,
    cbor::{self, CborError},
};
use serde::Serialize;

use crate::{report::json::WindowReport, scene::Scene, view::WindowView};

/// The bytes of a window as it is told: the same content as its line of JSON, in deterministic CBOR.
///
/// # Errors
/// When it has no CBOR form, which no window is without.
pub(crate) fn encode(camera: &str, scene: &Scene, window: &WindowView) -> Result<Vec<u8>, CborError> {
    cbor::to_bytes(&WindowReport::new(camera, scene, window))
}

/// A signed window as a line of JSON: its number and run, then its content.
///
/// # Errors
/// When the bytes are no window.
pub(crate) fn line(seal: &Seal, payload: &[u8]) -> Result<String, CborError> {
    #[derive(Serialize)]
    struct Line<'a, T> {
        sequence: u64,
        run: u64,
        camera: &'a str,
        window: T,
    }
    let Seal { sequence, run, ref camera, .. } = *seal;
    let line = Line { sequence, run, camera, window: cbor::decode(payload)? };
    serde_json::to_string(&line).map_err(|_| CborError::Unencodable)
}

#[cfg(test)]
mod tests {
    use outis_ledger::Digest;
    use serde_json::Value;

    use super::*;
    use crate::{assemble::tests::view, report::json::tests::scene};

    #[test]
    fn what_is_signed_is_what_is_told() {
        let (scene, view) = (scene(), view());
        let payload = encode("gate", &scene, &view).unwrap();
        assert_eq!(payload, encode("gate", &scene, &view).unwrap());
        let seal =
            Seal { sequence: 7, run: 1, camera: "gate".into(), start_ms: 0, configuration: Digest::of(b"") };
        let line: Value = serde_json::from_str(&line(&seal, &payload).unwrap()).unwrap();
        let told = serde_json::to_value(WindowReport::new("gate", &scene, &view)).unwrap();
        assert_eq!((&line["window"], &line["sequence"]), (&told, &7.into()));
    }
}
