//! The ledger of real runs: what is watched is signed and logged, through kills and full disks.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs::{self, Permissions},
    os::unix::fs::PermissionsExt,
    path::PathBuf,
    process::{Command, Stdio},
    thread,
    time::Duration,
};

use outis_ledger::{Digest, Entry, PartKind, What};
use serde_json::Value;

use crate::stage::{Ended, Running, Stage, children_of, free_port, program, wait_for};

/// Seconds of the clip that each camera plays.
const CLIP_S: u32 = 16;

const WINDOW_S: f64 = 1.0;

/// Two cameras, sixteen windows each, two seconds of work.
const CAMERAS: &str = r#"
listen = "127.0.0.1:0"
output = { json_lines = "w.jsonl" }
state = "state"
sign = "sign.txt"

[[camera]]
name = "west"
source = "vtest.avi"
window_s = 1
profile = "exact"
detect_fps = 2
pace = 8
line = [{ name = "path", points = [[225, 340], [225, 180]] }]

[[camera]]
name = "south"
source = "vtest.avi"
window_s = 1
profile = "exact"
detect_fps = 2
pace = 8
"#;

/// What hangs at the place.
const SIGN: &str = "Ici, on compte. Personne n'est reconnu.\n";

/// A window as the verifier prints it.
struct Signed {
    sequence: u64,
    run: u64,
    camera: String,
    window: Value,
}

fn stage(configuration: &str) -> Stage {
    let stage = Stage::new();
    stage.short_clip(CLIP_S);
    stage.write("w.toml", configuration);
    stage.write("sign.txt", SIGN);
    stage
}

/// What the verifier prints of a folder that must be sound.
fn signed(stage: &Stage, more: &[&str]) -> Vec<Signed> {
    let ended = stage.run(&[&["verify", "state", "--windows"], more].concat());
    assert_eq!(ended.code, 0, "{}", ended.stderr);
    let parse = |line| {
        let mut line: Value = serde_json::from_str(line).unwrap();
        Signed {
            sequence: line["sequence"].as_u64().unwrap(),
            run: line["run"].as_u64().unwrap(),
            camera: line["camera"].as_str().unwrap().to_owned(),
            window: line["window"].take(),
        }
    };
    ended.stdout.lines().map(parse).collect()
}

