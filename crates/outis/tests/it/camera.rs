//! Live cameras: an RTSP server on the loopback that goes away, hangs and comes back; and programs that are killed.

use std::{
    collections::BTreeSet,
    fs::{self, Permissions},
    io::{BufRead, BufReader},
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    thread,
    time::{Duration, Instant},
};

use serde_json::Value;

use crate::stage::{Running, Stage, children_of, clip, get, wait_for};

/// With everything in it that must be encoded in an address.
pub(crate) const LOGIN: &str = "us er:p@ss:/w%rd";

const SECRETS: [&str; 3] = ["p@ss", "p%40ss", "w%25rd"];

const LINE: &str = "[[camera.line]]\nname = \"path\"\npoints = [[225, 340], [225, 180]]\n";

/// A server that can be asked for its streams, most often one, `/street`, by [`LOGIN`] alone.
pub(crate) struct Server {
    child: Child,
    port: u16,
}

impl Server {
    /// On this port, or on any that is free.
    fn start(film: &Path, port: u16) -> Self {
        Self::of("h264", film, port)
    }

    /// The same for a film of any codec.
    pub(crate) fn of(codec: &str, film: &Path, port: u16) -> Self {
        Self::with(&[("street", codec, film)], port)
    }

    /// The same for several streams: their paths, codecs and films.
    fn with(streams: &[(&str, &str, &Path)], port: u16) -> Self {
        let program = concat!(env!("CARGO_MANIFEST_DIR"), "/../../testdata/streams/rtsp_server.py");
        let mut python = Command::new("/usr/bin/python3");
        python.args([program, "--port", &port.to_string(), "--user", LOGIN]);
        python.args(streams.iter().map(|(path, codec, film)| format!("{path}={codec}:{}", film.display())));
        let mut child =
            python.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap();
        let mut line = String::new();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
        let port = line.trim().parse().expect("a camera is needed: run `scripts/packages streams`");
        Self { child, port }
    }

    /// On any port that is free: people large enough to find the ground under them, behind a login that is written down.
    pub(crate) fn of_people(stage: &Stage) -> Self {
        write_login(stage);
        Self::start(&film_of(stage, "street.ts", "768x576"), 0)
    }

    /// Where its camera is called.
    pub(crate) fn address(&self) -> String {
        address(self.port)
    }

