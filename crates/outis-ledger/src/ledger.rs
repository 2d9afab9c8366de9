//! A device's whole ledger: key, signed windows and log, kept together through crashes and full disks.
//!
//! ```text
//! STATE/device.key           the secret key                 for the owner only
//! STATE/running/             windows that are not over      for the owner only
//! STATE/public/device.vkey   the public key                 ┐
//! STATE/public/windows/      signed windows                 │ for everybody; windows only if released
//! STATE/public/checkpoint    the newest state of the log    │
//! STATE/public/tile/         the log                        ┘
//! ```

mod recovery;

use std::{
    collections::VecDeque,
    fs::{File, OpenOptions, TryLockError},
    io,
    path::{Path, PathBuf},
};

use crate::{
    DeviceKey, Digest, ENTRY_BYTES_MAX, ENVELOPE_BYTES_MAX, Entry, LedgerError, LogError, Moment, Notice,
    Part, PublicKey, Seal, WINDOWS_PER_FILE, What,
    clock::{Clock, Set, Stamp},
    durable::{self, Readers},
    envelope, handed,
    layout::{CHECKPOINT, PUBLIC_KEY, WINDOWS},
    log::Log,
    root,
    running::{Running, Unfinished},
    spool::Spool,
};

/// The most bytes of finished windows that wait in memory while the disk takes nothing.
const WAITING_BYTES_MAX: usize = 32 << 20;

/// The most entries that wait for the log while the disk takes nothing.
const UNLOGGED_MAX: usize = 4096;

/// More than everything in an envelope beside the payload.
const HEADER_BYTES_MAX: usize = 4096;

/// A window to be signed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Window {
    /// The camera's name.
    pub camera: String,
    /// Where it begins in the camera's time, in milliseconds.
    pub start_ms: i64,
    /// Its released totals, encoded.
    pub payload: Vec<u8>,
}

/// A device's ledger, open for one door.
#[derive(Debug)]
pub struct Ledger {
    key: DeviceKey,
    log: Log,
    spool: Spool,
    running: Running,
    keep_bytes: u64,
    /// Which run this is, and with which configuration; known from [`Ledger::start`] on.
    run: u64,
    configuration: Digest,
    next_sequence: u64,
    /// Digests of the windows logged since the last daily root.
    day: Vec<Digest>,
    clock: Clock,
    waiting: VecDeque<Window>,
    unlogged: Vec<Vec<u8>>,
    folder: PathBuf,
    /// Files of entries that others have handed in, and that wait among the unlogged.
    handed: Vec<PathBuf>,
    lost: u64,
    in_trouble: bool,
    not_kept: bool,
    notices: Vec<Notice>,
    _lock: File,
}

