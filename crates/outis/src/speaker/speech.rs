//! Messages as files of sound: spoken once, when they are first needed or at set-up, by `espeak-ng`.
//!
//! It is a program of its own that Debian keeps, under the GPL: it is called, and not linked. An installer's own files
//! take the place of what it says.

use std::{
    fs,
    io::{self, Write},
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

use anyhow::{Context, bail, ensure};
use outis_ledger::Digest;
use outis_record::AlertKind;
use serde::Deserialize;

use super::{
    sound::Sound,
    wav::{self, FILE_BYTES_MAX},
};
use crate::exit::UsageError;

/// The longest text in characters: about half a minute.
const TEXT_CHARS_MAX: usize = 300;

/// The pause between two languages, in seconds.
const PAUSE_S: f32 = 0.6;

/// How fast it is spoken, in words a minute: slower than the program's 175, for a street.
const WORDS_PER_MINUTE: &str = "150";

/// A language that messages are spoken in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Language {
    Fr,
    En,
}

impl Language {
    /// As files and voices are called.
    fn name(self) -> &'static str {
        match self {
            Self::Fr => "fr",
            Self::En => "en",
        }
    }

    /// What is said unless the configuration has another text.
    fn text(self, kind: AlertKind) -> &'static str {
        match (self, kind) {
            (Self::Fr, AlertKind::TooClose) => {
                "Votre attention, s'il vous plaît. Merci de garder vos distances."
            }
            (Self::En, AlertKind::TooClose) => {
                "Your attention, please. Please keep a distance from each other."
            }
            (Self::Fr, AlertKind::TooFull) => {
                "Votre attention, s'il vous plaît. Il y a beaucoup de monde ici. Merci de laisser de la place."
            }
            (Self::En, AlertKind::TooFull) => {
                "Your attention, please. It is crowded here. Please make room for each other."
            }
        }
    }
}

/// Section `[[speaker.message]]`: what is said instead of what is supplied.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct MessageConfig {
    kind: String,
    language: Option<Language>,
    text: Option<String>,
    file: Option<PathBuf>,
}

/// What is said for each kind of alert.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Messages {
    folder: PathBuf,
    by_kind: Vec<(AlertKind, Vec<Part>)>,
}

/// A part of a message.
#[derive(Debug, Clone, PartialEq)]
enum Part {
    /// To be spoken.
    Text(Language, String),
    /// The installer's own.
    File(PathBuf),
}

impl Messages {
    /// The messages of a configuration; what is spoken goes to `folder`.
    ///
    /// # Errors
    /// Says what to change.
    pub(crate) fn new(
        languages: &[Language],
        messages: Vec<MessageConfig>,
        folder: PathBuf,
        beside: &Path,
    ) -> Result<Self, String> {
        let twice = |n: usize| languages[..n].contains(&languages[n]);
        if languages.is_empty() || (0..languages.len()).any(twice) {
            return Err("languages: name each of \"fr\" and \"en\" at most once, and one at least".into());
        }
        let parts =
            |kind: AlertKind| languages.iter().map(|&l| Part::Text(l, l.text(kind).to_owned())).collect();
        let mut by_kind: Vec<(AlertKind, Vec<Part>)> =
            AlertKind::ALL.into_iter().map(|kind| (kind, parts(kind))).collect();
        for MessageConfig { kind, language, text, file } in messages {
            let known = by_kind.iter_mut().find(|(known, _)| known.name() == kind);
            let known = known.ok_or_else(|| {
                let kinds = AlertKind::ALL.map(AlertKind::name).join(", ");
                format!("message: \"{kind}\" is not a kind of alert; there are {kinds}")
            });
            let (_, parts) = known?;
            match (language, text, file) {
                (None, None, Some(file)) => *parts = vec![Part::File(beside.join(file))],
                (Some(language), Some(text), None) => {
                    let long = text.chars().count() > TEXT_CHARS_MAX;
                    if text.trim().is_empty() || long || text.contains(char::is_control) {
                        return Err(format!(
                            "message \"{kind}\": text is one line of 1 to {TEXT_CHARS_MAX} characters"
                        ));
                    }
                    let of_language = |part: &&mut Part| matches!(part, Part::Text(l, _) if *l == language);
                    let part = parts.iter_mut().find(of_language);
                    *part.ok_or_else(|| {
                        format!("message \"{kind}\": \"{}\" is not one of the languages", language.name())
                    })? = Part::Text(language, text);
                }
                _ => return Err(format!("message \"{kind}\": give a language and a text, or a file")),
            }
        }
        Ok(Self { folder, by_kind })
    }

