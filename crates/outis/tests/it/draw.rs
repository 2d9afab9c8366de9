//! The page of `outis calibrate`, on which lines are drawn: with mouse, touch and keys, in a real browser.

use std::{
    io::Write as _,
    net::{SocketAddr, TcpListener},
    thread,
    time::{Duration, Instant},
};

use outis_measure::{ImagePoint, TsaiCamera};
use serde_json::{Value, json};

use crate::{
    browser::Browser,
    camera::Server,
    stage::{Running, Stage, ask, children_of, clip, get, wait_for},
};

/// Where the page is: its address, and the path with its key.
fn page(running: &mut Running) -> (SocketAddr, String) {
    wait_for("the page's address", || running.says("/\n").then_some(()));
    let said = running.said();
    let url = said.lines().find_map(|line| line.strip_prefix("http://")).expect(&said).to_owned();
    let (address, path) = url.split_once('/').expect(&url);
    (address.parse().unwrap(), format!("/{path}"))
}

/// The page in a browser, with its picture.
fn open(stage: &Stage, address: SocketAddr, path: &str) -> Browser {
    let browser = Browser::open(stage, "en", 1280);
    browser.go(&format!("http://{address}{path}"));
    wait_for("the picture", || {
        (browser.value("document.querySelector('#waiting').hidden") == true).then_some(())
    });
    browser
}

fn json_of(address: SocketAddr, path: &str) -> Value {
    let (_, body) = get(address, path);
    serde_json::from_str(&body).unwrap_or_else(|error| panic!("{error}: {body}"))
}

fn post(address: SocketAddr, path: &str, more: &str, body: &str) -> (String, String) {
    let length = body.len();
    ask(
        address,
        &format!(
            "POST {path} HTTP/1.1\r\nHost: {address}\r\nContent-Type: application/json\r\n{more}\
             Content-Length: {length}\r\nConnection: close\r\n\r\n{body}"
        ),
    )
}

const DRAWN: &str =
    r#"{"name":"gate","lines":[{"name":"a","points":[[225,340],[225,180]]}],"zones":[],"blanks":[]}"#;

#[test]
fn strangers_get_neither_picture_nor_pen() {
    let stage = Stage::new();
    stage.short_clip(8);
    let mut running = stage.start(&mut stage.outis(&["calibrate", "vtest.avi", "--out", "gate.toml"]));
    let (address, path) = page(&mut running);
    let said = running.said();
    assert!(
        said.contains("whoever passes is left out") && said.contains("on record in"),
        "announced: {said}"
    );
    let at = |what: &str| format!("{path}{what}");
    wait_for("the picture", || json_of(address, &at("state"))["picture"].is_array().then_some(()));

    for path in ["/", "/still.png", "/state", "/0123456789abcdef0123456789abcdef/still.png"] {
        assert!(get(address, path).0.starts_with("http/1.1 404"), "{path}");
    }
    let foreign =
        format!("GET {} HTTP/1.1\r\nHost: evil.example\r\nConnection: close\r\n\r\n", at("still.png"));
    assert!(ask(address, &foreign).0.starts_with("http/1.1 421"));
    let refused = post(address, &at("save"), "Origin: https://evil.example\r\n", DRAWN);
    assert!(refused.0.starts_with("http/1.1 403") && !stage.path("gate.toml").exists(), "{refused:?}");
    let refused = post(address, &at("find/enough"), "Origin: https://evil.example\r\n", DRAWN);
    assert!(refused.0.starts_with("http/1.1 403"), "{refused:?}");
    let refused = post(address, &at("find/enough"), "", DRAWN);
    assert!(refused.0.starts_with("http/1.1 404") && refused.1.contains("nobody looks"), "{refused:?}");
    assert!(post(address, &at("save"), "", "{\"name\":3}").0.starts_with("http/1.1 400"));
    let bow = r#"{"name":"g","lines":[],"zones":[{"name":"b","corners":[[0,0],[90,90],[90,0],[0,90]]}],"blanks":[]}"#;
    let (head, body) = post(address, &at("check"), "", bow);
    assert!(head.starts_with("http/1.1 422") && body.contains("cross"), "{body}");

    // Its own page gets the picture, under the policy of all pages.
    let (head, _) = ask(
        address,
        &format!("HEAD {} HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\n\r\n", at("still.png")),
    );
    assert!(
        head.starts_with("http/1.1 200") && head.contains("image/png") && head.contains("no-store"),
        "{head}"
    );
    let (head, html) = get(address, &path);
    assert!(head.contains("default-src 'none'") && !html.contains("https://"), "{head}");

    // What it wrote it may write again; what another wrote it may not.
    for _ in 0..2 {
        let saved = post(address, &at("save"), "", DRAWN);
        assert!(saved.0.starts_with("http/1.1 200"), "{saved:?}");
    }
    let written = stage.read("gate.toml");
    stage.write("gate.toml", "# of somebody else");
    let refused = post(address, &at("save"), "", DRAWN);
    assert!(refused.0.starts_with("http/1.1 409") && refused.1.contains("changed"), "{refused:?}");
    assert_eq!(stage.read("gate.toml"), "# of somebody else");
    stage.write("gate.toml", written);
    running.signal("-INT");
    let ended = running.end();
    assert_eq!(ended.code, 0, "{ended:?}");
    assert_eq!(stage.run(&["describe", "gate.toml"]).code, 0);
    assert_eq!(stills_on_record(&stage, "outis/public"), 1);
    let again = stage.run(&["calibrate", "vtest.avi", "--out", "gate.toml"]);
    assert!(again.code == 1 && again.stderr.contains("already"), "{again:?}");
}

