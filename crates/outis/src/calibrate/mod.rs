//! `outis calibrate`: a page for whoever sets a camera up. On a picture of the street with nobody in it, lines and zones are
//! drawn, tried, and written as a configuration; and, without a page, the ground is found from the people who walk by.

mod draft;
mod finding;
mod ground;
mod job;
mod logged;
mod preview;
mod server;
mod watching;

use std::{
    env,
    fs::{self, OpenOptions},
    io::{ErrorKind, Write as _},
    net::{IpAddr, Ipv4Addr, SocketAddr},
    path::{Path, PathBuf},
};

use anyhow::Context;
use clap::Args;

use self::{
    draft::Camera,
    server::{Drawing, Server},
};
use crate::{
    config::Access,
    detector::{Cache, Detector},
    exit::{Exit, UsageError},
    inventory,
    launch::Programs,
    source::{Source, Transport},
    still, stop, tsai,
};

/// For so many seconds a live camera is looked at for a picture, unless somebody says otherwise.
const STILL_S: u32 = 60;

/// Draw lines and zones on a picture of the street with nobody in it; or find the ground from who walks by
#[derive(Debug, Args)]
#[command(
    after_help = "A page opens on this machine. It shows one picture of the street, of which whoever passes is left out: \
what was there for half of the time is shown. The picture is shown on this page alone and kept nowhere; that it was \
shown is put on record in the log of this device first. Lines and zones are drawn with mouse, touch or keys, tried on a file, and written as a configuration for `outis watch`.

With --no-page there is no picture: the camera's height and slant are found from the people who walk by, in a file to its \
end, before a live camera until Ctrl-C or for --seconds. Let it see at \
least fifteen people who walk through the picture, better a hundred, near and far. The camera's lens must not bend \
straight lines much. What it finds is the ground plane that distances, speeds and densities need; check one distance that \
you know.

Exit codes: 0 written, 3 found in a part of the file, or before the camera broke off, 1 nothing was written, 2 wrong usage."
)]
pub(crate) struct CalibrateArgs {
    /// A video file, rtsp://…, http://… or /dev/video0
    source: PathBuf,

    /// The configuration to write, a new file [default: with a page the camera's name and .toml, else the terminal]
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,

    /// No page and no picture: find the ground from who walks by
    #[arg(long)]
    no_page: bool,

    /// Where to serve the page, on this machine only
    #[arg(long, value_name = "ADDR", default_value_t = SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), 0))]
    listen: SocketAddr,

    /// For how many seconds a live camera is looked at [default: 60 for the picture, with --no-page 1800 at most]
    #[arg(long, value_name = "S", value_parser = clap::value_parser!(u32).range(5..=3600))]
    seconds: Option<u32>,

    /// The state folder in whose log it is put on record that a picture was shown [default: as for `outis watch`]
    #[arg(long, value_name = "FOLDER", conflicts_with = "no_page")]
    state: Option<PathBuf>,

    /// The ground, from a calibration by Tsai's method (.xml)
    #[arg(long, value_name = "FILE", conflicts_with = "no_page")]
    tsai: Option<PathBuf>,

    /// How the packets of an RTSP camera come
    #[arg(long, value_enum)]
    transport: Option<Transport>,

    /// A file whose first line is user:password, for a camera that asks for them
    #[arg(long, value_name = "FILE")]
    credentials_file: Option<PathBuf>,

    /// The focal length in pixels, where it is known: with it, distances are twice as good
    #[arg(long, value_name = "F", value_parser = focal_px, requires = "no_page")]
    focal_px: Option<f64>,

    /// Which detector finds people
    #[arg(long, value_enum, default_value_t)]
    detector: Detector,
}

