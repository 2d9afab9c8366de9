//! `outis-eval compose`: makes the videos of the composed street.

use std::path::PathBuf;

use clap::ValueEnum;
use outis_eval::compose::{
    self, STREET_A, STREET_B, STREET_C, STREET_D, STREET_EMPTY, STREET_QUIET, Street, Variant,
};
use outis_eval::{cache, mot};
use outis_measure::Score;

/// Composes a 1080p street with a known truth out of the demo clip; prints where the files are
#[derive(Debug, clap::Args)]
pub(crate) struct Compose {
    /// Which street: `d` is for reporting, the others are for tuning
    #[arg(value_enum, default_value = "a")]
    street: StreetArgument,
    /// Seen how; may be given several times [default: in every way]
    #[arg(long = "variant", value_name = "NAME", value_parser = variant)]
    variants: Vec<Variant>,
    /// True boxes of the clip [default: pets09-s2l1/gt_mot.txt in the data folder]
    #[arg(long, value_name = "MOT_FILE")]
    truth: Option<PathBuf>,
}

/// A street on the command line.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum StreetArgument {
    /// For tuning, with the fewest people
    A,
    /// For tuning
    B,
    /// For tuning, with as many people as on the second
    C,
    /// For reporting
    D,
    /// For measuring what it saves that nearly always nobody is there
    Quiet,
    /// The same when nobody comes at all
    Empty,
}

impl StreetArgument {
    pub(crate) fn street(self) -> Street {
        match self {
            Self::A => STREET_A,
            Self::B => STREET_B,
            Self::C => STREET_C,
            Self::D => STREET_D,
            Self::Quiet => STREET_QUIET,
            Self::Empty => STREET_EMPTY,
        }
    }
}

impl Compose {
    pub(crate) fn run(&self) -> anyhow::Result<()> {
        let clip = cache::folder().join("clips/vtest.avi");
        let file = || outis_eval::street::default_data().join("pets09-s2l1/gt_mot.txt");
        let clip_truth = mot::read_objects(&self.truth.clone().unwrap_or_else(file))?;
        let street = self.street.street();
        let all = Variant::ALL.as_slice();
        for &variant in if self.variants.is_empty() { all } else { &self.variants } {
            let video = compose::prepare(street, variant, &clip)?;
            let truth = street.truth(variant, &clip_truth);
            let mut text = String::new();
            for (present, frame) in truth.iter().zip(1..) {
                for &(id, bbox) in present {
                    mot::write_object(&mut text, frame, u64::try_from(id)?, bbox, Score::new(1.0));
                }
            }
            let truth_file = video.with_extension("txt");
            std::fs::write(&truth_file, text)?;
            println!("{}\n{}", video.display(), truth_file.display());
        }
        Ok(())
    }
}

/// A variant by its name.
pub(crate) fn variant(name: &str) -> Result<Variant, String> {
    Variant::ALL
        .into_iter()
        .find(|variant| variant.name() == name)
        .ok_or_else(|| format!("there are {}", Variant::ALL.map(Variant::name).join(", ")))
}