/// A rectangle of 4 m by 6 m on the ground whose long sides meet at the top of the picture.
const GROUND: [[f64; 2]; 4] = [[100.0, 400.0], [500.0, 400.0], [400.0, 200.0], [200.0, 200.0]];

#[test]
fn a_rectangle_on_the_ground_gives_metres() {
    let stage = Stage::new();
    stage.short_clip(8);
    let mut running = stage.start(&mut stage.outis(&["calibrate", "vtest.avi", "--out", "gate.toml"]));
    let (address, path) = page(&mut running);
    let browser = open(&stage, address, &path);
    let hand = Hand(&browser);
    hand.click("#line");
    hand.stroke("mouse", &[LINE[0], LINE[1]]);
    // Another one first: there is one ground, and its sides stay.
    for corners in [ZONE, GROUND] {
        hand.click("#ground");
        for corner in corners {
            hand.stroke("touch", &[corner]);
        }
    }
    assert_eq!(browser.value("document.querySelectorAll('.shape.ground').length"), 1);
    let error = || browser.text("document.querySelector('#error').textContent");
    wait_for("what is missing", || error().contains("how long the sides").then_some(()));
    assert_eq!(browser.value("document.querySelectorAll('.metre').length"), 0);
    for (side, length) in [(1, "4"), (2, "6")] {
        hand.focus(&format!(".place.ground .sides label:nth-child({side}) input"));
        hand.keys(&[], &[length]);
    }
    wait_for("nothing to be missing", || error().is_empty().then_some(()));
    // Half as far as its far side, a row of squares is at 1 / (1/400 + 1/200) * 2 = 266.7: nearer to it than to the near one.
    let squares = browser.text("document.querySelector('.metre').getAttribute('d')");
    let row = squares.split('M').any(|edge| {
        let numbers: Vec<f64> = edge.split([' ', 'L']).filter_map(|number| number.parse().ok()).collect();
        let expected = [166.7, 266.7, 233.3, 266.7];
        numbers.len() == 4
            && numbers.iter().zip(expected).all(|(number, expected)| (number - expected).abs() < 3.0)
    });
    assert!(row, "{squares}");
    // Distances are known where the corners are, and not at the far end of the picture.
    let known = |kind: &str| {
        let script = format!(
            "[...document.querySelectorAll('.known .{kind}')].map((cell) => Number(cell.getAttribute('y')))"
        );
        let rows = browser.value(&script);
        rows.as_array().unwrap().iter().map(|row| row.as_f64().unwrap()).collect::<Vec<_>>()
    };
    let (good, fair) = (known("good"), known("fair"));
    assert!(good.len() >= 6 && good.iter().any(|y| (200.0..400.0).contains(y)), "{good:?}");
    assert!(!fair.is_empty() && good.iter().chain(&fair).all(|y| *y >= 72.0), "{fair:?}");
    assert!(browser.text("document.querySelector('.known').getAttribute('aria-label')").contains('%'));

    let nameless =
        "[...document.querySelectorAll('.place.ground input')].filter((e) => !e.labels?.length).length";
    assert_eq!(browser.value(nameless), 0);
    hand.click("#save");
    wait_for("the file", || {
        browser.text("document.querySelector('#path').textContent").contains("gate.toml").then_some(())
    });
    let written: toml::Table = stage.read("gate.toml").parse().unwrap();
    assert_eq!(written["camera"][0]["ground"]["metres"].to_string(), "[[0, 0], [4, 0], [4, 6], [0, 6]]");

    // No rectangle after all: the third corner is half a metre farther to the right. One that is not typed is asked for.
    hand.click(".place.ground .by-places input");
    let corner = |index: usize| format!(".place.ground .corners label:nth-child({index}) input");
    let places = "[...document.querySelectorAll('.place.ground .corner')].map((e) => e.value).join()";
    assert_eq!(browser.text(places), "0,0,4,0,4,6,0,6");
    browser.value(&format!("document.querySelector('{}').select()", corner(5)));
    hand.focus(&corner(5));
    hand.keys(&[], &[DELETE]);
    wait_for("what is missing", || error().contains("where each of its corners").then_some(()));
    assert_eq!(browser.value("document.querySelectorAll('.metre').length"), 0);
    hand.keys(&[], &["4", ".", "5"]);
    wait_for("nothing to be missing", || error().is_empty().then_some(()));
    assert_eq!(browser.value("document.querySelectorAll('.metre').length"), 1);
    hand.click("#save");
    let saved = || browser.text("document.querySelector('#text').textContent");
    wait_for("the file", || saved().contains("metres = [[0, 0], [4, 0], [4.5, 6], [0, 6]]").then_some(()));
    running.signal("-INT");
    running.end();
    let counted =
        stage.run(&["count", "vtest.avi", "--classes", "person", "--ground", "gate.toml", "--distance", "1"]);
    assert_eq!(counted.code, 0, "{counted:?}");
    assert_eq!(stage.run(&["describe", "gate.toml"]).code, 0);
}