fn told(stage: &Stage) -> Vec<Value> {
    stage.read("w.jsonl").lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

#[test]
fn what_is_told_is_signed_and_what_it_was_counted_with_is_logged_first() {
    let stage = stage(CAMERAS);
    let ended = stage.run(&["watch", "w.toml"]);
    assert_eq!(ended.code, 0, "{ended:?}");
    let windows: Vec<Value> = signed(&stage, &[]).into_iter().map(|signed| signed.window).collect();
    assert_eq!((windows.len(), windows), (2 * CLIP_S as usize, told(&stage)));

    let entries = stage.path("state/public/tile/entries/000.p/34");
    let bytes = fs::read(entries).unwrap();
    let length = usize::from(u16::from_be_bytes([bytes[0], bytes[1]]));
    let What::Start { run: 0, parts } = Entry::decode(&bytes[2..2 + length]).unwrap().what else {
        panic!("the first entry is no start")
    };
    let digest = |name: &str| parts.iter().find(|part| part.name == name).map(|part| part.digest);
    let of_file = |path: PathBuf| Some(Digest::of(&fs::read(path).unwrap()));
    for name in ["outis", "outis-intake", "outis-eye"] {
        assert_eq!(digest(name), of_file(program().with_file_name(name)), "{name}");
    }
    assert_eq!(digest("w.toml"), of_file(stage.path("w.toml")));
    assert!(parts.iter().any(|part| part.kind == PartKind::Model));
    let sign = parts.iter().find(|part| part.kind == PartKind::SignText);
    assert_eq!(sign.map(|part| part.digest), Some(Digest::of(SIGN.as_bytes())));
    // Exact counts are for the owner alone, the log is for all.
    let mode = |name| fs::metadata(stage.path(name)).unwrap().permissions().mode() & 0o777;
    assert_eq!(
        ["state/device.key", "state/public/windows/000", "state/public/checkpoint"].map(mode),
        [0o600, 0o600, 0o644]
    );
}

/// A calibration is a file of its own: with other numbers in it the same configuration measures other metres.
#[test]
fn the_file_of_a_calibration_is_declared_as_it_was_read() {
    let camera = |height: &str| {
        format!(
            "<Camera><Geometry width=\"768\" height=\"576\" dpx=\"5.13e-03\" dpy=\"4.65e-03\"/>\
             <Intrinsic focal=\"5.5\" kappa1=\"5.0e-03\" cx=\"324\" cy=\"282\" sx=\"1.09\"/>\
             <Extrinsic tx=\"800\" ty=\"-1200\" tz=\"{height}\" rx=\"2.0\" ry=\"-0.9\" rz=\"-0.4\"/></Camera>"
        )
    };
    let stage = stage(&format!("{CAMERAS}ground = {{ tsai = \"View_001.xml\" }}\n"));
    let declared = |tile: &str, calibration: &str| {
        stage.write("View_001.xml", calibration);
        let ended = stage.run(&["watch", "w.toml"]);
        assert_eq!(ended.code, 0, "{ended:?}");
        let entries = fs::read(stage.path(tile)).unwrap();
        let mut rest = entries.as_slice();
        let mut digests = Vec::new();
        while let [high, low, more @ ..] = rest {
            let (entry, after) = more.split_at(usize::from(u16::from_be_bytes([*high, *low])));
            if let What::Start { parts, .. } = Entry::decode(entry).unwrap().what {
                let part = parts.into_iter().find(|part| part.kind == PartKind::Calibration).unwrap();
                digests.push((part.name, part.digest));
            }
            rest = after;
        }
        digests
    };
    let of = |calibration: &str| ("View_001.xml".to_owned(), Digest::of(calibration.as_bytes()));
    let (first, second) = (camera("24000"), camera("25000"));
    assert_eq!(declared("state/public/tile/entries/000.p/34", &first), [of(&first)]);
    assert_eq!(declared("state/public/tile/entries/000.p/68", &second), [of(&first), of(&second)]);
    assert_eq!(stage.run(&["verify", "state/public"]).code, 0);
}

#[test]
fn a_lie_is_found_and_named() {
    let stage = stage(CAMERAS);
    assert_eq!(stage.run(&["watch", "w.toml"]).code, 0);
    let verify = |more: &[&str]| stage.run(&[&["verify", "state/public", "--json"], more].concat());
    fs::copy(stage.path("state/public/checkpoint"), stage.path("kept")).unwrap();
    fs::copy(stage.path("state/public/device.vkey"), stage.path("key")).unwrap();
    let pinned = ["--key", "key", "--since", "kept", "--config", "w.toml"];
    assert_eq!(verify(&pinned).json()["sound"], true);

    stage.write("w2.toml", CAMERAS.replace("pace = 8", "pace = 9"));
    let ended = verify(&["--config", "w2.toml"]);
    assert_eq!((ended.code, &ended.json()["findings"][0]["kind"]), (1, &"undeclared".into()));

    let path = stage.path("state/public/windows/000");
    let mut bytes = fs::read(&path).unwrap();
    let at = bytes.windows(8).rposition(|window| window == b"forward\0" || window == b"backward").unwrap();
    bytes[at + 2] ^= 1;
    fs::write(&path, bytes).unwrap();
    let ended = verify(&pinned);
    assert_eq!((ended.code, &ended.json()["findings"][0]["kind"]), (1, &"changed".into()), "{ended:?}");
    let ended = stage.run(&["verify", "state"]);
    assert!(ended.stdout.contains("NOT SOUND") && ended.stdout.contains("windows/000, window"), "{ended:?}");

    for (arguments, part) in [
        (["verify", "absent"], "absent is not a folder"),
        (["verify", "ftp://example.org/log"], "with a downloader"),
    ] {
        let ended = stage.run(&arguments);
        assert_eq!((ended.code, ended.stderr.contains(part)), (2, true), "{ended:?}");
    }
}

#[test]
fn a_published_folder_is_fetched_and_checked() {
    let stage = stage(CAMERAS);
    assert_eq!(stage.run(&["watch", "w.toml"]).code, 0);
    let server = stage.serve("state/public");
    let address = format!("http://{server}/");
    let ended = stage.run(&["verify", &address, "--key", "state/public/device.vkey", "--json"]);
    assert_eq!((ended.code, &ended.json()["windows"]), (0, &(2 * CLIP_S).into()), "{ended:?}");
    fs::remove_file(stage.path("state/public/windows/000")).unwrap();
    let ended = stage.run(&["verify", &address, "--json"]);
    assert_eq!((ended.code, &ended.json()["findings"][0]["kind"]), (1, &"missing".into()), "{ended:?}");
    let ended = stage.run(&["verify", &format!("http://{}/", free_port())]);
    assert!(ended.code == 1 && ended.stderr.contains("no connection"), "{ended:?}");
}

/// A server's certificate for the loopback, by an authority of its own, and another authority.
fn certificates(stage: &Stage) {
    let openssl = |arguments: &str| {
        let mut command = Command::new("openssl");
        command.args(arguments.split(' ')).current_dir(stage.path("")).stderr(Stdio::null());
        assert!(command.status().expect("the command `openssl`").success(), "openssl {arguments}");
    };
    let key = "-newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2";
    for authority in ["town", "other"] {
        openssl(&format!(
            "req -x509 {key} -keyout {authority}.key -out {authority}.pem -subj /CN={authority}"
        ));
    }
    openssl(&format!(
        "req {key} -x509 -CA town.pem -CAkey town.key -keyout server.key -out server.pem -subj /CN=server \
         -addext subjectAltName=IP:127.0.0.1 -addext basicConstraints=critical,CA:FALSE"
    ));
}

/// A web server of others, within TLS: it says its port when it listens.
fn serve_within_tls(stage: &Stage) -> (Running, u16) {
    let program = "import http.server, ssl, sys\n\
        server = http.server.ThreadingHTTPServer(('127.0.0.1', 0), http.server.SimpleHTTPRequestHandler)\n\
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)\n\
        context.load_cert_chain('../../server.pem', '../../server.key')\n\
        server.socket = context.wrap_socket(server.socket, server_side=True)\n\
        print('port', server.server_port, 'is open', file=sys.stderr, flush=True)\n\
        server.serve_forever()\n";
    let mut python = Command::new("/usr/bin/python3");
    python.args(["-c", program]).current_dir(stage.path("state/public")).stdin(Stdio::null());
    let running = stage.start(&mut python);
    let port = wait_for("a web server", || {
        let said = running.said();
        said.split_once("port ")?.1.split_once(" is open")?.0.parse().ok()
    });
    (running, port)
}

#[test]
fn a_folder_that_is_published_within_tls_is_fetched_from_whom_it_should_be() {
    let stage = stage(CAMERAS);
    assert_eq!(stage.run(&["watch", "w.toml"]).code, 0);
    certificates(&stage);
    let (_server, port) = serve_within_tls(&stage);
    let address = format!("https://127.0.0.1:{port}/");
    let ended = stage.run(&["verify", &address, "--ca", "town.pem", "--json"]);
    assert_eq!((ended.code, &ended.json()["windows"]), (0, &(2 * CLIP_S).into()), "{ended:?}");
    for (authority, code, part) in [
        ("other.pem", 1, "no secret connection"),
        ("server.key", 2, "no certificate in it"),
        ("absent", 2, "absent"),
    ] {
        let ended = stage.run(&["verify", &address, "--ca", authority]);
        assert!(ended.code == code && ended.stderr.contains(part), "{authority}: {ended:?}");
    }
    // This machine does not know the authority; a name that is not in the certificate is another server's.
    let ended = stage.run(&["verify", &address]);
    assert!(ended.code == 1, "{ended:?}");
    let ended = stage.run(&["verify", &address.replace("127.0.0.1", "localhost"), "--ca", "town.pem"]);
    assert!(ended.code == 1 && ended.stderr.contains("no secret connection"), "{ended:?}");
}

#[test]
fn nothing_is_watched_without_a_ledger() {
    let stage = stage(&CAMERAS.replace("state = \"state\"", "state = \"/proc/outis\""));
    let ended = stage.run(&["watch", "w.toml"]);
    assert!(ended.code == 1 && ended.stderr.contains("see `state`"), "{ended:?}");
    assert!(!ended.stderr.contains("camera"), "no camera was started: {ended:?}");

    stage.write("w.toml", CAMERAS);
    assert_eq!(stage.run(&["watch", "w.toml"]).code, 0);
    fs::set_permissions(stage.path("state/device.key"), Permissions::from_mode(0o640)).unwrap();
    let ended = stage.run(&["watch", "w.toml"]);
    assert!(ended.code == 1 && ended.stderr.contains("chmod 600"), "{ended:?}");
}

#[test]
fn a_killed_eye_leaves_its_running_window_as_partial() {
    let stage = stage(&CAMERAS.replace("window_s = 1\n", "window_s = 900\n").replace("pace = 8", "pace = 1"));
    let mut running = stage.start(&mut stage.outis(&["watch", "w.toml"]));
    // Decisions wait for up to two seconds of the film.
    running.camera_when(|camera| camera["media_s"].as_f64().unwrap() >= 6.0);
    let eye = child(&mut running, "(outis-eye)").unwrap();
    assert!(Command::new("kill").args(["-KILL", &eye.to_string()]).status().unwrap().success());
    wait_for("the partial window", || (!told(&stage).is_empty()).then_some(()));
    running.signal("-TERM");
    let ended = running.end();
    assert!(ended.stderr.contains("without its last word (signal: 9"), "{ended:?}");
    let windows = signed(&stage, &[]);
    assert_eq!((windows.len(), told(&stage).len()), (2, 2), "one of each camera");
    for Signed { window, .. } in windows {
        assert_eq!(window["state"], "partial");
        assert!(window["observed_s"].as_f64().unwrap() > 0.0);
    }
}

/// The limit of a file's size stands for a full disk: it can be set, and lifted, without being root.
#[test]
fn windows_wait_while_the_disk_is_full_and_are_then_written() {
    let stage = stage(&CAMERAS.replace("pace = 8", "pace = 4"));
    let mut shell = Command::new("sh");
    let script = r#"trap "" XFSZ; ulimit -S -f 16; exec "$0" watch w.toml"#;
    shell.args(["-c", script]).arg(program()).current_dir(stage.path("")).stdin(Stdio::null());
    let running = stage.start(&mut shell);
    wait_for("the full disk", || running.says("nothing can be written").then_some(()));
    let lifted = Command::new("prlimit")
        .args(["--fsize=unlimited", "--pid", &running.child.id().to_string()])
        .status();
    assert!(lifted.unwrap().success());
    let ended = running.end();
    assert!(ended.stderr.contains("takes data again"), "{ended:?}");
    let windows = signed(&stage, &[]);
    assert_eq!(windows.len(), 2 * CLIP_S as usize, "{ended:?}");
    whole_stories(&windows);
    // The owner's own file has no memory: it says what it has not.
    let missed = windows.len() - told(&stage).len();
    assert_eq!(ended.stderr.matches("the window is in the ledger").count(), missed, "{ended:?}");
    assert_eq!(ended.code, if missed > 0 { 3 } else { 0 });
}

#[test]
fn a_disk_that_stays_full_is_told_at_the_end() {
    let stage = stage(CAMERAS);
    let mut shell = Command::new("sh");
    let script = r#"trap "" XFSZ; ulimit -S -f 16; exec "$0" watch w.toml"#;
    shell.args(["-c", script]).arg(program()).current_dir(stage.path("")).stdin(Stdio::null());
    let ended = stage.start(&mut shell).end();
    assert_eq!(ended.code, 3, "{ended:?}");
    assert!(ended.stderr.contains("finished windows that could not be written"), "{ended:?}");
    assert!(!signed(&stage, &[]).is_empty(), "what was written is sound");
}

/// Kills at fixed pseudo-random moments, each program in turn.
#[test]
fn nothing_finished_is_lost_doubled_or_unsigned_by_kills() {
    kills(12, 7);
}

/// The same for as long as it takes; run by hand: `cargo test -p outis --test it -- --ignored 200_random_kills`.
#[test]
#[ignore = "takes some ten minutes"]
fn the_same_after_200_random_kills() {
    kills(200, 11);
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Victim {
    Door,
    Eye,
    Intake,
}

fn kills(rounds: u32, seed: u64) {
    let stage = stage(CAMERAS);
    let mut random = Random(seed);
    let mut victims = BTreeMap::new();
    let mut checkpoints = Vec::new();
    for round in 0..rounds {
        let victim = [Victim::Door, Victim::Eye, Victim::Intake][round as usize % 3];
        // Every second kill may also hit the start.
        let since = if round % 2 == 0 { Since::Counting } else { Since::Start };
        let wait = Duration::from_millis(random.below(2200));
        if let Some(ended) = kill_one(&stage, victim, since, wait) {
            assert!(ended.code == 0 || ended.code == 3, "round {round}, {victim:?}: {ended:?}");
            assert!(!ended.stderr.contains("panicked"), "round {round}, {victim:?}: {ended:?}");
            *victims.entry(victim).or_insert(0) += 1;
        }
        // A stranger keeps what was published, whenever that was.
        if let Ok(checkpoint) = fs::read(stage.path("state/public/checkpoint")) {
            checkpoints.push(stage.write(&format!("kept{round}"), checkpoint));
        }
    }
    let ended = stage.run(&["watch", "w.toml"]);
    assert_eq!(ended.code, 0, "{ended:?}");

    let windows = signed(&stage, &[]);
    for checkpoint in &checkpoints {
        signed(&stage, &["--since", checkpoint.to_str().unwrap()]);
    }
    let numbers: Vec<u64> = windows.iter().map(|window| window.sequence).collect();
    assert_eq!(numbers, (0..windows.len() as u64).collect::<Vec<_>>(), "no number is left out or used twice");
    whole_stories(&windows);
    every_told_window_is_signed(&stage, &windows);
    // And the other way round, those that were running when the door was killed among them.
    assert_eq!(told(&stage).len(), windows.len(), "as many in the file as on record");
    let partial = windows.iter().filter(|signed| signed.window["state"] == "partial").count();
    assert!(partial > 0, "of so many kills none left a partial window");
    eprintln!(
        "{rounds} rounds, killed {victims:?}: {} windows in {} runs, {partial} partial",
        windows.len(),
        windows.iter().map(|window| window.run).collect::<BTreeSet<_>>().len()
    );
}

/// From when on the time to a kill is taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Since {
    Start,
    /// A running window has been kept.
    Counting,
}

/// Starts a watch, kills one of its programs after a while, and waits for the end; `None` when it was over before.
fn kill_one(stage: &Stage, victim: Victim, since: Since, wait: Duration) -> Option<Ended> {
    let mut running = stage.start(&mut stage.outis(&["watch", "w.toml"]));
    let door = running.child.id();
    let name = if victim == Victim::Intake { "(outis-intake)" } else { "(outis-eye)" };
    if since == Since::Counting || victim != Victim::Door {
        child(&mut running, name);
    }
    if since == Since::Counting {
        let kept = || fs::read_dir(stage.path("state/running")).is_ok_and(|mut files| files.next().is_some());
        wait_for("a running window", || (kept() || has_ended(&mut running)).then_some(()));
    }
    thread::sleep(wait);
    let program = match victim {
        Victim::Door if has_ended(&mut running) => None,
        Victim::Door => Some(door),
        Victim::Eye | Victim::Intake => child(&mut running, name),
    };
    // It may end at this very moment, and then there is nothing to kill.
    let status = Command::new("kill").args(["-KILL", &program?.to_string()]).stderr(Stdio::null()).status();
    status.unwrap().success().then_some(())?;
    let ended = running.end();
    let ended = Ended { code: if victim == Victim::Door { 0 } else { ended.code }, ..ended };
    Some(ended)
}

fn has_ended(running: &mut Running) -> bool {
    running.child.try_wait().unwrap().is_some()
}

/// A child of the door, once it has one; `None` when the door has ended.
fn child(running: &mut Running, name: &str) -> Option<u32> {
    let door = running.child.id();
    let is_it = |path: &PathBuf| fs::read_to_string(path.join("stat")).is_ok_and(|stat| stat.contains(name));
    let path = wait_for("the door's programs", || match children_of(door).into_iter().find(is_it) {
        None if !has_ended(running) => None,
        found => Some(found),
    });
    path?.file_name()?.to_str()?.parse().ok()
}

/// Each camera's windows of each run follow each other from the first, and only the last may be partial.
fn whole_stories(windows: &[Signed]) {
    let mut stories: BTreeMap<(u64, &str), Vec<&Value>> = BTreeMap::new();
    for Signed { run, camera, window, .. } in windows {
        stories.entry((*run, camera)).or_default().push(window);
    }
    for (story, windows) in stories {
        let starts: Vec<f64> =
            windows.iter().map(|window| window["media_start_s"].as_f64().unwrap()).collect();
        let expected: Vec<f64> = (0..windows.len()).map(|index| index as f64 * WINDOW_S).collect();
        assert_eq!(starts, expected, "{story:?}");
        let (last, before) = windows.split_last().unwrap();
        assert!(before.iter().all(|window| window["state"] == "closed"), "{story:?}");
        assert!(last["state"] != "open" && last["observed_s"].as_f64().unwrap() <= WINDOW_S, "{story:?}");
    }
}

/// The file of windows is written by other code than the ledger: whatever is in it was finished.
fn every_told_window_is_signed(stage: &Stage, windows: &[Signed]) {
    let mut signed: BTreeMap<String, u32> = BTreeMap::new();
    for Signed { window, .. } in windows {
        *signed.entry(window.to_string()).or_default() += 1;
    }
    for window in told(stage) {
        let left = signed.get_mut(&window.to_string()).unwrap_or_else(|| panic!("not signed: {window}"));
        assert!(*left > 0, "told twice: {window}");
        *left -= 1;
    }
}

/// The numbers of a seed, by xorshift64.
struct Random(u64);

impl Random {
    fn below(&mut self, end: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0 % end
    }
}
