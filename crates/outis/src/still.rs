//! A picture of a street with nobody in it, for whoever draws lines on it. `outis-still` makes it from behind a lock of its
//! own; here it is bytes that are handed on. Only `outis calibrate` asks for one, and says so.

use std::time::Duration;

use anyhow::{Context, bail, ensure};
use outis_jail::BLOCK_LEN;
use tokio::{
    io::{AsyncRead, AsyncReadExt},
    time::timeout,
};

use crate::{
    camera::Stop,
    launch::{Ended, Programs},
    source::Source,
};

/// The most bytes of a picture: 1280 x 720 pixels that do not compress at all.
const PNG_BYTES_MAX: u64 = 4 << 20;
/// Files are looked at for so many seconds of video at most, live cameras for as long as the caller says.
pub(crate) const FILE_S_MAX: u32 = 1800;

/// A camera gets so much longer than it is looked at for: to answer, to send a key frame, and to be encoded.
const LIVE_WAIT: Duration = Duration::from_secs(30);
/// A file, which is read as fast as it can be.
const FILE_WAIT: Duration = Duration::from_secs(900);

/// What its first block begins with (`crates/outis-still/src/answer.rs`).
const MAGIC: &[u8] = b"OUTISSTL";

/// A picture of a street with nobody in it.
#[derive(Clone)]
pub(crate) struct Still {
    /// A PNG; nothing here can read it.
    pub(crate) png: Vec<u8>,
    /// Width and height in pixels of the camera's picture: lines are drawn in these.
    pub(crate) picture_px: [u32; 2],
    /// How many moments it was made of.
    pub(crate) samples: u32,
    /// Share of its area that shows flat patches, in thousandths: somebody was there most of the time.
    pub(crate) patched_permille: u32,
}

/// Looks at a source for so many seconds of video, or to its end.
///
/// # Errors
/// When the programs cannot be started, the source cannot be opened or decoded, or was seen for too short a time to know who
/// passes from what stays; when it was stopped meanwhile.
pub(crate) async fn take(
    source: &Source,
    seconds: u32,
    programs: &Programs,
    stop: &Stop,
) -> anyhow::Result<Still> {
    let (mut intake, mut still, picture) = programs.launch_still(source, seconds)?;
    let mut stop = stop.clone();
    // What cannot be decoded, or says that no time passes, would go on for ever.
    let wait = if source.is_live() { LIVE_WAIT + Duration::from_secs(seconds.into()) } else { FILE_WAIT };
    let late = || anyhow::anyhow!("no picture of the source could be made within {} s", wait.as_secs());
    let answered = tokio::select! {
        answer = timeout(wait, read(picture)) => answer.unwrap_or_else(|_| Err(late())),
        _ = stop.wait_for(|&stop| stop) => Err(anyhow::anyhow!("stopped before there was a picture")),
    };
    // It has told all it can; its source may go on for ever.
    still.kill();
    if source.is_live() || answered.is_err() {
        intake.kill();
    }
    let (intake, still) = (intake.end().await, still.end().await);
    answered.map_err(|error| match words_of(&[&intake, &still]) {
        Some(words) => anyhow::anyhow!("{words}"),
        None => error,
    })
}

/// Who knows best why there is no picture.
fn words_of(ended: &[&Ended]) -> Option<String> {
    ended.iter().map(|ended| ended.words.trim()).find(|words| !words.is_empty()).map(str::to_owned)
}

async fn read(answer: impl AsyncRead + Unpin) -> anyhow::Result<Still> {
    let mut bytes = Vec::new();
    let limit = PNG_BYTES_MAX + 2 * BLOCK_LEN as u64;
    answer.take(limit).read_to_end(&mut bytes).await.context("the picture cannot be read")?;
    parse(&bytes)
}

fn parse(bytes: &[u8]) -> anyhow::Result<Still> {
    let (head, png) = bytes.split_at_checked(BLOCK_LEN).context("the source could not be looked at")?;
    let numbers = head.strip_prefix(MAGIC).context("what came is no picture")?;
    let (numbers, _) = numbers.as_chunks::<4>();
    let [status, width, height, samples, patched_permille, length] =
        numbers[..6].try_into().map(|numbers: [[u8; 4]; 6]| numbers.map(u32::from_le_bytes))?;
    match status {
        0 => {}
        1 => bail!("no picture of the source could be decoded"),
        2 => bail!("there is no decoder for the source's codec"),
        3 => bail!(
            "the source was seen for too short a time: whoever passes would be in the picture. A file needs five \
             seconds or more, better a minute"
        ),
        _ => bail!("what came is no picture"),
    }
    let png = usize::try_from(length).ok().and_then(|length| png.get(..length));
    let png = png.context("the picture is cut off")?.to_vec();
    ensure!(png.starts_with(b"\x89PNG\r\n\x1a\n") && width > 0 && height > 0, "what came is no picture");
    Ok(Still { png, picture_px: [width, height], samples, patched_permille })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answer(numbers: [u32; 6], png: &[u8]) -> Vec<u8> {
        let mut head = MAGIC.to_vec();
        numbers.iter().for_each(|number| head.extend(number.to_le_bytes()));
        head.resize(BLOCK_LEN, 0);
        [&head, png].concat()
    }

    #[test]
    fn answers() {
        let png = b"\x89PNG\r\n\x1a\nand so on";
        let whole = answer([0, 1920, 1080, 31, 12, png.len() as u32], &[png, &[0; 100][..]].concat());
        let still = parse(&whole).unwrap();
        assert_eq!((still.picture_px, still.samples, still.patched_permille), ([1920, 1080], 31, 12));
        assert_eq!(still.png, png);
        for (name, bytes, expected) in [
            ("nothing", Vec::new(), "could not be looked at"),
            ("another program's words", vec![b'x'; BLOCK_LEN], "no picture"),
            ("nothing decoded", answer([1, 0, 0, 0, 0, 0], b""), "decoded"),
            ("a codec", answer([2, 0, 0, 0, 0, 0], b""), "codec"),
            ("a moment", answer([3, 0, 0, 0, 0, 0], b""), "too short"),
            ("another status", answer([9, 0, 0, 0, 0, 0], b""), "no picture"),
            ("cut off", answer([0, 8, 8, 31, 0, 999], png), "cut off"),
            ("no PNG", answer([0, 8, 8, 31, 0, 4], b"GIF8"), "no picture"),
        ] {
            let error = parse(&bytes).err().unwrap().to_string();
            assert!(error.contains(expected), "{name}: {error}");
        }
    }
}