/// Serves the page until it is stopped, or finds the ground.
pub(crate) async fn run(arguments: CalibrateArgs) -> anyhow::Result<Exit> {
    let CalibrateArgs { source, out, no_page, listen, seconds, transport, .. } = arguments;
    if !listen.ip().is_loopback() {
        let why = "the page shows a picture of the street, so it is for this machine alone: name 127.0.0.1 or [::1]";
        return Err(UsageError::new(format!("--listen {listen}: {why}")).into());
    }
    let credentials_file = arguments.credentials_file;
    let access = Access { transport, credentials_file: credentials_file.clone(), credentials_env: None };
    let folder = env::current_dir().context("the folder we are in cannot be told")?;
    let opened = access.source(&source, &folder).map_err(UsageError::new)?;
    let calibration = arguments.tsai.map(|file| {
        let file = folder.join(file);
        tsai::read(&file).map_err(|error| UsageError::new(format!("{} {error}", file.display())))
    });
    let credentials_file = credentials_file.map(|file| folder.join(file));
    let camera = Camera::new(&opened, credentials_file, arguments.detector, calibration.transpose()?);
    let name = camera.name().to_owned();
    let mut stop = stop::on_signals()?;
    if no_page {
        let title = named(&source, &opened);
        let plan = watching::plan(opened, arguments.detector.find(&Cache::from_env())?, arguments.focal_px);
        let longest_s = seconds.unwrap_or(watching::LONGEST_S);
        return ground::run(&camera, plan, longest_s, &title, out, &stop).await;
    }
    let state = arguments.state.unwrap_or_else(inventory::default_state_folder);
    let out = out.unwrap_or_else(|| PathBuf::from(format!("{}.toml", camera.file_name())));
    if out.exists() {
        anyhow::bail!("{} is there already; name a new file with --out", out.display());
    }
    let programs = Programs::beside_this_one()?;
    let drawing = Drawing::new(camera, out, programs.clone(), Cache::from_env());
    let server = Server::serve(listen, drawing.clone()).await;
    let server = server.with_context(|| format!("the page cannot be served at {listen}"))?;
    eprintln!(
        "A picture of the street is being made, of which whoever passes is left out. It is shown on this page alone, to \
         who has the address with its key, and kept nowhere. That it was shown is put on record in {}:\n{}",
        state.display(),
        server.url()
    );
    let seconds = if opened.is_live() { seconds.unwrap_or(STILL_S) } else { still::FILE_S_MAX };
    match still::take(&opened, seconds, &programs, &stop).await {
        Ok(picture) => {
            let [width, height] = picture.picture_px;
            let logged = logged::still(&state, &name, picture.samples).await;
            logged.context("the picture is not shown: it could not be put on record")?;
            eprintln!("The picture is there: {width} x {height} pixels, of {} moments.", picture.samples);
            drawing.show(picture);
        }
        Err(_) if *stop.borrow() => return Ok(Exit::Nothing),
        Err(error) => return Err(error.context(named(&source, &opened))),
    }
    eprintln!("Ctrl-C ends the page, once what was drawn is saved.");
    // An error would mean that nobody can stop us any more.
    let _ = stop.wait_for(|&stop| stop).await;
    Ok(if drawing.is_saved() { Exit::Whole } else { Exit::Nothing })
}

/// How a source is told: an address never, it may be a secret of its own.
fn named(source: &Path, opened: &Source) -> String {
    match opened {
        Source::Stream(_) => "the camera".to_owned(),
        Source::File(_) | Source::Device(_) => source.display().to_string(),
    }
}

/// Never over a file that is there.
fn write_new(out: &Path, text: &str) -> anyhow::Result<()> {
    let file = OpenOptions::new().write(true).create_new(true).open(out);
    let written = file.and_then(|mut file| file.write_all(text.as_bytes()));
    written.with_context(|| format!("{} cannot be written", out.display()))
}

/// Over a file that we have written, as long as nobody else has: whoever looks sees the old one or the new one.
fn write_again(out: &Path, before: &str, text: &str) -> anyhow::Result<()> {
    match fs::read(out) {
        Ok(found) if found == before.as_bytes() => {}
        Ok(_) => anyhow::bail!(
            "{} is not as it was written here: somebody has changed it; move it away, and save again",
            out.display()
        ),
        Err(error) if error.kind() == ErrorKind::NotFound => return write_new(out, text),
        Err(error) => return Err(error).with_context(|| format!("{} cannot be read", out.display())),
    }
    let draft = out.with_extension("toml.draft");
    // What is left of an earlier try is ours.
    let written = fs::write(&draft, text).and_then(|()| fs::rename(&draft, out));
    written.with_context(|| format!("{} cannot be written", out.display()))
}

fn quoted(text: &str) -> String {
    toml::Value::String(text.to_owned()).to_string()
}

fn focal_px(text: &str) -> Result<f64, String> {
    let focal_px = text.parse().ok().filter(|px: &f64| (1.0..=100_000.0).contains(px));
    focal_px.ok_or_else(|| "a focal length is 1 to 100000 pixels".to_owned())
}