    /// Has spoken what has not been spoken yet, and says what there is: a line for each file.
    ///
    /// # Errors
    /// When a text cannot be spoken or kept.
    pub(crate) fn speak(&self) -> anyhow::Result<Vec<String>> {
        let mut said = Vec::new();
        for (kind, parts) in &self.by_kind {
            for part in parts {
                let path = self.path(*kind, part);
                if let Part::Text(language, text) = part
                    && !path.exists()
                {
                    fs::create_dir_all(&self.folder).with_context(|| {
                        format!("{} cannot be made for the messages", self.folder.display())
                    })?;
                    speak(*language, text, &path)?;
                }
                let sound = load(&path)?;
                said.push(format!("{}: {}, {:.1} s", kind.name(), path.display(), sound.length_s()));
            }
        }
        Ok(said)
    }

    /// The message for a kind of alert. It must have been spoken.
    pub(crate) fn sound(&self, kind: AlertKind) -> anyhow::Result<Sound> {
        let parts = self.by_kind.iter().filter(|(known, _)| *known == kind).flat_map(|(_, parts)| parts);
        let parts = parts.map(|part| load(&self.path(kind, part))).collect::<anyhow::Result<Vec<_>>>()?;
        Sound::join(&parts, PAUSE_S).with_context(|| format!("there is no message for {}", kind.name()))
    }

    /// A text has a file of its own: one that was changed is spoken anew.
    fn path(&self, kind: AlertKind, part: &Part) -> PathBuf {
        match part {
            Part::File(path) => path.clone(),
            Part::Text(language, text) => {
                let digest = Digest::of(text.as_bytes()).short();
                self.folder.join(format!("{}-{}-{digest}.wav", kind.name(), language.name()))
            }
        }
    }
}

fn load(path: &Path) -> anyhow::Result<Sound> {
    let cannot = || format!("the message {} cannot be used", path.display());
    let length = fs::metadata(path).with_context(cannot)?.len();
    if length > FILE_BYTES_MAX {
        let long = UsageError::new(format!("it is larger than {} MB", FILE_BYTES_MAX >> 20));
        return Err(anyhow::Error::new(long).context(cannot()));
    }
    wav::read(&fs::read(path).with_context(cannot)?).with_context(cannot)
}

