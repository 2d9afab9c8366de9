//! Loudspeakers, hooks and brokers hear of people in the picture: real programs at both ends.

use std::{
    fs,
    net::{Ipv4Addr, SocketAddr, UdpSocket},
    path::Path,
    process::{Command, Stdio},
    thread,
    time::Duration,
};

use serde_json::Value;

use crate::{
    camera::{Server, write_login},
    stage::{Running, Stage, children_of, clip, free_port, wait_for},
};

/// More than two people are on the clip from its first frame on.
const CAMERA: &str = r#"
listen = "127.0.0.1:0"
output = { alerts = "a.jsonl" }

[[camera]]
name = "campus"
source = "street.avi"
profile = "exact"
classes = ["person"]

[camera.operational]
purpose = "to ask people to make room"
basis = "house rules of the campus"
objection = "the button at the gate stops the camera"

[[camera.alert]]
kind = "too-full"
more_than = 2
for_s = 1

[speaker]
languages = ["fr"]
"#;

/// How long nobody is in the picture, in seconds, and the first second of the situation.
const EMPTY_S: u32 = 5;

/// The situation has lasted its `for_s` at this second of the film.
const DUE_S: f64 = EMPTY_S as f64 + 1.0;

/// A film of an empty place into which people come from one frame to the next: nothing but the first frame's ground in
/// grey, then the clip.
fn street(stage: &Stage, seconds: u32) {
    let filter = format!(
        "[0:v]trim=end_frame=1,boxblur=60:3,loop=loop={}:size=1,setpts=N/10/TB,fps=10[empty];\
         [0:v]trim=0:{seconds},setpts=PTS-STARTPTS[people];[empty][people]concat=n=2:v=1[film]",
        EMPTY_S * 10 - 1
    );
    let mut ffmpeg = Command::new("ffmpeg");
    ffmpeg.args(["-loglevel", "error", "-i"]).arg(clip());
    ffmpeg.args(["-filter_complex", &filter, "-map", "[film]", "-c:v", "mjpeg", "-q:v", "3"]);
    let status = ffmpeg.arg(stage.path("street.avi")).status();
    assert!(status.is_ok_and(|status| status.success()), "ffmpeg is needed to make the film");
}

/// Seconds since the machine was started.
fn uptime_s() -> f64 {
    fs::read_to_string("/proc/uptime").unwrap().split(' ').next().unwrap().parse().unwrap()
}

/// When the intake of a running door was started, in seconds since the machine was.
fn intake_started_s(door: &Running) -> f64 {
    let is_intake = |path: &std::path::PathBuf| {
        fs::read_to_string(path.join("comm")).is_ok_and(|name| name.trim() == "outis-intake")
    };
    let intake = wait_for("the intake", || children_of(door.child.id()).into_iter().find(is_intake));
    let stat = fs::read_to_string(intake.join("stat")).unwrap();
    // Behind the name, the twentieth value is the start in hundredths of a second (proc_pid_stat(5)).
    let ticks: f64 = stat.rsplit_once(") ").unwrap().1.split(' ').nth(19).unwrap().parse().unwrap();
    ticks / 100.0
}

/// Somebody who hears with ffmpeg, as any receiver of RTP does.
struct Listener {
    ffmpeg: Running,
    port: u16,
}

impl Listener {
    fn start(stage: &Stage, name: &str, address: &str, payload_type: u8) -> Self {
        let port = UdpSocket::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let sdp = format!(
            "v=0\r\no=- 0 0 IN IP4 127.0.0.1\r\ns=message\r\nc=IN IP4 {address}\r\nt=0 0\r\n\
             m=audio {port} RTP/AVP {payload_type}\r\n"
        );
        let sdp = stage.write(&format!("{name}.sdp"), sdp);
        let mut ffmpeg = Command::new("ffmpeg");
        ffmpeg.args(["-loglevel", "error", "-protocol_whitelist", "file,udp,rtp", "-localaddr", "127.0.0.1"]);
        ffmpeg.arg("-i").arg(sdp).arg("-y").arg(stage.path(&format!("{name}.wav"))).stdin(Stdio::null());
        let ffmpeg = stage.start(&mut ffmpeg);
        let hexadecimal = format!(":{port:04X} ");
        wait_for("a listening ffmpeg", || {
            fs::read_to_string("/proc/net/udp").unwrap().contains(&hexadecimal).then_some(())
        });
        Self { ffmpeg, port }
    }

