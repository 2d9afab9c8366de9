//! Loudspeakers and others that hear of alerts: one file a kind of target.
//!
//! Messages are sound before anything is watched; here is no decoder and no picture. A loudspeaker has a thread of its own,
//! because packets of sound leave on time whatever the disk does; hooks and brokers are told beside.

mod card;
mod g711;
mod http;
mod mqtt;
mod policy;
mod rtp;
mod sound;
pub(crate) mod speak;
mod speech;
mod wav;

use std::{
    collections::BTreeMap,
    fmt, io,
    ops::RangeInclusive,
    path::{Path, PathBuf},
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
        mpsc::{SyncSender, TrySendError, sync_channel},
    },
    thread::{self, JoinHandle},
    time::{Duration, Instant},
};

use anyhow::Context;
use jiff::{Timestamp, tz::TimeZone};
use outis_record::AlertKind;
use serde::Deserialize;
use tokio::{sync::mpsc, task, time::timeout};

use self::{
    card::{Card, CardConfig},
    http::{Http, HttpConfig},
    mqtt::{Mqtt, MqttConfig},
    policy::{Decision, Policy, Quiet},
    rtp::{Rtp, RtpConfig},
    speech::{Language, MessageConfig, Messages},
};

/// The most targets of each kind.
const TARGETS_MAX: usize = 32;

/// How much louder or quieter a message may be made, in decibels.
const GAIN_DB: RangeInclusive<f32> = -40.0..=40.0;

/// The longest time between two messages in seconds: a day.
const COOL_DOWN_S_MAX: u32 = 86_400;

/// How long a hook or a broker may take for one alert.
const TELL_WAIT: Duration = Duration::from_secs(5);

/// How many alerts may wait for a hook or a broker; more are left out, and that is said.
const TELLS_MAX: usize = 16;

/// Section `[speaker]`.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct SpeakerConfig {
    #[serde(default = "languages")]
    languages: Vec<Language>,
    #[serde(default)]
    gain_db: f32,
    #[serde(default = "cool_down_s")]
    cool_down_s: u32,
    #[serde(default)]
    quiet: Vec<Quiet>,
    time_zone: Option<String>,
    #[serde(default)]
    dry_run: bool,
    folder: Option<PathBuf>,
    #[serde(default)]
    message: Vec<MessageConfig>,
    #[serde(default)]
    card: Vec<CardConfig>,
    #[serde(default)]
    rtp: Vec<RtpConfig>,
    #[serde(default)]
    http: Vec<HttpConfig>,
    #[serde(default)]
    mqtt: Vec<MqttConfig>,
}

fn languages() -> Vec<Language> {
    vec![Language::Fr, Language::En]
}

fn cool_down_s() -> u32 {
    60
}

/// A section `[speaker]` that can be used.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct SpeakerPlan {
    policy: Policy,
    zone: TimeZone,
    gain_db: f32,
    pub(crate) messages: Messages,
    voices: Vec<(VoicePlan, Hears)>,
    wires: Vec<(Wire, Hears)>,
}

#[derive(Debug, Clone, PartialEq)]
enum VoicePlan {
    Card(CardConfig),
    Rtp(RtpConfig),
}

/// Who is told by wire.
#[derive(Debug, Clone, PartialEq)]
enum Wire {
    Http(Http),
    Mqtt(Mqtt),
}

/// Of which cameras a target hears, by their names; none are all.
type Hears = Vec<String>;

impl SpeakerConfig {
    /// Checks the section. Paths in it are relative to the folder `beside`; messages are kept in `state` unless it says
    /// otherwise.
    ///
    /// # Errors
    /// Says what to change.
    pub(crate) fn check(self, beside: &Path, state: &Path, cameras: &[&str]) -> Result<SpeakerPlan, String> {
        if !GAIN_DB.contains(&self.gain_db) {
            return Err(format!(
                "gain_db is {}; {} to {} are possible",
                self.gain_db,
                GAIN_DB.start(),
                GAIN_DB.end()
            ));
        }
        if self.cool_down_s > COOL_DOWN_S_MAX {
            return Err(format!(
                "cool_down_s is {}; at most {COOL_DOWN_S_MAX} are possible",
                self.cool_down_s
            ));
        }
        let zone = match &self.time_zone {
            None => TimeZone::system(),
            Some(name) => TimeZone::get(name).map_err(|_| {
                format!("time_zone: \"{name}\" is not known here; one such as \"Europe/Paris\" is needed")
            })?,
        };
        for (kind, targets) in [
            ("card", self.card.len()),
            ("rtp", self.rtp.len()),
            ("http", self.http.len()),
            ("mqtt", self.mqtt.len()),
        ] {
            if targets > TARGETS_MAX {
                return Err(format!(
                    "{targets} sections [[speaker.{kind}]]; at most {TARGETS_MAX} are possible"
                ));
            }
        }
        let hears = |names: &[String]| match names.iter().find(|name| !cameras.contains(&name.as_str())) {
            Some(name) => Err(format!("cameras: there is no camera \"{name}\"")),
            None => Ok(names.to_vec()),
        };
        let (mut voices, mut wires) = (Vec::new(), Vec::new());
        for card in self.card {
            let cameras = hears(&card.cameras)?;
            voices.push((VoicePlan::Card(card), cameras));
        }
        for rtp in self.rtp {
            rtp.check().map_err(|error| format!("rtp: {error}"))?;
            let cameras = hears(&rtp.cameras)?;
            voices.push((VoicePlan::Rtp(rtp), cameras));
        }
        for http in &self.http {
            wires.push((Wire::Http(Http::new(http, beside)?), hears(&http.cameras)?));
        }
        for mqtt in &self.mqtt {
            wires.push((Wire::Mqtt(Mqtt::new(mqtt, beside)?), hears(&mqtt.cameras)?));
        }
        if voices.is_empty() && wires.is_empty() {
            return Err(
                "nobody hears it: add a section [[speaker.rtp]], [[speaker.card]], [[speaker.http]] or \
                        [[speaker.mqtt]]"
                    .into(),
            );
        }
        let folder = self.folder.map_or_else(|| state.join("messages"), |folder| beside.join(folder));
        let cool_down = Duration::from_secs(self.cool_down_s.into());
        Ok(SpeakerPlan {
            policy: Policy { quiet: self.quiet, cool_down, dry_run: self.dry_run },
            zone,
            gain_db: self.gain_db,
            messages: Messages::new(&self.languages, self.message, folder, beside)?,
            voices,
            wires,
        })
    }
}