/// A made-up camera of the kind that PETS hands out, whose lens bends lines.
const CALIBRATION: &str = r#"<Camera>
    <Geometry width="768" height="576" dpx="5.13e-03" dpy="4.65e-03"/>
    <Intrinsic focal="5.5" kappa1="5.0e-03" cx="3.24e+02" cy="2.82e+02" sx="1.09e+00"/>
    <Extrinsic tx="8.0e+02" ty="-1.2e+03" tz="2.4e+04" rx="2.0" ry="-0.9" rz="-0.4"/>
</Camera>"#;

#[test]
fn the_ground_of_a_calibration_is_shown_and_written() {
    let stage = Stage::new();
    stage.short_clip(8);
    stage.write("view.xml", CALIBRATION);
    stage.write("no.xml", "<Camera/>");
    let refused = stage.run(&["calibrate", "vtest.avi", "--tsai", "no.xml"]);
    assert!(refused.code == 2 && refused.stderr.contains("no.xml has no element"), "{refused:?}");
    let drawing = ["calibrate", "vtest.avi", "--out", "gate.toml", "--tsai", "view.xml"];
    let mut running = stage.start(&mut stage.outis(&drawing));
    let (address, path) = page(&mut running);
    let browser = open(&stage, address, &path);
    let hand = Hand(&browser);
    hand.click("#line");
    hand.stroke("mouse", &LINE);
    assert_eq!(browser.value("document.querySelector('#ground').hidden"), true);
    // Where the squares' corners are drawn, the eye measures whole metres.
    let camera = TsaiCamera {
        focal_mm: 5.5,
        kappa1: 0.005,
        center_px: [324.0, 282.0],
        sx: 1.09,
        pixel_mm: [0.00513, 0.00465],
        translation_m: [0.8, -1.2, 24.0],
        rotation_rad: [2.0, -0.9, -0.4],
    };
    let plane = camera.ground_plane().unwrap();
    let squares = browser.text("document.querySelector('.metre').getAttribute('d')");
    let corners = squares.split(['M', 'L']).filter_map(|corner| corner.split_once(' '));
    let mut judged = 0;
    for (x, y) in corners {
        let (x, y): (f32, f32) = (x.parse().unwrap(), y.parse().unwrap());
        if (100.0..668.0).contains(&x) && (150.0..560.0).contains(&y) {
            let ground = plane.locate(ImagePoint::new(x, y)).unwrap();
            for metres in [ground.x_m, ground.y_m] {
                assert!((metres - metres.round()).abs() < 0.03, "{x} {y}: {ground:?}");
            }
            judged += 1;
        }
    }
    assert!(judged > 100, "{judged}: {squares}");
    assert_ne!(browser.value("document.querySelectorAll('.known .good').length"), 0);
    hand.click("#save");
    let written = || browser.text("document.querySelector('#text').textContent");
    wait_for("the file", || written().contains("view.xml").then_some(()));
    running.signal("-INT");
    running.end();
    assert_eq!(stage.run(&["describe", "gate.toml"]).code, 0);
}

