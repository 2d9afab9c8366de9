//! The page as a person's browser shows it: headless Chromium, driven by its WebDriver on the loopback.

use std::{
    net::SocketAddr,
    process::{Child, Command, Stdio},
};

use serde_json::{Value, json};

use crate::stage::{Stage, ask, free_port, try_ask, wait_for};

/// Nothing but the page: no services of the browser's maker, which a test machine does not reach.
const FLAGS: [&str; 8] = [
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
];

/// A browser with one window. Dropping it ends it.
pub(crate) struct Browser {
    driver: Child,
    address: SocketAddr,
    session: String,
}

impl Browser {
    pub(crate) fn open(stage: &Stage, language: &str, width: u32) -> Self {
        let address = free_port();
        let driver = Command::new("chromedriver")
            .arg(format!("--port={}", address.port()))
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .expect("a browser is needed to look at the page: install the package `chromium-driver`");
        let mut browser = Self { driver, address, session: String::new() };
        wait_for("the browser's driver", || try_ask(address, &request("GET", address, "/status", "")));
        let mut flags: Vec<String> = FLAGS.map(str::to_owned).to_vec();
        flags.push(format!("--user-data-dir={}", stage.path(language).display()));
        flags.push(format!("--window-size={width},1200"));
        flags.push(format!("--lang={language}"));
        let options = json!({"args": flags, "prefs": {"intl.accept_languages": language}});
        let capabilities = json!({"capabilities": {"alwaysMatch": {"goog:chromeOptions": options}}});
        let session = browser.post("/session", &capabilities);
        session["sessionId"]
            .as_str()
            .unwrap_or_else(|| panic!("no session: {session}"))
            .clone_into(&mut browser.session);
        browser
    }

    pub(crate) fn go(&self, url: &str) {
        self.post(&format!("/session/{}/url", self.session), &json!({ "url": url }));
    }

    /// The value of an expression on the page.
    pub(crate) fn value(&self, expression: &str) -> Value {
        let script = json!({"script": format!("return {expression}"), "args": []});
        self.post(&format!("/session/{}/execute/sync", self.session), &script)
    }

    pub(crate) fn text(&self, expression: &str) -> String {
        self.value(expression).as_str().unwrap_or_default().to_owned()
    }

    /// Does what hands do: actions of the WebDriver standard, one device.
    pub(crate) fn act(&self, device: &Value) {
        let answer =
            self.post(&format!("/session/{}/actions", self.session), &json!({ "actions": [device] }));
        assert_eq!(answer, Value::Null, "{device}");
    }

    fn post(&self, path: &str, body: &Value) -> Value {
        let (_, answer) = ask(self.address, &request("POST", self.address, path, &body.to_string()));
        let answer: Value = serde_json::from_str(&answer).unwrap_or_else(|error| panic!("{error}: {answer}"));
        answer["value"].clone()
    }
}

impl Drop for Browser {
    fn drop(&mut self) {
        let path = format!("/session/{}", self.session);
        let _ = try_ask(self.address, &request("DELETE", self.address, &path, ""));
        let _ = self.driver.kill();
        let _ = self.driver.wait();
    }
}

fn request(method: &str, address: SocketAddr, path: &str, body: &str) -> String {
    let length = body.len();
    format!(
        "{method} {path} HTTP/1.1\r\nHost: {address}\r\nContent-Length: {length}\r\nConnection: close\r\n\r\n{body}"
    )
}

#[test]
fn numbers_move_in_the_language_of_the_reader() {
    let stage = Stage::new();
    let running = stage.start(&mut stage.outis(&["demo", "--listen", "127.0.0.1:0"]));
    let url = format!("http://{}/", running.page());
    for (language, width, now, spoken) in [
        ("en", 1280, "In the picture now", "in the picture"),
        ("fr", 500, "Dans le champ maintenant", "dans le champ"),
    ] {
        let browser = Browser::open(&stage, language, width);
        browser.go(&url);
        let big = || browser.text("document.querySelector('.big')?.textContent");
        wait_for("a number on the page", || big().parse::<u32>().ok());
        assert_eq!(browser.text("document.documentElement.lang"), language);
        let page = browser.text("document.body.innerText");
        for word in [now, "west path", "south path", "crossing"] {
            assert!(page.contains(word), "{language}: \"{word}\" is not on the page:\n{page}");
        }
        assert!(browser.text("document.querySelector('[aria-live=polite]').textContent").contains(spoken));

        // One mark at each end of a line and two counts, in a drawing of the picture's proportions.
        assert_eq!(browser.value("document.querySelectorAll('.drawing .line').length"), 2);
        assert_eq!(browser.value("document.querySelectorAll('.drawing .pill').length"), 4);
        assert_eq!(browser.text("document.querySelector('.drawing').getAttribute('viewBox')"), "0 0 768 576");
        // Shapes only: the one image is the program's mark.
        assert_eq!(browser.value("document.querySelectorAll('img, video, canvas, image').length"), 1);
        let overflow = "document.documentElement.scrollWidth - document.documentElement.clientWidth";
        assert_eq!(browser.value(overflow), 0, "{language}: the page is wider than its window");

        let clock = || browser.text("document.querySelector('.clock').textContent");
        let before = clock();
        wait_for("the next second on the page", || (clock() != before).then_some(()));
    }
}

/// Figures that are not told show as such, never as zero.
#[test]
fn what_is_withheld_shows_as_a_dash() {
    let stage = Stage::new();
    stage.short_clip(20);
    let line = "[[camera.line]]\nname = \"west path\"\npoints = [[225, 340], [225, 180]]\n";
    let people = "source = \"vtest.avi\"\nclasses = [\"person\"]";
    stage.write(
        "w.toml",
        format!(
            "listen = \"127.0.0.1:0\"\n\
             [[camera]]\nname = \"decree\"\nprofile = \"fr-2021-269\"\nwindow_s = 1200\npace = 40\n{people}\n{line}\
             [[camera]]\nname = \"street\"\npace = 40\n{people}\n{line}\
             [[camera]]\nname = \"still running\"\npace = 0.1\n{people}\n{line}"
        ),
    );
    let running = stage.start(&mut stage.outis(&["watch", "w.toml"]));
    let browser = Browser::open(&stage, "en", 1280);
    browser.go(&format!("http://{}/", running.page()));
    let ended = "document.body.innerText.split('counted to its end').length";
    wait_for("two ends", || (browser.value(ended) == 3).then_some(()));
    let texts = |camera: u32, part: &str| {
        let all = format!("document.querySelectorAll('.camera')[{camera}].querySelectorAll('{part}')");
        browser.text(&format!("[...{all}].map((e) => e.textContent).join(' ')"))
    };
    // Few pass in 20 seconds: mostly nothing is told, and never a number under five.
    for (camera, pills) in [(0, 1), (1, 2), (2, 2)] {
        let numbers = texts(camera, ".pill-number");
        assert_eq!(numbers.split(' ').count(), pills, "{numbers}");
        let told = |number: &str| number == "–" || number.parse::<u32>().is_ok_and(|number| number >= 5);
        assert!(numbers.split(' ').all(told), "{numbers}");
    }
    assert_eq!(texts(2, ".pill-number"), "– –", "before the first window");
    assert!(texts(0, ".terms").contains("fr-2021-269") && texts(1, ".terms").contains("fewer than 5"));
    assert!(texts(2, ".terms").contains("end of each window"), "{}", texts(2, ".terms"));
    assert!(!texts(1, ".now h3").contains("now"), "{}", texts(1, ".now h3"));
}