impl Ledger {
    /// Opens the ledger in a folder, or begins one. Finishes what an interrupted run has left.
    ///
    /// `keep_bytes` is how much room signed windows may take; the newest file of them is always kept. `readers` may
    /// read the windows: all, when they were released for all. The log holds digests only, and is for all.
    ///
    /// # Errors
    /// When the folder cannot be written, is in use, or holds what cannot be continued.
    pub fn open(folder: &Path, keep_bytes: u64, readers: Readers, now: Moment) -> Result<Self, LedgerError> {
        let cannot = |error| LedgerError::Folder { folder: folder.to_owned(), error };
        let public = folder.join("public");
        durable::make_folder(&public, Readers::All).map_err(cannot)?;
        let lock = OpenOptions::new().write(true).create(true).truncate(false).open(folder.join("lock"));
        let lock = lock.map_err(cannot)?;
        lock.try_lock().map_err(|error| match error {
            TryLockError::WouldBlock => LedgerError::InUse(folder.to_owned()),
            TryLockError::Error(error) => cannot(error),
        })?;
        let (key, new) = device_key(folder, &public)?;
        let vkey = format!("{}\n", key.public());
        let published = durable::read(&public.join(PUBLIC_KEY), 4096).map_err(cannot)?;
        if published.as_deref() != Some(vkey.as_bytes()) {
            durable::replace(&folder.join("draft"), &public.join(PUBLIC_KEY), vkey.as_bytes(), Readers::All)
                .map_err(cannot)?;
        }
        let broken = |error| LedgerError::Log { folder: folder.to_owned(), error };
        let (log, entries) = Log::open(&public, folder, &key).map_err(broken)?;
        let spool = Spool::open(&public, readers).map_err(cannot)?;
        if entries.is_empty() && spool.bytes() > 0 {
            // A new log of the same key would contradict the one that is gone.
            return Err(broken(LogError::Broken("it has windows and no checkpoint".into())));
        }
        let mut ledger = Self {
            spool,
            running: Running::open(folder).map_err(cannot)?,
            log,
            keep_bytes,
            run: 0,
            configuration: Digest::of(b""),
            next_sequence: 0,
            day: Vec::new(),
            clock: Clock::default(),
            waiting: VecDeque::new(),
            unlogged: Vec::new(),
            folder: folder.to_owned(),
            handed: Vec::new(),
            lost: 0,
            in_trouble: false,
            not_kept: false,
            notices: new.then(|| Notice::NewDevice(key.public().name().to_owned())).into_iter().collect(),
            key,
            _lock: lock,
        };
        let dropped_to = ledger.replay(&entries);
        ledger.recover(dropped_to, now).map_err(cannot)?;
        Ok(ledger)
    }

    /// Begins a run: logs what it works with. Nothing may be looked at before this has returned.
    ///
    /// # Errors
    /// When it cannot be logged.
    pub fn start(&mut self, parts: Vec<Part>, now: Moment) -> Result<(), LedgerError> {
        let what = What::Start { run: self.run, parts };
        self.configuration = what.configuration().unwrap_or(self.configuration);
        let length = Entry { at_s: now.wall_s, what: what.clone() }.encode().len();
        if length > ENTRY_BYTES_MAX {
            return Err(LedgerError::Start(length));
        }
        self.note(what, now);
        self.try_settle(now).map_err(LedgerError::NotLogged)
    }

    /// Ends the run in order and begins the next with other parts. What was finished before is of the old run.
    ///
    /// # Errors
    /// When it cannot be logged: then the old run goes on.
    pub fn restart(&mut self, parts: Vec<Part>, now: Moment) -> Result<(), LedgerError> {
        // Whatever waits is of the old run.
        self.try_settle(now).map_err(LedgerError::NotLogged)?;
        let before = (self.run, self.configuration, self.clock.clone(), self.day.clone());
        self.note(What::Stop { run: self.run }, now);
        self.run += 1;
        self.start(parts, now).inspect_err(|_| {
            // Nothing of it was published: as if it had not been asked for.
            self.unlogged.clear();
            (self.run, self.configuration, self.clock, self.day) = before;
        })
    }

    /// Signs a finished window. When the disk takes nothing it waits in memory, within limits.
    pub fn finish(&mut self, window: Window, now: Moment) {
        if window.payload.len() + HEADER_BYTES_MAX > ENVELOPE_BYTES_MAX {
            self.lose();
        } else {
            self.waiting.push_back(window);
        }
        let bytes =
            |waiting: &VecDeque<Window>| waiting.iter().map(|window| window.payload.len()).sum::<usize>();
        while bytes(&self.waiting) > WAITING_BYTES_MAX {
            self.waiting.pop_front();
            self.lose();
        }
        self.settle(now);
    }

    fn lose(&mut self) {
        self.lost += 1;
        self.notices.push(Notice::Lost(1));
    }

    /// Logs that a camera was paused.
    pub fn paused(&mut self, camera: &str, seconds: u64, now: Moment) {
        self.note(What::Paused { camera: camera.to_owned(), seconds }, now);
        self.settle(now);
    }