#[test]
fn the_ground_is_found_from_who_walks_by() {
    let stage = Stage::new();
    let film = clip();
    let drawing = ["calibrate", film.to_str().unwrap(), "--out", "gate.toml"];
    let mut running = stage.start(&mut stage.outis(&drawing));
    let (address, path) = page(&mut running);
    let browser = open(&stage, address, &path);
    let hand = Hand(&browser);
    let said = || browser.text("document.querySelector('#finding').textContent");
    // Given up, it begins anew.
    hand.click("#find");
    wait_for("people to be watched", || said().starts_with("Watching").then_some(()));
    hand.click("#find");
    assert_eq!(said(), "");
    wait_for("the end of its programs", || children_of(running.child.id()).is_empty().then_some(()));
    hand.click("#find");
    wait_for("the ground", || said().starts_with("Found from").then_some(()));
    let sides: Vec<f64> = [1, 2]
        .map(|side| {
            let input = format!(".place.ground .sides label:nth-child({side}) input");
            browser.text(&format!("document.querySelector('{input}').value")).parse().unwrap()
        })
        .to_vec();
    // The nearest that this camera sees is some 15 m away, and its picture shows some 8 m there.
    assert!((1.0..10.0).contains(&sides[0]) && (5.0..25.0).contains(&sides[1]), "{sides:?}");
    assert_eq!(browser.value("document.querySelectorAll('.metre').length"), 1);
    // The eye has said where: near by they are good, and in the sky they are not.
    let cells = |kind: &str| {
        browser.value(&format!("document.querySelectorAll('.known .{kind}').length")).as_u64().unwrap()
    };
    assert!((10..80).contains(&cells("good")) && cells("fair") > 0, "{} {}", cells("good"), cells("fair"));
    // What was written says that nobody measured it; once it is moved, it is the hand's.
    hand.click("#line");
    hand.stroke("mouse", &LINE);
    hand.click("#save");
    let written = || browser.text("document.querySelector('#text').textContent");
    wait_for("the file", || written().contains("people who walked by").then_some(()));
    hand.focus(".place.ground .sides input");
    hand.keys(&[], &["1"]);
    assert_eq!(said(), "");
    hand.click("#save");
    wait_for("the file of what was typed", || written().contains("as typed").then_some(()));
    hand.click(".place.ground .drop");
    assert_eq!(browser.value("document.querySelectorAll('.metre').length"), 0);
    running.signal("-INT");
    running.end();
}