    fn stop(self) {
        self.ffmpeg.signal("-INT");
        self.ffmpeg.end();
    }
}

/// Length in seconds, mean and highest volume in decibels, as ffmpeg measures them.
fn volume(sound: &Path) -> (f64, f64, f64) {
    let mut ffmpeg = Command::new("ffmpeg");
    ffmpeg.args(["-hide_banner", "-nostats", "-i"]).arg(sound);
    let output = ffmpeg.args(["-af", "volumedetect", "-f", "null", "-"]).output().unwrap();
    let words = String::from_utf8_lossy(&output.stderr).into_owned();
    let of = |key: &str| -> f64 {
        let (_, rest) = words.split_once(key).unwrap_or_else(|| panic!("no {key} in {words}"));
        rest.trim_start().split([' ', '\n']).next().unwrap().parse().unwrap()
    };
    let samples = of("n_samples:");
    let rate = words.split(" Hz").next().unwrap().rsplit(' ').next().unwrap().parse::<f64>().unwrap();
    (samples / rate, of("mean_volume:"), of("max_volume:"))
}

/// The first file of spoken messages whose name begins so.
fn spoken(stage: &Stage, kind: &str) -> std::path::PathBuf {
    let files = fs::read_dir(stage.path("outis/messages")).unwrap();
    let mut files = files.map(|file| file.unwrap().path());
    files.find(|path| path.file_name().unwrap().to_str().unwrap().starts_with(kind)).unwrap()
}

#[test]
fn a_loudspeaker_says_the_message_soon_after_the_situation() {
    let stage = Stage::new();
    street(&stage, 10);
    let timer = UdpSocket::bind("127.0.0.1:0").unwrap();
    timer.set_read_timeout(Some(Duration::from_secs(120))).unwrap();
    let group = UdpSocket::bind("0.0.0.0:0").unwrap();
    group.join_multicast_v4(&Ipv4Addr::new(239, 255, 77, 3), &Ipv4Addr::LOCALHOST).unwrap();
    group.set_read_timeout(Some(Duration::from_secs(120))).unwrap();
    let one = Listener::start(&stage, "one", "127.0.0.1", 0);
    let other = Listener::start(&stage, "other", "127.0.0.1", 8);
    let targets = format!(
        "[[speaker.rtp]]\naddress = \"{}\"\n\
         [[speaker.rtp]]\naddress = \"127.0.0.1:{}\"\n\
         [[speaker.rtp]]\naddress = \"127.0.0.1:{}\"\ncodec = \"pcma\"\n\
         [[speaker.rtp]]\naddress = \"239.255.77.3:{}\"\nfrom = \"127.0.0.1\"\nttl = 1\n",
        timer.local_addr().unwrap(),
        one.port,
        other.port,
        group.local_addr().unwrap().port(),
    );
    stage.write("w.toml", format!("{CAMERA}{targets}"));
    let door = stage.start(&mut stage.outis(&["watch", "w.toml"]));
    let started_s = intake_started_s(&door);
    let mut packet = [0; 1500];
    assert_eq!(timer.recv(&mut packet).unwrap(), 172);
    let delay_s = uptime_s() - started_s - DUE_S;
    assert_eq!(packet[..2], [0x80, 0x80], "the first packet of a talk spurt of µ-law is marked");
    eprintln!(
        "from the moment at which the situation had lasted long enough to the first packet: {delay_s:.2} s"
    );
    // The promise is 1.5 s; a machine with others at work on it may take longer.
    assert!((0.0..20.0).contains(&delay_s), "{delay_s} s");
    assert_eq!(group.recv(&mut packet).unwrap(), 172, "the group hears it too");

    let ended = door.end();
    assert_eq!(ended.code, 0, "{ended:?}");
    let (length_s, mean_db, highest_db) = volume(&spoken(&stage, "too-full-fr"));
    assert!((2.0..20.0).contains(&length_s), "{length_s} s");
    // What is still on its way arrives.
    thread::sleep(Duration::from_millis(500));
    one.stop();
    other.stop();
    for heard in ["one.wav", "other.wav"] {
        let (heard_s, heard_mean_db, heard_highest_db) = volume(&stage.path(heard));
        assert!((heard_s - length_s).abs() < 0.3, "{heard}: {heard_s} s of {length_s} s");
        assert!((heard_mean_db - mean_db).abs() < 2.0, "{heard}: mean {heard_mean_db} dB of {mean_db} dB");
        assert!(
            (heard_highest_db - highest_db).abs() < 3.0,
            "{heard}: {heard_highest_db} dB of {highest_db} dB"
        );
    }
}