    /// Logs that somebody was shown a picture of the street with nobody in it, made of so many moments.
    ///
    /// # Errors
    /// When it cannot be logged: then it must not be shown.
    pub fn still(&mut self, camera: &str, moments: u64, now: Moment) -> Result<(), LedgerError> {
        self.note(What::Still { camera: camera.to_owned(), moments }, now);
        self.try_settle(now).map_err(LedgerError::StillNotLogged)
    }

    /// Logs what other programs of this device have [handed in](crate::hand_in), with the time at which it is taken.
    pub fn take_handed_in(&mut self, now: Moment) {
        if self.is_waiting() {
            return;
        }
        // A folder that cannot be read has nothing for us: whoever waits there for an answer will say so.
        for (file, entry) in handed::waiting(&self.folder).unwrap_or_default() {
            self.note(entry.what, now);
            self.handed.push(file);
        }
        if self.is_waiting() {
            self.settle(now);
        }
    }

    /// Keeps what would be told of a running window if the power were cut now.
    pub fn keep_running(&mut self, window: Window) {
        let Window { camera, start_ms, payload } = window;
        let (run, configuration) = (self.run, self.configuration);
        let kept = self.running.keep(&Unfinished { run, camera, start_ms, configuration, payload });
        match kept {
            Ok(()) => self.not_kept = false,
            Err(error) if !self.not_kept => {
                self.not_kept = true;
                self.notices.push(Notice::NotKept(error.to_string()));
            }
            Err(_) => {}
        }
    }

    /// Forgets a running window that shall not be told.
    pub fn forget_running(&mut self, camera: &str) {
        if let Err(error) = self.running.forget(camera) {
            self.notices.push(Notice::NotKept(error.to_string()));
        }
    }

    /// Writes what waits, if the disk takes it.
    pub fn settle(&mut self, now: Moment) {
        match self.try_settle(now) {
            Ok(()) if self.in_trouble => {
                self.in_trouble = false;
                self.notices.push(Notice::Resumed);
            }
            Ok(()) => {}
            Err(error) => {
                if !self.in_trouble {
                    let (windows, entries) = (self.waiting.len(), self.unlogged.len());
                    self.notices.push(Notice::Waiting { windows, entries, error: error.to_string() });
                }
                self.in_trouble = true;
            }
        }
    }

    /// Ends the run in order.
    ///
    /// # Errors
    /// When something could not be written.
    pub fn stop(mut self, now: Moment) -> Result<(), LedgerError> {
        self.note(What::Stop { run: self.run }, now);
        self.try_settle(now).map_err(|error| LedgerError::Unwritten {
            windows: self.waiting.len(),
            entries: self.unlogged.len(),
            error: error.to_string(),
        })
    }

    /// What the owner should hear of, since the last call.
    pub fn take_notices(&mut self) -> Vec<Notice> {
        std::mem::take(&mut self.notices)
    }

    /// Whether a window of a run with a payload of this digest, in hexadecimal, is among the newest that were signed.
    pub fn has_signed(&self, run: u64, camera: &str, start_ms: i64, payload: &str) -> bool {
        let key = self.key.public();
        self.spool.firsts().rev().take(2).any(|first| {
            let windows = self.spool.read(first).unwrap_or_default();
            windows.iter().filter_map(|bytes| envelope::open(bytes, &key).ok()).any(|(seal, signed)| {
                // A file that is watched again has the same windows again, in another run.
                (seal.run, seal.camera.as_str(), seal.start_ms) == (run, camera, start_ms)
                    && Digest::of(&signed).to_string() == payload
            })
        })
    }

    /// Whether windows wait for a disk that takes them.
    pub fn is_waiting(&self) -> bool {
        !self.waiting.is_empty() || !self.unlogged.is_empty()
    }

    /// Which run of the device this is, from 0.
    pub fn run(&self) -> u64 {
        self.run
    }

    /// The device.
    pub fn device(&self) -> PublicKey {
        self.key.public()
    }