/// The same before a live camera: as long as it takes, in real time.
#[test]
fn the_ground_is_found_before_a_live_camera() {
    let stage = Stage::new();
    let server = Server::of_people(&stage);
    let source = server.address();
    let mut running = stage.start(&mut stage.outis(&[
        "calibrate",
        &source,
        "--credentials-file",
        "login",
        "--seconds",
        "5",
        "--out",
        "gate.toml",
    ]));
    let (address, path) = page(&mut running);
    let browser = open(&stage, address, &path);
    let hand = Hand(&browser);
    let said = || browser.text("document.querySelector('#finding').textContent");
    let offered = || browser.value("!document.querySelector('#enough').hidden") == true;
    hand.click("#line");
    hand.stroke("mouse", &LINE);
    assert!(!offered(), "nobody was seen");

    // A few seconds are not enough; then one tries again, with what was drawn.
    hand.click("#find");
    wait_for("people to be watched", || offered().then_some(()));
    assert!(said().contains("at least 15") && said().contains("30 min"), "{}", said());
    hand.focus("#enough");
    hand.keys(&[], &[ENTER]);
    wait_for("the answer", || said().starts_with("No ground was found in").then_some(()));
    assert!(said().contains("try again"), "{}", said());
    assert!(!offered() && browser.text("document.activeElement.id") == "find");
    wait_for("the end of its programs", || children_of(running.child.id()).is_empty().then_some(()));
    assert_eq!(browser.value("document.querySelectorAll('.shape.line').length"), 1);

    hand.click("#find");
    let watched_s = || said().split(' ').find_map(|word| word.parse::<u32>().ok());
    wait_for("a minute of people", || {
        (said().starts_with("Watching") && watched_s() >= Some(60)).then_some(())
    });
    hand.click("#enough");
    wait_for("the ground", || said().starts_with("Found from").then_some(()));
    assert_eq!(browser.value("document.querySelectorAll('.metre').length"), 1);
    // Of twenty people it is fair rather than good.
    assert_ne!(browser.value("document.querySelectorAll('.known rect').length"), 0);
    hand.click("#save");
    let written = || browser.text("document.querySelector('#text').textContent");
    wait_for("the file", || written().contains("people who walked by").then_some(()));
    assert!(written().contains(&source) && written().contains("credentials_file"), "{}", written());
    running.signal("-INT");
    assert_eq!(running.end().code, 0);
}

/// A camera that sends on and on, and never a picture.
#[test]
fn a_camera_that_never_shows_anything_is_given_up_in_time() {
    let stage = Stage::new();
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    thread::spawn(move || {
        for connection in listener.incoming() {
            let Ok(mut connection) = connection else { return };
            thread::spawn(move || {
                let head = "HTTP/1.0 200 OK\r\nContent-Type: multipart/x-mixed-replace;boundary=b\r\n\r\n";
                let mut sent = connection.write_all(head.as_bytes());
                let part = [
                    &b"--b\r\nContent-Type: image/jpeg\r\nContent-Length: 64\r\n\r\n"[..],
                    &[0xff; 64],
                    b"\r\n",
                ];
                while sent.is_ok() {
                    sent = connection.write_all(&part.concat());
                    thread::sleep(Duration::from_millis(200));
                }
            });
        }
    });
    let source = format!("http://127.0.0.1:{port}/");
    let began = Instant::now();
    let ended = stage.run(&["calibrate", &source, "--seconds", "5"]);
    assert!(ended.code == 1 && ended.stderr.contains("the camera"), "{ended:?}");
    assert!((30.0..60.0).contains(&began.elapsed().as_secs_f64()), "{:?}: {ended:?}", began.elapsed());
    assert!(ended.stderr.contains("within 35 s"), "{ended:?}");
}

