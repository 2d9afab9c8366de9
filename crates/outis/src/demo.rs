//! `outis demo`: a real clip, counted while you look.

use std::{
    io::{self, Write},
    net::{IpAddr, Ipv4Addr, SocketAddr},
};

use anyhow::{Context, ensure};
use clap::Args;
use outis_record::{Class, Profile};

use crate::{
    alert::AlertPlan,
    config::LISTEN,
    detector::{Cache, Detector},
    exit::{Exit, UsageError},
    launch::{CameraPlan, Looks, Pace, Programs},
    live::Live,
    meter::Meter,
    page::{Api, Page},
    report::table,
    scene::{Line, Scene, Zone},
    source::Source,
    stop,
    tally::{Tally, WHOLE_FILE_MS, tally},
    watch::{announce, keep_page},
};

/// A campus crossing of 768x576 pixels, seen from a roof; shipped by Debian with OpenCV's examples.
pub(crate) const CLIP: &str = "vtest.avi";

/// Where people walk in [`CLIP`]: the road from the left, the one to the lower right, and the middle.
const LINES: [&str; 2] = ["west path:225,340,225,180", "south path:560,470,740,300"];
const ZONE: &str = "crossing:330,232,545,215,650,285,545,392,395,325";

/// How often the page gets new totals, in media time.
const SNAPSHOT_MS: u32 = 500;

/// How many ports are tried for the page.
const PORTS: u16 = 20;

/// Count a real clip, live, and show it on a local page
#[derive(Debug, Args)]
pub(crate) struct DemoArgs {
    /// How many times as fast as it was filmed; 0 is as fast as possible
    #[arg(long, value_name = "S", default_value_t = 1.0)]
    speed: f64,

    /// End with the clip, also at a terminal
    #[arg(long)]
    exit: bool,

    /// Serve no page
    #[arg(long)]
    no_page: bool,

    /// Where to serve the page [default: the first free port from 127.0.0.1:8720]
    #[arg(long, value_name = "ADDR", conflicts_with = "no_page")]
    listen: Option<SocketAddr>,
}

/// Plays the clip.
pub(crate) async fn run(arguments: DemoArgs) -> anyhow::Result<Exit> {
    let plan = plan(arguments.speed, &Cache::from_env())?;
    let programs = Programs::beside_this_one()?;
    let mut stop = stop::on_signals()?;
    let scene = plan.scene.clone();
    let mut live = Live::new([(CLIP, &scene, plan.profile)]);
    let page = if arguments.no_page { None } else { Some(serve(arguments.listen, &live).await?) };
    page.as_ref().inspect(|page| announce(page));

    let meter = Meter::new(CLIP);
    let counted = tally(plan, &programs, &stop, &meter, |event| {
        live.event(0, event);
        page.as_ref().inspect(|page| page.show(live.json()));
    });
    let Tally { window, finish } = counted.await.context(CLIP)?;
    let table = table::render(CLIP, &scene, &window, finish.progress);
    io::stdout().write_all(table.as_bytes()).context("the table cannot be printed")?;

    let ends = [Ok(finish)];
    if let Some(page) = &page {
        live.end(0, &ends[0]);
        page.show(live.json());
        if keep_page(arguments.exit, &stop) {
            eprintln!("\nThe page stays at http://{}/ until Ctrl-C.", page.address());
            // An error would mean that nobody can stop us any more.
            let _ = stop.wait_for(|&stop| stop).await;
        }
    }
    Ok(Exit::of(&ends))
}

/// What the demo counts, at this speed.
pub(crate) fn plan(speed: f64, cache: &Cache) -> anyhow::Result<CameraPlan> {
    let source = cache.clip(CLIP);
    ensure!(source.is_file(), "the clip is not in the cache ({}): run `make demo`", source.display());
    Ok(CameraPlan {
        source: Source::File(source),
        substream: None,
        pace: Pace::new(speed).map_err(|error| UsageError::new(format!("--speed: {error}")))?,
        detector: Detector::default().find(cache)?,
        looks: Looks::DEFAULT,
        inference_ms: None,
        classes: Class::ALL.to_vec(),
        scene: scene(),
        ground: None,
        find_ground: None,
        flows: true,
        profile: Profile::Exact,
        window_ms: WHOLE_FILE_MS,
        snapshot_ms: Some(SNAPSHOT_MS),
        alerts: AlertPlan::default(),
    })
}

fn scene() -> Scene {
    let lines = LINES.iter().map(|line| Line::parse(line)).collect::<Result<_, _>>();
    let zone = Zone::parse(ZONE);
    let scene = lines.and_then(|lines| Scene::new(lines, vec![zone?]));
    scene.expect("the demo's own scene is sound, as a test shows")
}

async fn serve(listen: Option<SocketAddr>, live: &Live) -> anyhow::Result<Page> {
    if let Some(listen) = listen {
        let page = Page::serve(listen, live.json(), Api::default()).await;
        return page.with_context(|| format!("the page cannot be served at {listen}"));
    }
    let ports = LISTEN.port()..LISTEN.port() + PORTS;
    for port in ports {
        match Page::serve(SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), port), live.json(), Api::default())
            .await
        {
            Err(error) if error.kind() == io::ErrorKind::AddrInUse => {}
            page => return page.context("the page cannot be served"),
        }
    }
    anyhow::bail!("{PORTS} ports from {LISTEN} on are in use; choose one with --listen, or --no-page")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_scene_is_sound_and_in_the_picture() {
        assert_eq!(scene().outside_warnings(768, 576), Vec::<String>::new());
    }
}