    fn try_settle(&mut self, now: Moment) -> Result<(), LogError> {
        let io = |error| LogError::Io { what: "the files of windows".into(), error };
        while let Some(window) = self.waiting.front().filter(|_| self.unlogged.len() < UNLOGGED_MAX) {
            let Window { camera, start_ms, payload } = window.clone();
            let (sequence, run, configuration) = (self.next_sequence, self.run, self.configuration);
            let seal = Seal { sequence, run, camera: camera.clone(), start_ms, configuration };
            self.sign(seal, payload, now).map_err(io)?;
            self.waiting.pop_front();
            // If it stays, the next start sees that this window is signed.
            let _ = self.running.forget(&camera);
        }
        if self.lost > 0 {
            let windows = std::mem::take(&mut self.lost);
            self.note(What::Lost { windows }, now);
        }
        self.write_log()?;
        self.make_room(now)
    }

    fn write_log(&mut self) -> Result<(), LogError> {
        if !self.unlogged.is_empty() {
            self.log.append(&self.unlogged, &self.key)?;
            self.unlogged.clear();
            for file in self.handed.drain(..) {
                // If it stays, it is logged once more: the same is said twice, and nothing is missing.
                let _ = durable::remove(&file);
            }
        }
        Ok(())
    }

    /// Drops the oldest files of windows when there are too many bytes; the log knows of it first.
    fn make_room(&mut self, now: Moment) -> Result<(), LogError> {
        while self.spool.bytes() > self.keep_bytes && self.spool.firsts().count() > 1 {
            let Some(first) = self.spool.firsts().next() else { break };
            let windows = WINDOWS_PER_FILE;
            self.note(What::Dropped { first, windows }, now);
            self.write_log()?;
            self.spool.remove(first).map_err(|error| LogError::Io { what: "an old file".into(), error })?;
            self.notices.push(Notice::Dropped { first, windows });
        }
        Ok(())
    }

    /// Signs a window and puts it on the disk: from here on it is done.
    fn sign(&mut self, seal: Seal, payload: Vec<u8>, now: Moment) -> io::Result<()> {
        let bytes = envelope::seal(&seal, payload, &self.key);
        self.spool.append(seal.sequence, &bytes)?;
        self.log_window(&seal, &bytes, now);
        Ok(())
    }

    fn log_window(&mut self, seal: &Seal, bytes: &[u8], now: Moment) {
        let envelope = Digest::of(bytes);
        self.note(What::Window { sequence: seal.sequence, envelope }, now);
        self.day.push(envelope);
        self.next_sequence = seal.sequence + 1;
    }

    /// Puts an entry into the queue for the log, with the time that it will have; before it what follows from the time.
    fn note(&mut self, what: What, now: Moment) {
        let Stamp { at_s, set, day_over } = self.clock.stamp(now);
        if let Some(Set { before_s, by_s }) = set {
            self.unlogged.push(Entry { at_s, what: What::Clock { before_s } }.encode());
            self.notices.push(Notice::Clock { by_s });
        }
        if let Some(day) = day_over.filter(|_| !self.day.is_empty()) {
            let digests = std::mem::take(&mut self.day);
            let what = What::Day { day, windows: digests.len() as u64, root: root(&digests) };
            self.unlogged.push(Entry { at_s, what }.encode());
        }
        self.unlogged.push(Entry { at_s, what }.encode());
    }
}

/// The key of a folder, and whether it is a new one.
fn device_key(folder: &Path, public: &Path) -> Result<(DeviceKey, bool), LedgerError> {
    let path = folder.join("device.key");
    if let Some(key) = DeviceKey::load(&path)? {
        return Ok((key, false));
    }
    if public.join(CHECKPOINT).exists() || public.join(WINDOWS).exists() {
        return Err(LedgerError::NoKey(folder.to_owned()));
    }
    let key = DeviceKey::generate()?;
    key.store(&path)?;
    Ok((key, true))
}