/// In a log that is sound.
fn stills_on_record(stage: &Stage, public: &str) -> u64 {
    let verdict = stage.run(&["verify", "--json", public]).json();
    assert_eq!(verdict["sound"], true, "{verdict}");
    verdict["stills"].as_u64().unwrap()
}

#[test]
fn a_picture_is_on_record_before_it_is_shown_also_where_cameras_are_watched() {
    let stage = Stage::new();
    stage.short_clip(12);
    stage.write(
        "w.toml",
        "listen = \"127.0.0.1:0\"\nstate = \"state\"\n\n[[camera]]\nname = \"gate\"\nsource = \"vtest.avi\"\n\
         profile = \"exact\"\nwindow_s = 60\n[[camera.line]]\nname = \"path\"\npoints = [[225, 340], [225, 180]]\n",
    );
    let watch = stage.start(&mut stage.outis(&["watch", "w.toml"]));
    watch.camera_when(|camera| camera["media_s"].as_f64().is_some_and(|media_s| media_s >= 0.5));
    let drawing = ["calibrate", "vtest.avi", "--state", "state"];
    let mut running = stage.start(&mut stage.outis(&drawing));
    let (address, path) = page(&mut running);
    wait_for("the picture", || json_of(address, &format!("{path}state"))["picture"].is_array().then_some(()));
    // The door has it in its log while it is at work.
    assert_eq!(stills_on_record(&stage, "state/public"), 1);
    running.signal("-INT");
    running.end();
    watch.signal("-INT");
    watch.end();
    assert_eq!(stills_on_record(&stage, "state/public"), 1);
}

#[test]
fn what_gives_no_picture_is_said() {
    let stage = Stage::new();
    stage.short_clip(8);
    stage.write("a-file", "");
    let ended = stage.run(&["calibrate", "vtest.avi", "--state", "a-file"]);
    assert!(ended.code == 1 && ended.stderr.contains("could not be put on record"), "{ended:?}");
    let stage = Stage::new();
    stage.short_clip(2);
    for (arguments, code, expected) in [
        (&["calibrate", "vtest.avi"][..], 1, "too short a time"),
        (&["calibrate", "nowhere.avi"], 1, "nowhere.avi"),
        (&["calibrate", "rtsp://user:secret@camera.example/1"], 2, "credentials_file"),
        (&["calibrate", "rtsp://127.0.0.1:9/1"], 1, "the camera"),
        (&["calibrate", "vtest.avi", "--listen", "0.0.0.0:0"], 2, "this machine alone"),
    ] {
        let ended = stage.run(arguments);
        assert_eq!(ended.code, code, "{arguments:?}: {ended:?}");
        assert!(
            ended.stderr.contains(expected) && !ended.stderr.contains("secret"),
            "{arguments:?}: {ended:?}"
        );
    }
}

/// A hand at a browser: points are in pixels of the picture.
struct Hand<'a>(&'a Browser);