impl SpeakerPlan {
    /// Who hears of the alerts of a camera.
    pub(crate) fn hearers(&self, camera: &str) -> Vec<String> {
        let voices = self.voices.iter().map(|(voice, cameras)| (voice.to_string(), cameras));
        let wires = self.wires.iter().map(|(wire, cameras)| (wire.to_string(), cameras));
        let all = voices.chain(wires).filter(|(_, cameras)| hears(cameras, camera));
        all.map(|(name, _)| name).collect()
    }
}

/// Whether a target hears of a camera.
fn hears(cameras: &Hears, camera: &str) -> bool {
    cameras.is_empty() || cameras.iter().any(|name| name == camera)
}

/// Why a loudspeaker said nothing.
#[derive(Debug, thiserror::Error)]
pub(crate) enum VoiceError {
    #[error("nothing can be sent: {0}")]
    Send(io::Error),
    #[error("its machine answers that nobody listens at this port")]
    NobodyListens,
    #[error("`aplay` is not here: install the package `alsa-utils`")]
    NoPlayer,
    #[error("`aplay` failed: {0}; is there a sound card? `aplay -l` lists them, and `device` names one")]
    Player(String),
}

/// A message, ready to be played.
#[derive(Debug, Clone)]
struct Clip {
    bytes: Arc<[u8]>,
    length_s: f32,
}

/// Everything that hears of alerts, at work.
#[derive(Debug)]
pub(crate) struct Speaker {
    policy: Policy,
    zone: TimeZone,
    begun: Instant,
    voices: Vec<Voice>,
    wires: Vec<Told>,
    quit: Arc<AtomicBool>,
}

/// A loudspeaker and its thread.
#[derive(Debug)]
struct Voice {
    name: String,
    hears: Hears,
    clips: BTreeMap<AlertKind, Clip>,
    /// When it spoke last.
    last: Option<Duration>,
    orders: SyncSender<Clip>,
    thread: JoinHandle<()>,
}

/// A hook or a broker and its task.
#[derive(Debug)]
struct Told {
    name: String,
    hears: Hears,
    lines: mpsc::Sender<String>,
    task: task::JoinHandle<()>,
}

enum Target {
    Card(Card),
    Rtp(Rtp),
}

impl Speaker {
    /// Makes the messages ready and opens the ways to all targets. Called on the runtime that is to tell the hooks.
    ///
    /// # Errors
    /// When a message cannot be spoken or read. A loudspeaker that cannot be reached is told when it is to speak.
    pub(crate) fn start(plan: SpeakerPlan) -> anyhow::Result<Self> {
        let SpeakerPlan { policy, zone, gain_db, messages, voices, wires } = plan;
        if !voices.is_empty() {
            messages.speak()?;
        }
        let quit = Arc::new(AtomicBool::new(false));
        let voices =
            voices.into_iter().map(|(voice, hears)| Voice::start(voice, hears, &messages, gain_db, &quit));
        Ok(Self {
            policy,
            zone,
            begun: Instant::now(),
            voices: voices.collect::<anyhow::Result<_>>()?,
            wires: wires.into_iter().map(|(wire, hears)| Told::start(wire, hears)).collect(),
            quit,
        })
    }