/// The whole way: an RTSP camera, people in a zone, the alert, the message in somebody's ear.
#[test]
fn people_before_a_live_camera_are_spoken_to() {
    let stage = Stage::new();
    street(&stage, 20);
    // Twice beside itself: a profile with noise says of no place that more than three are in it.
    let mut ffmpeg = Command::new("ffmpeg");
    ffmpeg.args(["-nostdin", "-loglevel", "error", "-i"]).arg(stage.path("street.avi"));
    ffmpeg.args(["-filter_complex", "[0:v]split[a][b];[b]hflip[c];[a][c]hstack"]);
    // RTP sends no tables of Huffman codes.
    ffmpeg.args(["-c:v", "mjpeg", "-q:v", "3", "-huffman", "default"]);
    let made = ffmpeg.arg(stage.path("square.avi")).status();
    assert!(made.is_ok_and(|status| status.success()), "ffmpeg is needed to make the film");
    let server = Server::of("jpeg", &stage.path("square.avi"), 0);
    write_login(&stage);
    let timer = UdpSocket::bind("127.0.0.1:0").unwrap();
    timer.set_read_timeout(Some(Duration::from_secs(120))).unwrap();
    let listener = Listener::start(&stage, "heard", "127.0.0.1", 0);
    let source = format!("\"{}\"\ncredentials_file = \"login\"", server.address());
    let zone = "[[camera.zone]]\nname = \"square\"\ncorners = [[0, 0], [1536, 0], [1536, 576], [0, 576]]\n\n[camera.operational]";
    let camera = CAMERA
        .replace("\"street.avi\"", &source)
        .replace("profile = \"exact\"\n", "")
        .replace("[camera.operational]", zone)
        .replace("more_than", "zone = \"square\"\nmore_than")
        .replace("more_than = 2", "more_than = 4");
    let targets = format!(
        "[[speaker.rtp]]\naddress = \"{}\"\n[[speaker.rtp]]\naddress = \"127.0.0.1:{}\"\n",
        timer.local_addr().unwrap(),
        listener.port
    );
    stage.write("w.toml", format!("{camera}{targets}"));
    let door = stage.start(&mut stage.outis(&["watch", "w.toml"]));
    let started_s = intake_started_s(&door);
    let mut packet = [0; 1500];
    assert_eq!(timer.recv(&mut packet).unwrap(), 172, "packets of a message");
    // The intake calls the camera first, and the film begins when it has answered.
    let delay_s = uptime_s() - started_s - DUE_S;
    eprintln!(
        "live: from the frame at which it had lasted long enough to the first packet: at most {delay_s:.2} s"
    );
    let said =
        wait_for("the alert's file", || Some(stage.read("a.jsonl")).filter(|text| text.ends_with('\n')));
    let alert: Value = serde_json::from_str(said.lines().next().unwrap()).unwrap();
    assert_eq!((&alert["alert"], &alert["zone"]), (&"too-full".into(), &"square".into()), "{alert}");

    let (length_s, mean_db, _) = volume(&spoken(&stage, "too-full-fr"));
    thread::sleep(Duration::from_secs_f64(length_s + 1.0));
    listener.stop();
    door.signal("-TERM");
    let ended = door.end();
    assert_eq!(ended.code, 0, "{ended:?}");
    let (heard_s, heard_mean_db, _) = volume(&stage.path("heard.wav"));
    assert!((heard_s - length_s).abs() < 0.3, "{heard_s} s of {length_s} s");
    assert!((heard_mean_db - mean_db).abs() < 2.0, "mean {heard_mean_db} dB of {mean_db} dB");
}