impl Hand<'_> {
    /// Where a point of the picture is in the window.
    fn at(&self, [x, y]: [f64; 2]) -> [i64; 2] {
        let script = format!(
            "(() => {{ const b = document.querySelector('#drawing').getBoundingClientRect(); \
             return [Math.round(b.left + {x} * b.width / 768), Math.round(b.top + {y} * b.height / 576)]; }})()"
        );
        let found = self.0.value(&script);
        [0, 1].map(|index| found[index].as_i64().unwrap_or_else(|| panic!("{found}")))
    }

    /// Goes down at the first point, over the others, and up at the last.
    fn stroke(&self, device: &str, points: &[[f64; 2]]) {
        let mut actions = Vec::new();
        for (index, point) in points.iter().enumerate() {
            let [x, y] = self.at(*point);
            actions.push(json!({"type": "pointerMove", "duration": 20, "x": x, "y": y}));
            if index == 0 {
                actions.push(json!({"type": "pointerDown", "button": 0}));
            }
        }
        actions.push(json!({"type": "pointerUp", "button": 0}));
        self.0.act(&json!({
            "type": "pointer", "id": device, "parameters": {"pointerType": device}, "actions": actions
        }));
    }

    /// Presses the keys one after the other, all of them while the first ones are held.
    fn keys(&self, held: &[&str], keys: &[&str]) {
        let down = |key: &&str| json!({"type": "keyDown", "value": key});
        let up = |key: &&str| json!({"type": "keyUp", "value": key});
        let mut actions: Vec<Value> = held.iter().map(down).collect();
        actions.extend(keys.iter().flat_map(|key| [down(key), up(key)]));
        actions.extend(held.iter().map(up));
        self.0.act(&json!({"type": "key", "id": "keyboard", "actions": actions}));
    }

    fn click(&self, selector: &str) {
        self.0.value(&format!("document.querySelector('{selector}').dispatchEvent(new MouseEvent('click', {{bubbles: true, detail: 1}}))"));
    }

    fn focus(&self, selector: &str) {
        self.0.value(&format!("document.querySelector('{selector}').focus()"));
    }
}

/// The page asks for figures twice a second.
const POLLED_TWICE: Duration = Duration::from_millis(1200);
const RIGHT: &str = "\u{e014}";
const DOWN: &str = "\u{e015}";
const SHIFT: &str = "\u{e008}";
const CONTROL: &str = "\u{e009}";
const ENTER: &str = "\u{e007}";
const DELETE: &str = "\u{e017}";

const LINE: [[f64; 2]; 2] = [[225.0, 340.0], [225.0, 180.0]];
const ZONE: [[f64; 2]; 4] = [[330.0, 232.0], [560.0, 232.0], [560.0, 380.0], [400.0, 380.0]];

const BLANK: [[f64; 2]; 3] = [[600.0, 20.0], [740.0, 20.0], [740.0, 110.0]];