    /// Passes an alert of a camera on to all that hear of it.
    pub(crate) fn alert(&mut self, camera: &str, kind: AlertKind, json: &str, at: Timestamp) {
        let (time_of_day, now) = (self.zone.to_datetime(at).time(), self.begun.elapsed());
        for voice in self.voices.iter_mut().filter(|voice| hears(&voice.hears, camera)) {
            let decision = self.policy.decide(time_of_day, now, voice.last);
            voice.obey(decision, kind, now);
        }
        for wire in self.wires.iter().filter(|wire| hears(&wire.hears, camera)) {
            if self.policy.dry_run {
                eprintln!("{}: would be told (dry run)", wire.name);
            } else if wire.lines.try_send(json.to_owned()).is_err() {
                eprintln!("error: {}: too slow; an alert was left out", wire.name);
            }
        }
    }

    /// Ends: what is being said is said to its end, unless it was to stop.
    pub(crate) async fn close(self, stopped: bool) {
        self.quit.store(stopped, Ordering::Relaxed);
        for Voice { orders, thread, .. } in self.voices {
            drop(orders);
            // A thread that panicked has said so itself.
            let _ = task::spawn_blocking(move || thread.join()).await;
        }
        for Told { lines, task, .. } in self.wires {
            drop(lines);
            let _ = task.await;
        }
    }
}

impl Voice {
    fn start(
        plan: VoicePlan,
        hears: Hears,
        messages: &Messages,
        gain_db: f32,
        quit: &Arc<AtomicBool>,
    ) -> anyhow::Result<Self> {
        let name = plan.to_string();
        let mut target = match plan {
            VoicePlan::Card(card) => Target::Card(Card::new(&card)),
            VoicePlan::Rtp(config) => Target::Rtp(Rtp::new(config).context("no random bits")?),
        };
        let mut clips = BTreeMap::new();
        for kind in AlertKind::ALL {
            let sound = messages.sound(kind)?.amplified(gain_db);
            let bytes = match &target {
                Target::Card(card) => card.prepare(&sound),
                Target::Rtp(rtp) => rtp.prepare(&sound),
            };
            clips.insert(kind, Clip { bytes: bytes.into(), length_s: sound.length_s() });
        }
        // One may wait while another is said: with a cool-down shorter than a message.
        let (orders, clips_to_play) = sync_channel::<Clip>(1);
        let (said_by, quit) = (name.clone(), Arc::clone(quit));
        let thread = thread::Builder::new().name("loudspeaker".into()).spawn(move || {
            for clip in clips_to_play {
                if let Err(error) = target.play(&clip, &quit) {
                    eprintln!("error: {said_by}: {error}");
                }
            }
        });
        Ok(Self { name, hears, clips, last: None, orders, thread: thread.context("a thread")? })
    }

    fn obey(&mut self, decision: Decision, kind: AlertKind, now: Duration) {
        let name = &self.name;
        match decision {
            Decision::Speak => {
                let Some(clip) = self.clips.get(&kind) else { return };
                match self.orders.try_send(clip.clone()) {
                    Ok(()) => self.last = Some(now),
                    Err(TrySendError::Full(_)) => eprintln!("{name}: still speaking"),
                    Err(TrySendError::Disconnected(_)) => eprintln!("error: {name}: its thread has ended"),
                }
            }
            Decision::DryRun => {
                self.last = Some(now);
                eprintln!("{name}: would say {} (dry run)", kind.name());
            }
            Decision::Quiet => eprintln!("{name}: silent in quiet hours"),
            Decision::Cooling => eprintln!("{name}: has spoken not long ago"),
        }
    }
}

impl Target {
    fn play(&mut self, clip: &Clip, quit: &AtomicBool) -> Result<(), VoiceError> {
        match self {
            Self::Card(card) => card.play(&clip.bytes, clip.length_s, quit),
            Self::Rtp(rtp) => rtp.play(&clip.bytes, quit),
        }
    }
}

impl Told {
    fn start(wire: Wire, hears: Hears) -> Self {
        let name = wire.to_string();
        let (lines, mut waiting) = mpsc::channel::<String>(TELLS_MAX);
        let said_by = name.clone();
        let task = tokio::spawn(async move {
            while let Some(json) = waiting.recv().await {
                match timeout(TELL_WAIT, wire.tell(&json)).await {
                    Ok(Ok(())) => {}
                    Ok(Err(error)) => eprintln!("error: {said_by}: {error:#}"),
                    Err(_) => eprintln!("error: {said_by}: no answer within {} s", TELL_WAIT.as_secs()),
                }
            }
        });
        Self { name, hears, lines, task }
    }
}

impl Wire {
    async fn tell(&self, json: &str) -> anyhow::Result<()> {
        match self {
            Self::Http(http) => http.post(json).await,
            Self::Mqtt(mqtt) => mqtt.publish(json).await,
        }
    }
}

impl fmt::Display for VoicePlan {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Card(_) => f.write_str("sound card"),
            Self::Rtp(rtp) => write!(f, "loudspeaker {}", rtp.address),
        }
    }
}

impl fmt::Display for Wire {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Http(http) => f.write_str(&http.place()),
            Self::Mqtt(mqtt) => f.write_str(&mqtt.place()),
        }
    }
}