/// Has a text spoken into a file, which is there whole or not at all.
fn speak(language: Language, text: &str, path: &Path) -> anyhow::Result<()> {
    let unfinished = path.with_extension("part");
    let voice = language.name();
    // The text goes in by a pipe: it could look like an option.
    let espeak = Command::new("espeak-ng")
        .args(["-v", voice, "-s", WORDS_PER_MINUTE, "--stdin", "-b", "1", "-w"])
        .arg(&unfinished)
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn();
    let mut espeak = match espeak {
        Err(error) if error.kind() == io::ErrorKind::NotFound => bail!(
            "messages are spoken by espeak-ng, which is not here: install the package `espeak-ng` and run \
             `outis speak`, or give files of your own in [[speaker.message]]"
        ),
        other => other.context("espeak-ng cannot be started")?,
    };
    if let Some(mut input) = espeak.stdin.take() {
        input.write_all(text.as_bytes()).context("espeak-ng does not listen")?;
    }
    let ended = espeak.wait_with_output().context("espeak-ng")?;
    let words = String::from_utf8_lossy(&ended.stderr);
    ensure!(
        ended.status.success(),
        "espeak-ng failed: {}",
        words.lines().next().unwrap_or("it said nothing")
    );
    load(&unfinished).with_context(|| format!("what espeak-ng made of \"{text}\""))?;
    fs::rename(&unfinished, path).with_context(|| format!("{} cannot be kept", path.display()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn messages(languages: &[Language], text: &str, folder: &Path) -> Result<Messages, String> {
        #[derive(Deserialize)]
        struct Section {
            #[serde(default)]
            message: Vec<MessageConfig>,
        }
        let Section { message } = toml::from_str(text).unwrap();
        Messages::new(languages, message, folder.join("messages"), folder)
    }

    #[test]
    fn messages_are_spoken_once_in_each_language() {
        let folder = tempfile::tempdir().unwrap();
        let own =
            "[[message]]\nkind = \"too-full\"\nlanguage = \"en\"\ntext = \"--help is no option here\"\n";
        let messages = messages(&[Language::Fr, Language::En], own, folder.path()).unwrap();
        let said = messages.speak().unwrap();
        assert_eq!(said.len(), 4, "{said:?}");
        let files = || {
            let files = fs::read_dir(folder.path().join("messages")).unwrap();
            let mut files: Vec<_> = files
                .map(|file| file.unwrap())
                .map(|f| (f.path(), f.metadata().unwrap().modified().unwrap()))
                .collect();
            files.sort();
            files
        };
        let first = files();
        assert_eq!(first.len(), 4, "{first:?}");
        assert_eq!(messages.speak().unwrap(), said);
        assert_eq!(files(), first, "what is there is not spoken again");
        let sound = messages.sound(AlertKind::TooFull).unwrap();
        assert!((4.0..20.0).contains(&sound.length_s()), "{} s", sound.length_s());
        let loudest = sound.samples.iter().fold(0.0f32, |peak, sample| peak.max(sample.abs()));
        assert!(loudest > 0.2, "{loudest}");
    }

    #[test]
    fn an_installers_file_takes_the_place_of_what_is_spoken() {
        let folder = tempfile::tempdir().unwrap();
        let sound = Sound { samples: vec![0.5; 8_000], rate_hz: 8_000 };
        fs::write(folder.path().join("gong.wav"), wav::write(&sound)).unwrap();
        let own = "[[message]]\nkind = \"too-full\"\nfile = \"gong.wav\"\n[[message]]\nkind = \"too-close\"\nfile = \"no.wav\"\n";
        let messages = messages(&[Language::En], own, folder.path()).unwrap();
        assert_eq!(messages.sound(AlertKind::TooFull).unwrap().length_s(), 1.0);
        let error = format!("{:#}", messages.speak().unwrap_err());
        assert!(error.contains("no.wav") && error.contains("cannot be used"), "{error}");
    }

    #[test]
    fn what_cannot_be_said_is_refused() {
        let folder = Path::new("/nowhere");
        let long = format!("kind = \"too-full\"\nlanguage = \"en\"\ntext = \"{}\"", "a".repeat(301));
        for (text, part) in [
            ("kind = \"mask\"\nfile = \"a.wav\"", "too-close, too-full"),
            ("kind = \"too-full\"\ntext = \"go\"", "a language and a text, or a file"),
            ("kind = \"too-full\"\nlanguage = \"en\"\ntext = \"go\"\nfile = \"a.wav\"", "or a file"),
            ("kind = \"too-full\"\nlanguage = \"fr\"\ntext = \"va\"", "not one of the languages"),
            (&long, "1 to 300 characters"),
        ] {
            let error = messages(&[Language::En], &format!("[[message]]\n{text}"), folder).unwrap_err();
            assert!(error.contains(part), "{text}: {error}");
        }
        for languages in [&[][..], &[Language::En, Language::En]] {
            assert!(messages(languages, "", folder).is_err(), "{languages:?}");
        }
    }
}