#[test]
fn drawn_with_mouse_touch_and_keys_is_what_is_counted() {
    let stage = Stage::new();
    stage.short_clip(20);
    let mut running = stage.start(&mut stage.outis(&["calibrate", "vtest.avi", "--out", "gate.toml"]));
    let (address, path) = page(&mut running);
    let browser = open(&stage, address, &path);
    let hand = Hand(&browser);
    assert_eq!(browser.value("document.querySelectorAll('image').length"), 1, "one picture, and no other");

    // A line in one stroke, by mouse; a zone corner by corner, by touch, closed by its first.
    hand.click("#line");
    hand.stroke("mouse", &[LINE[0], [225.0, 260.0], LINE[1]]);
    hand.click("#zone");
    for corner in ZONE.iter().chain(&ZONE[..1]) {
        hand.stroke("touch", &[*corner]);
    }
    let drawn = || browser.value("document.querySelectorAll('.shape').length");
    assert_eq!(drawn(), 2);

    // An area at which nobody is to look, far from both.
    hand.click("#blank");
    for corner in BLANK.iter().chain(&BLANK[..1]) {
        hand.stroke("mouse", &[*corner]);
    }
    assert_eq!(drawn(), 3);

    // A second line by keys alone: it begins in the middle of the picture.
    hand.focus("#line");
    hand.keys(&[], &[ENTER]);
    let focused = || browser.text("document.activeElement.getAttribute('aria-label')");
    assert_eq!(focused(), "line 2, point 1 of 2: 269, 288. Arrow keys move it.");
    hand.keys(&[SHIFT], &[RIGHT, DOWN]);
    hand.keys(&[], &[RIGHT]);
    assert!(focused().contains("280, 298"), "{}", focused());
    hand.keys(&[CONTROL], &["z"]);
    assert!(focused().contains("279, 298"), "{}", focused());
    hand.keys(&[CONTROL, SHIFT], &["z"]);
    assert!(focused().contains("280, 298"), "{}", focused());
    hand.keys(&[], &[DELETE]);
    assert_eq!(drawn(), 3);
    assert!(browser.text("document.querySelector('#spoken').textContent").contains("line 2 removed"));

    // A corner is dragged by touch, and a shape as a whole by mouse and back by undo.
    hand.stroke("touch", &[ZONE[2], [555.0, 385.0], [550.0, 390.0]]);
    hand.stroke("mouse", &[[480.0, 300.0], [500.0, 320.0], [520.0, 340.0]]);
    hand.click("#undo");

    // Names, and no control without one.
    hand.focus(".place.line .name");
    browser.value("document.activeElement.select()");
    hand.keys(&[], &["w", "e", "s", "t"]);
    let nameless = "[...document.querySelectorAll('button, input, [tabindex]')].filter((e) => e.checkVisibility() && \
                    !(e.getAttribute('aria-label') || e.textContent.trim() || e.labels?.length)).length";
    assert_eq!(browser.value(nameless), 0);
    let overflow = "document.documentElement.scrollWidth - document.documentElement.clientWidth";
    assert_eq!(browser.value(overflow), 0, "the page is wider than its window");

    hand.click("#save");
    wait_for("the file", || {
        browser.text("document.querySelector('#path').textContent").contains("gate.toml").then_some(())
    });
    let written: toml::Table = stage.read("gate.toml").parse().unwrap();
    let camera = &written["camera"][0];
    let near = |value: &toml::Value, expected: &[[f64; 2]]| {
        let points = value.as_array().unwrap();
        assert_eq!(points.len(), expected.len(), "{value}");
        for (point, expected) in points.iter().zip(expected) {
            for (index, expected) in expected.iter().enumerate() {
                let found =
                    point[index].as_float().unwrap_or_else(|| point[index].as_integer().unwrap() as f64);
                // A window's pixel is a little more than the picture's.
                assert!((found - expected).abs() < 1.6, "{value}: {found} is not {expected}");
            }
        }
    };
    assert_eq!(camera["line"][0]["name"].as_str(), Some("west"));
    near(&camera["line"][0]["points"], &LINE);
    let mut moved = ZONE;
    moved[2] = [550.0, 390.0];
    near(&camera["zone"][0]["corners"], &moved);
    near(&camera["blank"][0]["corners"], &BLANK);
    assert_eq!(camera["picture"].to_string(), "[768, 576]");

    // Tried on the page, it counts what it counts elsewhere, where nothing is blanked.
    hand.click(".place.blank .drop");
    hand.click("#try");
    wait_for("the count's end", || {
        browser.text("document.querySelector('#counting').textContent").contains("to its end").then_some(())
    });
    let told = browser.text("document.querySelector('.place.line .counts').textContent");
    let points = camera["line"][0]["points"].as_array().unwrap();
    let numbers: Vec<String> =
        points.iter().flat_map(|point| point.as_array().unwrap()).map(ToString::to_string).collect();
    let line = format!("west:{}", numbers.join(","));
    let counted = stage.run(&["count", "vtest.avi", "--json", "--line", &line]).json();
    let number = |key: &str| counted["lines"][0][key].as_u64().unwrap();
    assert!(number("forward") + number("backward") > 0, "somebody passes");
    assert_eq!(told, format!("{} forward, {} back", number("forward"), number("backward")));

    // Moved while it is tried again, it shows no number of the old place, however far that count gets.
    hand.click("#try");
    let counting = || browser.text("document.querySelector('#counting').textContent");
    wait_for("the second count", || counting().starts_with("Counting").then_some(()));
    hand.focus("[data-handle=\"1-0\"]");
    hand.keys(&[], &[DOWN]);
    wait_for("the end of the count of the old place", || {
        (json_of(address, &format!("{path}preview"))["cameras"][0]["status"] == "ended").then_some(())
    });
    thread::sleep(POLLED_TWICE);
    assert_eq!(counting(), "Changed since it was counted.");
    assert_eq!(browser.text("document.querySelector('.place.line .counts').textContent"), "");

    running.signal("-INT");
    assert_eq!(running.end().code, 0);
}
