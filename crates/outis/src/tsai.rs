//! Reads the file of a camera that was calibrated by Tsai's method, as the sets of PETS and ETISEO have them. Numbers
//! only; what they mean for the ground the eye works out.

use std::{
    fs::File,
    io::{self, Read},
    path::{Path, PathBuf},
};

use outis_ledger::Digest;
use roxmltree::Document;

/// The largest file in bytes; real ones have half a thousand.
const FILE_BYTES_MAX: u64 = 64 << 10;

/// Lengths of the world are in millimetres in these files.
const WORLD_UNIT_M: f64 = 0.001;

/// The longest side of a picture in pixels.
const SIDE_PX_MAX: f64 = 16_384.0;

/// The largest number that is believed.
const NUMBER_MAX: f64 = 1e9;

/// The numbers of one camera. Millimetres on the sensor, metres in the world, radians.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Numbers {
    /// Size of the picture the camera was calibrated with.
    pub(crate) picture_px: [u32; 2],
    focal_mm: f64,
    kappa1: f64,
    center_px: [f64; 2],
    sx: f64,
    pixel_mm: [f64; 2],
    translation_m: [f64; 3],
    rotation_rad: [f64; 3],
}

/// A file of numbers, and which one it was.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Calibration {
    pub(crate) numbers: Numbers,
    pub(crate) path: PathBuf,
    /// Of the very bytes that the numbers were read from: the file may change afterwards.
    pub(crate) digest: Digest,
}

/// Why a file is no calibration.
#[derive(Debug, thiserror::Error)]
pub(crate) enum TsaiError {
    #[error("cannot be read: {0}")]
    Read(#[from] io::Error),
    #[error("is not XML: {0}")]
    Xml(#[from] roxmltree::Error),
    #[error("has no element <{0}>; a calibration has <Geometry>, <Intrinsic> and <Extrinsic>")]
    Element(&'static str),
    #[error("has no number {attribute} in <{element}>")]
    Number { element: &'static str, attribute: &'static str },
}

/// Reads a file.
pub(crate) fn read(path: &Path) -> Result<Calibration, TsaiError> {
    let mut text = String::new();
    File::open(path)?.take(FILE_BYTES_MAX).read_to_string(&mut text)?;
    Ok(Calibration { numbers: parse(&text)?, path: path.to_owned(), digest: Digest::of(text.as_bytes()) })
}

fn parse(text: &str) -> Result<Numbers, TsaiError> {
    let document = Document::parse(text)?;
    let number = |element: &'static str, attribute: &'static str| {
        let node = document.descendants().find(|node| node.has_tag_name(element));
        let text = node.ok_or(TsaiError::Element(element))?.attribute(attribute);
        let number = text.and_then(|text| text.trim().parse().ok());
        let number = number.filter(|number: &f64| number.abs() <= NUMBER_MAX);
        number.ok_or(TsaiError::Number { element, attribute })
    };
    let intrinsic = |attribute| number("Intrinsic", attribute);
    let metres = |attribute| Ok::<_, TsaiError>(number("Extrinsic", attribute)? * WORLD_UNIT_M);
    let radians = |attribute| number("Extrinsic", attribute);
    let side = |attribute| {
        let side = number("Geometry", attribute)?;
        let whole = (1.0..=SIDE_PX_MAX).contains(&side);
        whole.then_some(side as u32).ok_or(TsaiError::Number { element: "Geometry", attribute })
    };
    Ok(Numbers {
        picture_px: [side("width")?, side("height")?],
        focal_mm: intrinsic("focal")?,
        kappa1: intrinsic("kappa1")?,
        center_px: [intrinsic("cx")?, intrinsic("cy")?],
        sx: intrinsic("sx")?,
        pixel_mm: [number("Geometry", "dpx")?, number("Geometry", "dpy")?],
        translation_m: [metres("tx")?, metres("ty")?, metres("tz")?],
        rotation_rad: [radians("rx")?, radians("ry")?, radians("rz")?],
    })
}

impl Numbers {
    /// In the order in which an eye takes them.
    pub(crate) fn in_order(&self) -> [f64; 13] {
        let Self { focal_mm, kappa1, center_px: [cx, cy], sx, pixel_mm: [dpx, dpy], .. } = *self;
        let ([tx, ty, tz], [rx, ry, rz]) = (self.translation_m, self.rotation_rad);
        [focal_mm, kappa1, cx, cy, sx, dpx, dpy, tx, ty, tz, rx, ry, rz]
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;

    /// A camera that does not exist, in the form of the files of PETS 2009.
    pub(crate) const FILE: &str = r#"<?xml version="1.0" encoding="UTF-8"?>
<Camera name="View_000">
	<Geometry width="768" height="576" ncx="7.95e+02" nfx="7.52e+02" dx="4.85e-03" dy="4.65e-03" dpx="5.13e-03" dpy="4.65e-03"/>
	<Intrinsic focal="5.5" kappa1="5.0e-03" cx="3.24e+02" cy="2.82e+02" sx="1.09e+00"/>
	<Extrinsic tx="8.0e+02" ty="-1.2e+03" tz="2.4e+04" rx="2.0" ry="-0.9" rz="-0.4"/>
</Camera>"#;

    #[test]
    fn a_file_of_this_kind_is_read() {
        let expected = [5.5, 0.005, 324.0, 282.0, 1.09, 0.00513, 0.00465, 0.8, -1.2, 24.0, 2.0, -0.9, -0.4];
        let got = parse(FILE).unwrap().in_order();
        assert_eq!(parse(FILE).unwrap().picture_px, [768, 576]);
        for (got, expected) in got.into_iter().zip(expected) {
            assert!((got - expected).abs() < 1e-9, "{got} {expected}");
        }
    }

    #[test]
    fn what_is_no_calibration_is_said_to_be_none() {
        let cases = [
            ("no XML", "focal = 5", "is not XML"),
            ("another file", "<plist/>", "no element <Geometry>"),
            ("no picture", &FILE.replace("\"768\"", "\"0\""), "no number width in <Geometry>"),
            ("a number is missing", &FILE.replace("kappa1", "kappa2"), "no number kappa1 in <Intrinsic>"),
            ("no number", &FILE.replace("8.0e+02", "nan"), "no number tx in <Extrinsic>"),
            ("beyond belief", &FILE.replace("8.0e+02", "8.0e+200"), "no number tx in <Extrinsic>"),
        ];
        for (name, text, expected) in cases {
            let said = parse(text).unwrap_err().to_string();
            assert!(said.contains(expected), "{name}: {said}");
        }
    }
}