#[test]
fn quiet_hours_and_dry_runs_make_no_sound() {
    for (key, words) in [
        ("quiet = [\"00:00-24:00\"]", "silent in quiet hours"),
        ("dry_run = true", "would say too-full (dry run)"),
    ] {
        let stage = Stage::new();
        street(&stage, 3);
        let loudspeaker = UdpSocket::bind("127.0.0.1:0").unwrap();
        loudspeaker.set_nonblocking(true).unwrap();
        let target = format!("{key}\n[[speaker.rtp]]\naddress = \"{}\"\n", loudspeaker.local_addr().unwrap());
        stage.write("w.toml", format!("{CAMERA}{target}"));
        let ended = stage.run(&["watch", "w.toml"]);
        assert!(ended.code == 0 && ended.stderr.contains(words), "{key}: {ended:?}");
        assert!(loudspeaker.recv(&mut [0; 1500]).is_err(), "{key}: a packet came");
        assert_eq!(stage.read("a.jsonl").lines().count(), 1, "{key}: the alert is told all the same");
    }
}

/// A small server that anybody can write: answers a POST, and prints what it got.
const HOOK: &str = r#"
import http.server
class Hook(http.server.BaseHTTPRequestHandler):
    def do_POST(self):
        body = self.rfile.read(int(self.headers["Content-Length"])).decode()
        print(self.path, self.headers["Authorization"], self.headers["Content-Type"], body, flush=True)
        self.send_response(204)
        self.end_headers()
server = http.server.HTTPServer(("127.0.0.1", 0), Hook)
with open("hook.port", "w") as file:
    print(server.server_port, file=file)
server.serve_forever()
"#;

#[test]
fn a_hook_a_broker_and_a_sound_card_hear_of_it() {
    let stage = Stage::new();
    street(&stage, 3);
    stage.write("token", "open sesame\n");
    stage.write("password", "secret-word\n");
    let hook = stage.start(Command::new("python3").args(["-c", HOOK]).current_dir(stage.path("")));
    let hook_port =
        wait_for("the hook", || fs::read_to_string(stage.path("hook.port")).ok()?.trim().parse::<u16>().ok());
    let broker = free_port();
    let subscriber = subscribe(&stage, broker);
    // A card that writes to a file, as ALSA itself can: the library and its player are real, the copper is not.
    stage.write(
        "alsa.conf",
        format!(
            "pcm.street {{ type file; file \"{}\"; format wav; slave.pcm {{ type null }} }}\n",
            stage.path("card.wav").display()
        ),
    );
    let targets = format!(
        "[[speaker.http]]\nurl = \"http://127.0.0.1:{hook_port}/alert?from=outis\"\ntoken_file = \"token\"\n\
         [[speaker.mqtt]]\naddress = \"{broker}\"\ntopic = \"city/alerts\"\nuser = \"outis\"\npassword_file = \"password\"\n\
         [[speaker.card]]\ndevice = \"street\"\n"
    );
    stage.write("w.toml", format!("{CAMERA}{targets}"));
    let mut door = stage.outis(&["watch", "w.toml"]);
    let ended = stage.start(door.env("ALSA_CONFIG_PATH", stage.path("alsa.conf"))).end();
    assert!(ended.code == 0 && !ended.stderr.contains("error"), "{ended:?}");

    let line = stage.read("a.jsonl");
    let alert: Value = serde_json::from_str(&line).unwrap();
    assert_eq!(
        (&alert["kind"], &alert["alert"], &alert["zone"]),
        (&"alert".into(), &"too-full".into(), &Value::Null)
    );
    hook.signal("-TERM");
    let hooked = hook.end().stdout;
    assert_eq!(hooked, format!("/alert?from=outis Bearer open sesame application/json {line}"));
    let subscribed = subscriber.subscriber.end();
    assert_eq!(subscribed.stdout, format!("city/alerts {line}"), "{subscribed:?}");
    let (length_s, mean_db, _) = volume(&spoken(&stage, "too-full-fr"));
    let (played_s, played_mean_db, _) = volume(&stage.path("card.wav"));
    assert!((played_s - length_s).abs() < 0.3, "{played_s} s of {length_s} s");
    assert!((played_mean_db - mean_db).abs() < 1.0, "{played_mean_db} dB of {mean_db} dB");
}

