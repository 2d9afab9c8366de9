//! How a composed street becomes a video: one command line for `ffmpeg`. Knows no pixels itself.

use std::path::{Path, PathBuf};
use std::process::Command;

use super::{CROP_PX, Copy, FADE_PX, FPS, MARGIN_PX, Piece, SIZE_PX, Street, Variant};

/// Changes with the recipe, so that no old video is taken for a new one.
const EDITION: u32 = 2;
/// Every so many frames of the clip, one goes into its median.
const MEDIAN_STEP: u32 = 16;
/// Of 49 frames, 2 x 24 + 1.
const MEDIAN_RADIUS: u32 = 24;

/// Why a composed video could not be made.
#[derive(Debug, thiserror::Error)]
#[expect(missing_docs, reason = "the messages say it")]
pub enum ComposeError {
    #[error("{} is absent; `models/fetch` fetches it", path.display())]
    NoClip { path: PathBuf },
    #[error("cannot run ffmpeg, which composes the videos: {source}; install the package ffmpeg")]
    NoFfmpeg { source: std::io::Error },
    #[error("ffmpeg could not make {}: {said}", path.display())]
    Failed { path: PathBuf, said: String },
    #[error("cannot put {} in its place: {source}", path.display())]
    Place { path: PathBuf, source: std::io::Error },
}

/// The composed video beside the clip; made when it is not there yet, which takes a minute.
///
/// # Errors
/// When the clip or `ffmpeg` is absent.
pub fn prepare(street: Street, variant: Variant, clip: &Path) -> Result<PathBuf, ComposeError> {
    let video = clip.with_file_name(format!("street-{}-{}.{EDITION}.mp4", street.name, variant.name()));
    if video.is_file() {
        return Ok(video);
    }
    if !clip.is_file() {
        return Err(ComposeError::NoClip { path: clip.to_owned() });
    }
    let unfinished = video.with_extension("part.mp4");
    let made = Command::new("ffmpeg")
        .args(["-nostdin", "-loglevel", "error", "-y", "-i"])
        .arg(clip)
        .args(["-filter_complex", &graph(street, variant), "-map", "[picture]"])
        .args(["-frames:v", &street.frames.to_string(), "-an", "-pix_fmt", "yuv420p"])
        .args(["-c:v", "libx264", "-preset", "veryfast", "-crf", "27", "-g", "50"])
        .arg(&unfinished)
        .output()
        .map_err(|source| ComposeError::NoFfmpeg { source })?;
    if !made.status.success() {
        let said = String::from_utf8_lossy(&made.stderr).trim().to_owned();
        return Err(ComposeError::Failed { path: video, said });
    }
    std::fs::rename(&unfinished, &video)
        .map_err(|source| ComposeError::Place { path: video.clone(), source })?;
    Ok(video)
}

/// The graph of filters from the clip to the picture.
fn graph(street: Street, variant: Variant) -> String {
    let grounds: Vec<&Copy> = street.copies.iter().filter(|copy| copy.shows_ground()).collect();
    let of_copy =
        |copy: &'static Copy| copy.pieces(street.frames).into_iter().map(move |piece| (copy, piece));
    let pieces: Vec<(&Copy, Piece)> = street.copies.iter().flat_map(of_copy).collect();
    let clips = (0..pieces.len()).map(|index| format!("[clip{index}]")).collect::<String>();
    let mut graph = format!("[0:v]fps={FPS},split={}[still]{clips};", pieces.len() + 1);
    graph += &background(&grounds);
    for (index, (copy, piece)) in pieces.iter().enumerate() {
        graph += &laid(copy, *piece, &format!("clip{index}"), ("canvas", index));
    }
    graph + &format!("[canvas{}]{}", pieces.len(), camera(variant))
}

/// The clip's median, enlarged to the canvas and once more for each copy that shows the ground, for ever.
fn background(grounds: &[&Copy]) -> String {
    let (width, height) = canvas_px();
    let names = (0..grounds.len()).map(|index| format!("[ground{index}]")).collect::<String>();
    let mut text = format!(
        "[still]select='not(mod(n,{MEDIAN_STEP}))',tmedian=radius={MEDIAN_RADIUS},trim=end_frame=1,\
         split={}[wide]{names};[wide]scale={width}:-2,crop={width}:{height}:0:150[street0];",
        grounds.len() + 1
    );
    let once = Piece { part_px: CROP_PX, first_frame: 0, frames: 1, at_frame: 0 };
    for (index, copy) in grounds.iter().enumerate() {
        text += &laid(copy, once, &format!("ground{index}"), ("street", index));
    }
    let street = grounds.len();
    text + &format!("[street{street}]loop=loop=-1:size=1:start=0,setpts=N/{FPS}/TB,fps={FPS}[canvas0];")
}