    fn signal(&self, signal: &str) {
        assert!(kill(signal, self.child.id()));
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // Both fail when it has ended by itself.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn kill(signal: &str, pid: u32) -> bool {
    Command::new("kill").args([signal, &pid.to_string()]).stderr(Stdio::null()).status().unwrap().success()
}

/// Four minutes of the clip, as cameras send it.
fn film(stage: &Stage) -> PathBuf {
    film_of(stage, "street.ts", "384x288")
}

fn film_of(stage: &Stage, name: &str, size: &str) -> PathBuf {
    let film = stage.path(name);
    let mut ffmpeg = Command::new("ffmpeg");
    ffmpeg.args(["-nostdin", "-loglevel", "error", "-stream_loop", "2", "-i"]).arg(clip());
    ffmpeg.args(["-s", size]).args(H264);
    assert!(ffmpeg.arg(&film).status().is_ok_and(|status| status.success()), "ffmpeg is needed for a film");
    film
}

/// A minute of the clip's lower part, 16 : 9, in a size and a codec.
fn wide_film(stage: &Stage, name: &str, size: &str, coding: &[&str]) -> PathBuf {
    let film = stage.path(name);
    let mut ffmpeg = Command::new("ffmpeg");
    ffmpeg.args(["-nostdin", "-loglevel", "error", "-i"]).arg(clip());
    ffmpeg.args(["-t", "60", "-vf", &format!("crop=768:432:0:144,scale={size}")]).args(coding);
    assert!(ffmpeg.arg(&film).status().is_ok_and(|status| status.success()), "ffmpeg is needed for {name}");
    film
}

const H264: [&str; 8] = ["-c:v", "libx264", "-preset", "ultrafast", "-g", "10", "-bf", "0"];

const H265: [&str; 6] =
    ["-c:v", "libx265", "-preset", "ultrafast", "-x265-params", "keyint=10:bframes=0:log-level=none"];

/// With the tables that RFC 2435 takes for granted: RTP sends none.
const JPEG: [&str; 8] = ["-c:v", "mjpeg", "-q:v", "4", "-pix_fmt", "yuvj420p", "-huffman", "default"];

fn configuration(port: u16, lines: &str) -> String {
    format!(
        "listen = \"127.0.0.1:0\"\nstate = \"state\"\noutput = {{ json_lines = \"w.jsonl\" }}\n\n[[camera]]\nname = \"gate\"\n\
         source = \"{}\"\ncredentials_file = \"login\"\ndetector = \"nanodet-g\"\n{lines}",
        address(port)
    )
}

fn address(port: u16) -> String {
    format!("rtsp://127.0.0.1:{port}/street")
}

/// The file with name and password that [`LOGIN`] is, for its owner alone.
pub(crate) fn write_login(stage: &Stage) {
    stage.write("login", format!("{LOGIN}\n"));
    fs::set_permissions(stage.path("login"), Permissions::from_mode(0o600)).unwrap();
}

fn watch(stage: &Stage, port: u16) -> Running {
    write_login(stage);
    stage.write("w.toml", configuration(port, LINE));
    stage.start(&mut stage.outis(&["watch", "w.toml"]))
}

/// Waits until an eye that is at work has counted for some seconds: decisions lag by two.
fn count_for_a_while(running: &Running) {
    when(running, "running");
    thread::sleep(Duration::from_secs(5));
}

fn when(running: &Running, status: &str) -> f64 {
    let start = Instant::now();
    running.camera_when(|camera| camera["status"] == status);
    start.elapsed().as_secs_f64()
}

fn child(running: &Running, name: &str) -> Option<u32> {
    let is_it = |path: &PathBuf| fs::read_to_string(path.join("stat")).is_ok_and(|stat| stat.contains(name));
    let path = children_of(running.child.id()).into_iter().find(is_it)?;
    path.file_name()?.to_str()?.parse().ok()
}

/// Kills one of the camera's programs, and waits until another eye has spoken.
fn replaced(running: &Running, name: &str) {
    let before = child(running, "(outis-eye)");
    let victim = wait_for("a program to kill", || child(running, name));
    kill("-KILL", victim);
    wait_for("another eye", || child(running, "(outis-eye)").filter(|eye| Some(*eye) != before));
    when(running, "running");
}

/// Neither on its command line nor in its environment.
fn no_program_shows_a_secret(running: &Running) {
    for child in children_of(running.child.id()) {
        for file in ["cmdline", "environ"] {
            let text = String::from_utf8_lossy(&fs::read(child.join(file)).unwrap()).into_owned();
            assert!(SECRETS.iter().all(|secret| !text.contains(secret)), "{file}: {text}");
        }
    }
}

fn windows(stage: &Stage) -> Vec<Value> {
    stage.read("w.jsonl").lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

/// How many seconds of its windows were observed; they lie side by side on the clock, and only the last is of now.
fn observed_s(windows: &[Value]) -> f64 {
    let starts: BTreeSet<u64> =
        windows.iter().map(|window| window["media_start_s"].as_f64().unwrap() as u64).collect();
    assert_eq!(starts.len(), windows.len(), "no window is told twice: {windows:?}");
    assert!(starts.iter().all(|start| start % 900 == 0 && *start > 1_700_000_000), "{starts:?}");
    windows.iter().map(|window| window["observed_s"].as_f64().unwrap()).sum()
}

#[test]
fn what_comes_and_goes_is_one_window_and_no_secret_is_seen() {
    let stage = Stage::new();
    let film = film(&stage);
    let server = Server::start(&film, 0);
    let port = server.port;
    let running = watch(&stage, port);
    count_for_a_while(&running);
    assert_eq!(get(running.page(), "/health").1, "ok\n");
    no_program_shows_a_secret(&running);

    // The camera is gone, and comes back.
    drop(server);
    when(&running, "away");
    let (head, body) = get(running.page(), "/health");
    assert!(head.contains(" 503 ") && body.contains("camera \"gate\": away"), "{head}{body}");
    let server = Server::start(&film, port);
    eprintln!("counts again {:.1} s after the camera is back", when(&running, "running"));

    // It hangs.
    server.signal("-STOP");
    eprintln!("silence is noticed after {:.1} s", when(&running, "away"));
    server.signal("-CONT");
    eprintln!("counts again {:.1} s after it goes on", when(&running, "running"));

    replaced(&running, "(outis-eye)");
    replaced(&running, "(outis-intake)");
    count_for_a_while(&running);
    let (_, metrics) = get(running.page(), "/metrics");
    let restarts =
        metrics.lines().find_map(|line| line.strip_prefix("outis_camera_restarts_total{camera=\"gate\"} "));
    assert!(restarts.unwrap().parse::<u32>().unwrap() >= 4, "{metrics}");

    running.signal("-TERM");
    let ended = running.end();
    assert_eq!(ended.code, 0, "{ended:?}");
    assert!(ended.stderr.contains("counts again after"), "{ended:?}");
    assert!(SECRETS.iter().all(|secret| !ended.stderr.contains(secret)), "{ended:?}");
    let windows = windows(&stage);
    assert!(observed_s(&windows) >= 3.0, "{windows:?}");
    assert!(windows.len() <= 2 && windows.iter().all(|window| window["state"] == "partial"), "{windows:?}");
    let verified = stage.run(&["verify", "state", "--json"]);
    assert_eq!((verified.code, &verified.json()["windows"]), (0, &windows.len().into()), "{verified:?}");
}

/// Every thirty seconds libav tells this camera that we are still there, and thinks of a new word for Digest.
#[test]
fn a_camera_that_asks_for_digest_goes_on_past_its_keep_alives() {
    let stage = Stage::new();
    let server = Server::start(&film(&stage), 0);
    let running = watch(&stage, server.port);
    when(&running, "running");
    thread::sleep(Duration::from_secs(40));
    when(&running, "running");
    let said = running.said();
    assert!(!said.contains("warning") && !said.contains("counts again"), "{said}");
    running.signal("-TERM");
    assert_eq!(running.end().code, 0);
}

#[test]
fn a_live_camera_is_paused_and_goes_on_within_its_window() {
    let stage = Stage::new();
    let server = Server::start(&film(&stage), 0);
    let running = watch(&stage, server.port);
    count_for_a_while(&running);
    let page = running.page().to_string();
    let pause = |seconds: &str| {
        let asked = Instant::now();
        let ended = stage.run(&["pause", "--page", &page, "--camera", "gate", "--seconds", seconds]);
        eprintln!(
            "nobody looks {:.0} ms after the start of `outis pause`",
            1e3 * asked.elapsed().as_secs_f64()
        );
        assert_eq!((ended.code, children_of(running.child.id()).len()), (0, 0), "{ended:?}");
    };
    let asked = Instant::now();
    pause("10");
    thread::sleep(Duration::from_secs(3));
    pause("12");
    assert!(running.camera_when(|_| true)["status"] == "paused");
    when(&running, "running");
    assert!(asked.elapsed() >= Duration::from_secs(15), "{:?}", asked.elapsed());
    count_for_a_while(&running);
    running.signal("-TERM");
    let ended = running.end();
    assert_eq!(ended.code, 0, "{ended:?}");
    let windows = windows(&stage);
    let paused_s: u64 = windows.iter().map(|window| window["paused_s"].as_u64().unwrap()).sum();
    // Over a quarter's end two windows have a part of it each, rounded up.
    assert!((15..=18).contains(&paused_s), "{windows:?}");
    assert!(observed_s(&windows) >= 4.0, "{windows:?}");
    let verified = stage.run(&["verify", "state", "--json"]);
    assert_eq!((verified.code, &verified.json()["paused_s"]), (0, &paused_s.into()), "{verified:?}");
}

#[test]
fn lines_are_drawn_anew_within_the_window() {
    let stage = Stage::new();
    let server = Server::start(&film(&stage), 0);
    let running = watch(&stage, server.port);
    count_for_a_while(&running);
    let first = child(&running, "(outis-eye)");

    stage.write("w.toml", configuration(server.port, "window_s = 5\n"));
    running.signal("-HUP");
    wait_for("the refusal", || running.says("the old one goes on").then_some(()));
    assert!(running.says("set window_s = 900") && child(&running, "(outis-eye)") == first);

    let more = format!("{LINE}\n{}", LINE.replace("path", "way").replace("225", "300"));
    stage.write("w.toml", configuration(server.port, &more));
    running.signal("-HUP");
    wait_for("another eye", || child(&running, "(outis-eye)").filter(|eye| Some(*eye) != first));
    running.camera_when(|camera| camera["status"] == "running" && camera["lines"][1]["name"] == "way");

    running.signal("-TERM");
    let ended = running.end();
    assert!(ended.code == 0 && ended.stderr.contains("1 changed, 0 ended, 0 begun"), "{ended:?}");
    let windows = windows(&stage);
    let last = windows.last().unwrap();
    assert_eq!(
        (&last["state"], last["lines"].as_array().unwrap().len()),
        (&"partial".into(), 2),
        "{windows:?}"
    );
    assert!(observed_s(&windows) >= 1.0, "{windows:?}");
    // Both configurations are on record, the newer one is in force.
    let verified = stage.run(&["verify", "state", "--json", "--config", "w.toml"]);
    assert_eq!((verified.code, &verified.json()["runs"]), (0, &2.into()), "{verified:?}");
}

/// The command line of the camera's eye.
fn eye_words(running: &Running) -> String {
    let eye = wait_for("an eye", || child(running, "(outis-eye)"));
    String::from_utf8_lossy(&fs::read(format!("/proc/{eye}/cmdline")).unwrap()).replace('\0', " ")
}

#[test]
fn a_camera_may_come_back_with_another_codec_and_size() {
    let stage = Stage::new();
    let large = wide_film(&stage, "large.ts", "1280:720", &H264);
    let other = [
        ("h265", wide_film(&stage, "small.ts", "640:360", &H265)),
        ("jpeg", wide_film(&stage, "small.avi", "640:360", &JPEG)),
    ];
    let server = Server::start(&large, 0);
    let port = server.port;
    let running = watch(&stage, port);
    count_for_a_while(&running);
    assert!(!eye_words(&running).contains("--drawn-for"), "nobody knows it yet");
    drop(server);
    for (codec, film) in other {
        when(&running, "away");
        let _server = Server::of(codec, &film, port);
        when(&running, "running");
        // Lines are where they were drawn, in the picture that the first eye saw.
        assert!(eye_words(&running).contains("--drawn-for=1280,720"), "{codec}");
    }

    // Where a line of a wide picture is in one that is not, nobody knows.
    when(&running, "away");
    let server = Server::start(&film(&stage), port);
    wait_for("the fault", || {
        let (head, body) = get(running.page(), "/health");
        (head.contains(" 503 ") && body.contains("its picture is 384 x 288 now, another shape")).then_some(())
    });
    drop(server);
    let _server = Server::start(&large, port);
    when(&running, "running");
    count_for_a_while(&running);

    running.signal("-TERM");
    let ended = running.end();
    assert_eq!(ended.code, 0, "{ended:?}");
    assert_eq!(ended.stderr.matches("another shape").count(), 1, "said once: {ended:?}");
    let windows = windows(&stage);
    assert!(observed_s(&windows) >= 3.0 && windows.len() <= 2, "{windows:?}");
}

#[test]
fn a_change_of_size_within_a_stream_ends_nothing() {
    let stage = Stage::new();
    let parts = ["first.ts", "rest.ts"].map(|name| stage.path(name));
    for (part, (size, timing)) in
        parts.iter().zip([("1280:720", ["-t", "5"]), ("640:360", ["-output_ts_offset", "5"])])
    {
        let coding: Vec<&str> = H264.iter().chain(&timing).copied().collect();
        wide_film(&stage, part.file_name().unwrap().to_str().unwrap(), size, &coding);
    }
    let film = stage.write("both.ts", parts.map(|part| fs::read(part).unwrap()).concat());
    let server = Server::start(&film, 0);
    let running = watch(&stage, server.port);
    when(&running, "running");
    let first = child(&running, "(outis-eye)");
    thread::sleep(Duration::from_secs(15));
    assert!(first.is_some() && child(&running, "(outis-eye)") == first, "the same eye");
    running.signal("-TERM");
    let ended = running.end();
    assert_eq!(ended.code, 0, "{ended:?}");
    let frames = ended.stderr.split("stopped, ").nth(1).and_then(|rest| rest.split(' ').next()?.parse().ok());
    // Ten a second, of which the first fifty are large.
    assert!(frames.is_some_and(|frames: u32| frames > 80), "{ended:?}");
    assert!(ended.stderr.contains("format"), "it is said: {ended:?}");
    assert!(observed_s(&windows(&stage)) >= 3.0);
}

/// Descriptors and resident kilobytes of a process.
fn held(pid: u32) -> (usize, u64) {
    let descriptors = fs::read_dir(format!("/proc/{pid}/fd")).unwrap().count();
    let status = fs::read_to_string(format!("/proc/{pid}/status")).unwrap();
    let resident = status.lines().find_map(|line| line.strip_prefix("VmRSS:")?.trim().strip_suffix(" kB"));
    (descriptors, resident.unwrap().trim().parse().unwrap())
}

/// Children of a process that have ended and that nobody has asked after.
fn zombies_of(parent: u32) -> usize {
    let state = |child: &PathBuf| {
        let stat = fs::read_to_string(child.join("stat")).ok()?;
        stat.rsplit_once(") ")?.1.chars().next()
    };
    children_of(parent).iter().filter(|child| state(child) == Some('Z')).count()
}

/// A camera that is switched off and on again so many times, and hangs each tenth time instead.
fn reconnects(times: usize) {
    let stage = Stage::new();
    let film = film(&stage);
    let mut server = Some(Server::start(&film, 0));
    let port = server.as_ref().unwrap().port;
    let running = watch(&stage, port);
    count_for_a_while(&running);
    let (door, start) = (running.child.id(), Instant::now());
    let (mut first, mut most_kb, mut back_s) = (None, 0, Vec::new());
    for time in 1..=times {
        let before = child(&running, "(outis-eye)");
        let hangs = time % 10 == 0;
        if hangs {
            server.as_ref().unwrap().signal("-STOP");
        } else {
            server = None;
        }
        when(&running, "away");
        let back = Instant::now();
        match &server {
            Some(server) => server.signal("-CONT"),
            None => server = Some(Server::start(&film, port)),
        }
        wait_for("another eye", || child(&running, "(outis-eye)").filter(|eye| Some(*eye) != before));
        when(&running, "running");
        back_s.push(back.elapsed().as_secs_f64());
        // What is set up once is there after the first.
        most_kb = most_kb.max(first.get_or_insert_with(|| held(door)).1).max(held(door).1);
    }
    wait_for("an end of all who have ended", || (zombies_of(door) == 0).then_some(()));
    let ((descriptors, kb), (descriptors_then, kb_then)) = (held(door), first.unwrap());
    back_s.sort_by(f64::total_cmp);
    eprintln!(
        "{times} reconnects in {:.0} s: {descriptors_then} to {descriptors} descriptors, {kb_then} to {kb} kB, at most \
         {most_kb}; counts again after {:.1} s, half of the times, and {:.1} s at most",
        start.elapsed().as_secs_f64(),
        back_s[times / 2],
        back_s[times - 1],
    );
    // A pipe of a run that ends just now, or a page's connection, may be there or not.
    assert!(descriptors <= descriptors_then + 4, "{descriptors_then} to {descriptors} descriptors");
    assert!(most_kb <= kb_then + 4096, "{kb_then} to {most_kb} kB");
    assert_eq!(children_of(door).len(), 2, "an intake and an eye");

    count_for_a_while(&running);
    running.signal("-TERM");
    let ended = running.end();
    assert_eq!(ended.code, 0, "{ended:?}");
    assert_eq!(ended.stderr.matches("counts again after").count(), times, "{ended:?}");
    let windows = windows(&stage);
    assert!(observed_s(&windows) >= 3.0, "{windows:?}");
    // From the first to the last without a gap, and none of them whole: the camera was away all the time.
    let starts: Vec<u64> = windows.iter().map(|w| w["media_start_s"].as_f64().unwrap() as u64).collect();
    assert!(starts.windows(2).all(|pair| pair[1] == pair[0] + 900), "{starts:?}");
    let lasted_s = start.elapsed().as_secs();
    assert!(starts.len() as u64 >= lasted_s / 900 && starts.len() as u64 <= lasted_s / 900 + 2, "{starts:?}");
    let verified = stage.run(&["verify", "state", "--json"]);
    assert_eq!((verified.code, &verified.json()["windows"]), (0, &windows.len().into()), "{verified:?}");
}

#[test]
fn a_camera_that_comes_and_goes_leaves_nothing_behind() {
    reconnects(10);
}

/// As often as a camera in a day that is away four times an hour, and then some; run by hand:
/// `cargo test -p outis --test it -- --ignored --nocapture a_day_of_reconnects`.
#[test]
#[ignore = "takes ten minutes"]
fn a_day_of_reconnects_leaves_nothing_behind() {
    reconnects(120);
}

/// Resident kilobytes of a process, and what it has worked so far in hundredths of a second.
fn spent(pid: u32) -> (u64, u64) {
    let read = |file: &str| fs::read_to_string(format!("/proc/{pid}/{file}")).unwrap();
    let (status, stat) = (read("status"), read("stat"));
    let resident = status.lines().find_map(|line| line.strip_prefix("VmRSS:")?.trim().strip_suffix(" kB"));
    let fields: Vec<&str> = stat.rsplit_once(") ").unwrap().1.split(' ').collect();
    let ticks = fields[11..13].iter().map(|field| field.parse::<u64>().unwrap()).sum();
    (resident.unwrap().trim().parse().unwrap(), ticks)
}

/// Two hundred frames a second, each of which the detector is to look at: no processor is fast enough for that.
#[test]
fn more_than_the_machine_carries_is_left_out_fairly_and_told() {
    let stage = Stage::new();
    let ffmpeg = |arguments: &[&str], output: &str| {
        let mut ffmpeg = Command::new("ffmpeg");
        ffmpeg.args(["-nostdin", "-loglevel", "error"]).args(arguments).arg(stage.path(output));
        assert!(ffmpeg.status().is_ok_and(|status| status.success()), "ffmpeg is needed for a film");
    };
    let (clip, part) = (clip(), stage.path("part.ts"));
    let once: Vec<&str> =
        ["-r", "200", "-i", clip.to_str().unwrap(), "-s", "320x240"].into_iter().chain(H264).collect();
    ffmpeg(&once, "part.ts");
    // Eighty seconds.
    ffmpeg(&["-stream_loop", "19", "-i", part.to_str().unwrap(), "-c", "copy"], "fast.ts");
    let server = Server::start(&stage.path("fast.ts"), 0);
    write_login(&stage);
    let one = configuration(server.port, &format!("every_frame = true\ninference_ms = 60000\n{LINE}"));
    let (_, camera) = one.split_once("[[camera]]").unwrap();
    stage.write("w.toml", format!("{one}\n[[camera]]{}", camera.replace("\"gate\"", "\"yard\"")));
    let running = stage.start(&mut stage.outis(&["watch", "w.toml"]));
    let page = running.page();
    wait_for("both cameras", || (get(page, "/health").1 == "ok\n").then_some(()));
    let eyes = || {
        let is_eye =
            |path: &PathBuf| fs::read_to_string(path.join("comm")).is_ok_and(|name| name == "outis-eye\n");
        let mut eyes: Vec<u32> = children_of(running.child.id())
            .into_iter()
            .filter(is_eye)
            .map(|path| path.file_name().unwrap().to_str().unwrap().parse().unwrap())
            .collect();
        eyes.sort_unstable();
        eyes
    };
    let first = eyes();
    assert_eq!(first.len(), 2);
    thread::sleep(Duration::from_secs(5));
    let then: Vec<_> = first.iter().map(|&eye| spent(eye)).collect();
    thread::sleep(Duration::from_secs(15));
    // A window that is not of the present would have ended its camera.
    assert_eq!(eyes(), first, "nobody was started again");
    let now: Vec<_> = first.iter().map(|&eye| spent(eye)).collect();
    let worked: Vec<u64> = now.iter().zip(&then).map(|((_, now), (_, then))| now - then).collect();
    eprintln!("in 15 s the eyes worked for {worked:?} ticks; memory in kB then {then:?}, now {now:?}");
    let (least, most) = (worked.iter().min().unwrap(), worked.iter().max().unwrap());
    assert!(most <= &(2 * least + 50), "fair shares: {worked:?}");
    for ((kb, _), (kb_then, _)) in now.iter().zip(&then) {
        assert!(*kb <= kb_then + 16 * 1024, "{kb_then} to {kb} kB");
    }
    running.signal("-TERM");
    let ended = running.end();
    assert_eq!(ended.code, 0, "{ended:?}");
    for camera in ["gate", "yard"] {
        let told = format!("camera \"{camera}\": looks were left out, because the machine was too slow");
        assert!(ended.stderr.contains(&told), "{ended:?}");
    }
    let windows = windows(&stage);
    assert!(
        windows.len() >= 2 && windows.iter().any(|window| window["observed_s"].as_f64() > Some(0.0)),
        "{windows:?}"
    );
}

/// Names and numbers of the camera's programs, in the order in which they were started.
fn crew(running: &Running) -> Vec<(String, u32)> {
    let started = |path: &PathBuf| {
        // pid (name) state parent …, with the time of its start behind twenty of them.
        let stat = fs::read_to_string(path.join("stat")).ok()?;
        let (before, after) = stat.rsplit_once(") ")?;
        let (pid, name) = before.split_once(" (")?;
        let at: u64 = after.split(' ').nth(19)?.parse().ok()?;
        Some((at, pid.parse::<u32>().ok()?, name.to_owned()))
    };
    let mut crew: Vec<_> = children_of(running.child.id()).iter().filter_map(started).collect();
    crew.sort_unstable();
    crew.into_iter().map(|(_, pid, name)| (name, pid)).collect()
}

#[test]
fn a_camera_is_counted_with_its_substream_and_without() {
    let stage = Stage::new();
    let (large, small) = (film_of(&stage, "street.ts", "768x576"), film_of(&stage, "small.ts", "384x288"));
    let server = Server::with(&[("street", "h264", &large), ("small", "h264", &small)], 0);
    let configure = |path: &str| {
        let substream = format!("substream = \"rtsp://127.0.0.1:{}/{path}\"\n{LINE}", server.port);
        stage.write("w.toml", configuration(server.port, &substream));
    };
    write_login(&stage);
    configure("small");
    let running = stage.start(&mut stage.outis(&["watch", "w.toml"]));
    let mut seen = BTreeSet::new();
    let mut whole_crew = || {
        when(&running, "running");
        let crew = crew(&running);
        seen.extend(crew.iter().map(|(_, pid)| *pid));
        let [(first, _), (second, substream), (third, eye)] = &crew[..] else { panic!("{crew:?}") };
        assert_eq!([first, second, third], ["outis-intake", "outis-intake", "outis-eye"]);
        (*substream, *eye)
    };
    let has_substream = || {
        let (_, metrics) = get(running.page(), "/metrics");
        let up = "outis_camera_substream_up{camera=\"gate\"} ";
        metrics.lines().find_map(|line| line.strip_prefix(up)) == Some("1")
    };
    let (substream, eye) = whole_crew();
    assert!(eye_words(&running).contains("--substream"));
    wait_for("its substream", || has_substream().then_some(()));
    no_program_shows_a_secret(&running);
    count_for_a_while(&running);
    assert!(running.says("motion from its substream") && !running.says("its substream is away"));

    kill("-KILL", substream);
    let word = "warning: camera \"gate\": its substream is away (its stream ended); watched without it until";
    wait_for("a word of it", || running.says(word).then_some(()));
    count_for_a_while(&running);
    assert_eq!(child(&running, "(outis-eye)"), Some(eye), "the same eye goes on");
    assert_eq!((crew(&running).len(), has_substream()), (2, false));

    // Who starts the camera again starts all of it.
    let page = running.page().to_string();
    let paused = stage.run(&["pause", "--page", &page, "--camera", "gate", "--seconds", "10"]);
    assert_eq!((paused.code, crew(&running).len()), (0, 0), "{paused:?}");
    let (_, eye) = whole_crew();
    wait_for("its substream again", || has_substream().then_some(()));

    configure("nowhere");
    running.signal("-HUP");
    wait_for("another eye", || child(&running, "(outis-eye)").filter(|&now| now != eye));
    when(&running, "running");
    wait_for("a word of it", || running.says("there is no such stream on it (404)").then_some(()));
    count_for_a_while(&running);
    seen.extend(crew(&running).iter().map(|(_, pid)| *pid));

    running.signal("-TERM");
    let ended = running.end();
    assert_eq!(ended.code, 0, "{ended:?}");
    assert_eq!(ended.stderr.matches("its substream is away").count(), 2, "{ended:?}");
    assert!(SECRETS.iter().all(|secret| !ended.stderr.contains(secret)), "{ended:?}");
    assert!(observed_s(&windows(&stage)) >= 3.0);
    let is_left = |pid: &&u32| {
        fs::read_to_string(format!("/proc/{pid}/comm")).is_ok_and(|name| name.starts_with("outis-"))
    };
    assert_eq!(seen.iter().find(is_left), None, "a program is left");
}

/// Starts the camera's programs again and again by drawing its line anew.
fn restarts(times: usize) {
    let stage = Stage::new();
    let server = Server::start(&film(&stage), 0);
    let running = watch(&stage, server.port);
    when(&running, "running");
    let door = running.child.id();
    let mut first = None;
    for time in 0..times {
        let before = child(&running, "(outis-eye)");
        stage.write("w.toml", configuration(server.port, &LINE.replace("340", &(300 + time).to_string())));
        running.signal("-HUP");
        wait_for("another eye", || child(&running, "(outis-eye)").filter(|eye| Some(*eye) != before));
        when(&running, "running");
        // What is set up once is there after the first.
        first.get_or_insert_with(|| held(door));
    }
    let ((descriptors, kb), (descriptors_then, kb_then)) = (held(door), first.unwrap());
    eprintln!("{times} restarts: {descriptors_then} to {descriptors} descriptors, {kb_then} to {kb} kB");
    // A pipe of a run that ends just now, or a page's connection, may be there or not.
    assert!(descriptors <= descriptors_then + 4, "{descriptors_then} to {descriptors} descriptors");
    assert!(kb <= kb_then + 4096, "{kb_then} to {kb} kB");
    running.signal("-TERM");
    assert_eq!(running.end().code, 0);
}

#[test]
fn restarts_leave_nothing_behind() {
    restarts(5);
}

/// The same for as long as it takes; run by hand: `cargo test -p outis --test it -- --ignored a_hundred_restarts`.
#[test]
#[ignore = "takes some minutes"]
fn a_hundred_restarts_leave_nothing_behind() {
    restarts(100);
}