/// A broker that knows one user, and somebody who has subscribed to one message of it.
fn subscribe(stage: &Stage, address: SocketAddr) -> Subscriber {
    let users = stage.path("users");
    let made = Command::new("mosquitto_passwd")
        .args(["-b", "-c"])
        .arg(&users)
        .args(["outis", "secret-word"])
        .status();
    assert!(made.is_ok_and(|status| status.success()), "mosquitto is needed: run `scripts/packages speaker`");
    let config = format!(
        "listener {} 127.0.0.1\nallow_anonymous false\npassword_file {}\nuser root\n",
        address.port(),
        users.display()
    );
    let config = stage.write("mosquitto.conf", config);
    let broker = stage.start(Command::new("mosquitto").args(["-v", "-c"]).arg(config));
    wait_for("the broker", || std::net::TcpStream::connect(address).ok());
    let mut subscriber = Command::new("mosquitto_sub");
    subscriber.args([
        "-h",
        "127.0.0.1",
        "-p",
        &address.port().to_string(),
        "-u",
        "outis",
        "-P",
        "secret-word",
    ]);
    subscriber.args(["-t", "city/#", "-q", "1", "-C", "1", "-v"]);
    let subscriber = stage.start(&mut subscriber);
    wait_for("the subscription", || broker.says("SUBACK").then_some(()));
    Subscriber { subscriber, _broker: broker }
}

struct Subscriber {
    subscriber: Running,
    _broker: Running,
}

#[test]
fn what_cannot_speak_is_refused_or_said() {
    let stage = Stage::new();
    street(&stage, 3);
    let refused = |more: &str, parts: &[&str]| {
        stage.write("w.toml", format!("{CAMERA}{more}"));
        let ended = stage.run(&["watch", "w.toml"]);
        assert!(ended.code == 2 && parts.iter().all(|part| ended.stderr.contains(part)), "{more}: {ended:?}");
    };
    refused("", &["w.toml, speaker:", "nobody hears it", "[[speaker.rtp]]"]);
    refused("[[speaker.rtp]]\naddress = \"127.0.0.1:9\"\ncameras = [\"yard\"]", &["no camera \"yard\""]);
    refused("quiet = [\"at night\"]\n[[speaker.card]]", &["22:00-07:00"]);
    refused("time_zone = \"Europe/Atlantis\"\n[[speaker.card]]", &["Europe/Paris"]);
    refused("gain_db = 90\n[[speaker.card]]", &["-40 to 40"]);
    refused("[[speaker.http]]\nurl = \"http://me:hidden@a/\"", &["token_file"]);

    let broken =
        "[[speaker.card]]\ndevice = \"no-such-card\"\n[[speaker.http]]\nurl = \"http://127.0.0.1:1/\"\n";
    stage.write("w.toml", format!("{CAMERA}{broken}"));
    let ended = stage.run(&["watch", "w.toml"]);
    assert_eq!(ended.code, 0, "counting goes on: {ended:?}");
    for part in ["error: sound card", "aplay -l", "error: http://127.0.0.1:1: no connection"] {
        assert!(ended.stderr.contains(part), "{part}: {ended:?}");
    }
}

#[test]
fn messages_are_spoken_at_set_up() {
    let stage = Stage::new();
    stage.write("w.toml", format!("{CAMERA}[[speaker.rtp]]\naddress = \"127.0.0.1:9\"\n"));
    // It reads the configuration and nothing else: neither models nor the source need be there.
    let mut speak = stage.outis(&["speak", "w.toml"]);
    let spoke = stage.start(speak.env("OUTIS_CACHE", stage.path("empty"))).end();
    assert_eq!((spoke.code, spoke.stdout.lines().count()), (0, 2), "{spoke:?}");
    for line in spoke.stdout.lines() {
        let path = line.split_once(": ").unwrap().1.rsplit_once(", ").unwrap().0;
        let (length_s, mean_db, highest_db) = volume(Path::new(path));
        assert!(
            (2.0..20.0).contains(&length_s) && mean_db > -35.0 && highest_db > -15.0,
            "{line}: {mean_db} dB"
        );
    }
    // An engine that is not there, and nothing spoken yet.
    let mut speak = stage.outis(&["speak", "w.toml"]);
    speak.env("PATH", "/nowhere").env("XDG_STATE_HOME", stage.path("other"));
    let failed = stage.start(&mut speak).end();
    assert!(failed.code == 1 && failed.stderr.contains("install the package `espeak-ng`"), "{failed:?}");
    stage.write("none.toml", CAMERA.split("[speaker]").next().unwrap());
    let none = stage.run(&["speak", "none.toml"]);
    assert!(none.code == 2 && none.stderr.contains("no section [speaker]"), "{none:?}");
}