/// A piece of a copy, with soft edges, over what is there already: from `canvas0` to `canvas1`, say.
fn laid(copy: &Copy, piece: Piece, name: &str, (canvas, index): (&str, usize)) -> String {
    let (copy_width, copy_height) = copy.size_px();
    let [crop_left, crop_top, crop_width, crop_height] = CROP_PX;
    let [part_left, part_top, width, height] = copy.part_px(piece.part_px);
    let Piece { first_frame, frames, at_frame, .. } = piece;
    let end = first_frame + frames;
    let mirror = if copy.mirrored { "hflip," } else { "" };
    let left = copy.left_px + MARGIN_PX + part_left as i32;
    let top = copy.top_px + MARGIN_PX + part_top as i32;
    let next = index + 1;
    // A mask has no end, and keeps its piece from having one.
    format!(
        "[{name}]trim=start_frame={first_frame}:end_frame={end},setpts=N/{FPS}/TB,\
         crop={crop_width}:{crop_height}:{crop_left}:{crop_top},{mirror}scale={copy_width}:{copy_height},\
         crop={width}:{height}:{part_left}:{part_top}[{name}-piece];\
         color=black:s={width}x{height}:r={FPS}:d=1,format=gray,trim=end_frame=1,\
         geq=lum='255*min(1,(1+min(min(X,W-1-X),min(Y,H-1-Y)))/{FADE_PX})',\
         loop=loop=-1:size=1:start=0,setpts=N/{FPS}/TB[{name}-mask];\
         [{name}-piece][{name}-mask]alphamerge,trim=end_frame={frames},setpts=(N+{at_frame})/{FPS}/TB[{name}-soft];\
         [{canvas}{index}][{name}-soft]overlay={left}:{top}:eof_action=pass[{canvas}{next}];"
    )
}

/// What the camera makes of the canvas.
fn camera(variant: Variant) -> String {
    let (width, height) = SIZE_PX;
    let corner = match variant {
        // The same as `Variant::corner_px`; ffmpeg rounds halves away from zero as Rust does.
        Variant::Shake => format!(
            "{MARGIN_PX}+2*round(4*sin(1.7*n)+2*sin(0.31*n)):{MARGIN_PX}+2*round(3*sin(1.3*n)+2*sin(0.23*n))"
        ),
        _ => format!("{MARGIN_PX}:{MARGIN_PX}"),
    };
    let light = match variant {
        Variant::Dark => "lutyuv=y='16+(val-16)*0.2',",
        Variant::Flicker => "eq=brightness='if(lt(mod(n,160),80),0,-0.12)':eval=frame,",
        _ => "",
    };
    // Over everything alike, so that nothing tells a copy from the still ground between.
    let noise = match variant {
        Variant::Noise => 24,
        Variant::Dark => 8,
        _ => 5,
    };
    format!(
        "crop={width}:{height}:{corner},{light}noise=all_seed=7:alls={noise}:allf=t,format=yuv420p[picture]"
    )
}

/// Width and height of the canvas.
fn canvas_px() -> (i32, i32) {
    (SIZE_PX.0 as i32 + 2 * MARGIN_PX, SIZE_PX.1 as i32 + 2 * MARGIN_PX)
}

#[cfg(test)]
mod tests {
    use super::super::{STREET_A, STREETS};
    use super::*;

    #[test]
    fn what_is_absent_is_said() {
        let folder = tempfile::tempdir().unwrap();
        let error = prepare(STREET_A, Variant::Day, &folder.path().join("vtest.avi")).unwrap_err();
        assert!(error.to_string().contains("vtest.avi is absent; `models/fetch`"), "{error}");
    }

    #[test]
    fn every_piece_and_every_ground_is_laid_once() {
        for street in STREETS {
            let of_copy = |copy: &Copy| copy.pieces(street.frames).len() + usize::from(copy.shows_ground());
            let expected: usize = street.copies.iter().map(of_copy).sum();
            for variant in Variant::ALL {
                let graph = graph(street, variant);
                assert_eq!(graph.matches("overlay=").count(), expected, "{}", street.name);
                assert!(graph.ends_with("[picture]") && graph.contains("split="));
            }
        }
    }
}
