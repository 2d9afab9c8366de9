//! Photographs whose faces people have marked: a picture, and beside it an XML file in the form of Pascal VOC. Reads of
//! it what is needed, and is no reader of XML.

use std::path::{Path, PathBuf};

use outis_measure::ImageBox;

use crate::watch::WatchError;

/// What a face is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Truth {
    /// `with_mask`.
    With,
    /// `without_mask`.
    Without,
    /// `mask_weared_incorrect`.
    Incorrect,
}

/// One photograph.
#[derive(Debug, Clone, PartialEq)]
pub struct Marked {
    /// Its file.
    pub picture: PathBuf,
    /// Its faces.
    pub faces: Vec<(Truth, ImageBox)>,
}

/// The photographs of a folder that have an annotation, in the byte order of their names.
///
/// # Errors
/// When a file cannot be read or is no annotation.
pub fn read_folder(folder: &Path) -> Result<Vec<Marked>, WatchError> {
    let fault = |path: &Path| {
        let path = path.to_owned();
        move |source| WatchError::Folder { path, source }
    };
    let mut pictures = Vec::new();
    for entry in std::fs::read_dir(folder).map_err(fault(folder))? {
        let path = entry.map_err(fault(folder))?.path();
        if path.extension().is_some_and(|ending| ending == "png") && path.with_extension("xml").is_file() {
            pictures.push(path);
        }
    }
    pictures.sort();
    pictures
        .into_iter()
        .map(|picture| {
            let file = picture.with_extension("xml");
            let text = std::fs::read_to_string(&file).map_err(fault(&file))?;
            let faces = faces(&text).ok_or_else(|| WatchError::Source {
                path: file,
                message: "no annotation of faces".to_owned(),
            })?;
            Ok(Marked { picture, faces })
        })
        .collect()
}

fn faces(text: &str) -> Option<Vec<(Truth, ImageBox)>> {
    let objects = text.split("<object>").skip(1);
    objects
        .map(|object| {
            let inside = |tag: &str| {
                let (_, rest) = object.split_once(&format!("<{tag}>"))?;
                Some(rest.split_once('<')?.0.trim())
            };
            let truth = match inside("name")? {
                "with_mask" => Truth::With,
                "without_mask" => Truth::Without,
                "mask_weared_incorrect" => Truth::Incorrect,
                _ => return None,
            };
            let number = |tag: &str| inside(tag)?.parse::<f32>().ok();
            let [left, top, right, bottom] =
                [number("xmin")?, number("ymin")?, number("xmax")?, number("ymax")?];
            Some((truth, ImageBox::from_left_top_right_bottom(left, top, right, bottom)))
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn annotations_are_read() {
        let object = |name: &str| {
            format!(
                "<object><name>{name}</name><bndbox><xmin>131</xmin><ymin>224</ymin><xmax>227</xmax>\
                 <ymax>346</ymax></bndbox></object>"
            )
        };
        let text = format!("<annotation>{}{}</annotation>", object("with_mask"), object("without_mask"));
        let read = faces(&text).unwrap();
        assert_eq!(read[0], (Truth::With, ImageBox::from_left_top_right_bottom(131.0, 224.0, 227.0, 346.0)));
        assert_eq!(read[1].0, Truth::Without);
        assert_eq!(faces(&object("helmet")), None);
        assert_eq!(faces("<object><name>with_mask</name></object>"), None);
        assert_eq!(faces("<annotation></annotation>"), Some(Vec::new()));
    }
}
