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

use std::{
    collections::VecDeque,
    fmt,
    fs::{File, OpenOptions, TryLockError},
    io,
    path::{Path, PathBuf},
};

use crate::{
    DeviceKey, Digest, ENTRY_BYTES_MAX, ENVELOPE_BYTES_MAX, Entry, KeyError, PublicKey, Seal,
    WINDOWS_PER_FILE, What,
    durable::{self, Readers},
    envelope,
    layout::{CHECKPOINT, PUBLIC_KEY},
    log::{Log, LogError},
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

/// A difference between two clocks that is a clock being set, in seconds.
const CLOCK_JUMP_S: i64 = 10;

const DAY_S: i64 = 86_400;

/// What the clocks say.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Moment {
    /// The clock on the wall, in seconds from the Unix epoch. It may be set.
    pub wall_s: i64,
    /// A clock that nobody can set, in milliseconds from any moment.
    pub steady_ms: u64,
}

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

/// Something the owner should hear of.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Notice {
    /// A new device key and a new log.
    NewDevice(String),
    /// The last run did not end in order.
    Interrupted {
        /// Windows that were signed and are now logged.
        logged: u64,
        /// Windows that were running, and are now signed as they were last known.
        recovered: u64,
        /// Bytes of a torn end that were cut off.
        torn_bytes: u64,
    },
    /// Nothing can be written.
    Waiting {
        /// Windows in memory.
        windows: usize,
        /// Entries for the log in memory.
        entries: usize,
        /// What the file system said.
        error: String,
    },
    /// Everything is written again.
    Resumed,
    /// The oldest windows in memory had to go.
    Lost(u64),
    /// The oldest signed windows had to go.
    Dropped {
        /// The first of them.
        first: u64,
        /// How many.
        windows: u64,
    },
    /// The clock was set.
    Clock {
        /// By how many seconds.
        by_s: i64,
    },
    /// The running windows cannot be kept.
    NotKept(String),
}

impl fmt::Display for Notice {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NewDevice(name) => write!(f, "a new device key was made; the log is \"{name}\""),
            Self::Interrupted { logged, recovered, torn_bytes } => write!(
                f,
                "the last run did not end in order: {recovered} unfinished windows were recovered as partial, \
                 {logged} signed windows were added to the log, {torn_bytes} torn bytes were cut off"
            ),
            Self::Waiting { windows, entries, error } => write!(
                f,
                "nothing can be written ({error}); finished windows that wait in memory: {windows}, entries for the \
                 log: {entries}; make room on the disk"
            ),
            Self::Resumed => f.write_str("the disk takes data again; all that waited is written"),
            Self::Lost(windows) => {
                write!(f, "LOST: {windows} of the windows in memory, the oldest, for want of room")
            }
            Self::Dropped { first, windows } => write!(
                f,
                "DROPPED: signed windows {first} to {}, the oldest, because the spool is full (see `keep_mb`)",
                first + windows.saturating_sub(1)
            ),
            Self::Clock { by_s } => write!(f, "the clock was set by {by_s} s; the log says so"),
            Self::NotKept(error) => {
                write!(f, "the running windows cannot be kept ({error}); a crash would lose them")
            }
        }
    }
}

/// Why there is no ledger to write to.
#[derive(Debug, thiserror::Error)]
pub enum LedgerError {
    /// The folder cannot be used.
    #[error("the state folder {} cannot be used: {error}; see `state` in the configuration", folder.display())]
    Folder {
        /// The folder.
        folder: PathBuf,
        /// What the file system said.
        error: io::Error,
    },
    /// Somebody else works in it.
    #[error("another outis works in the state folder {}: name another one by `state`", .0.display())]
    InUse(PathBuf),
    /// No key.
    #[error(transparent)]
    Key(#[from] KeyError),
    /// The key is gone, and a log is there.
    #[error(
        "{} has a log and no device key: put the key back, or move the whole folder away so that a new device key \
         begins a new log", .0.display()
    )]
    NoKey(PathBuf),
    /// The log cannot be continued.
    #[error(
        "{}: {error}; run `outis verify` on its public folder, then mend it, or move the whole folder away so that \
         a new device key begins a new log", folder.display()
    )]
    Log {
        /// The folder.
        folder: PathBuf,
        /// What is wrong.
        error: LogError,
    },
    /// More than an entry can say.
    #[error("the start has too many parts for one entry of the log: {0} bytes")]
    Start(usize),
    /// The log takes nothing.
    #[error("the log cannot be written ({0}), and nothing is watched before its configuration is on record")]
    NotLogged(LogError),
    /// At the end, windows or entries were still in memory.
    #[error("finished windows that could not be written: {windows}, entries of the log: {entries} ({error})")]
    Unwritten {
        /// How many.
        windows: usize,
        /// How many.
        entries: usize,
        /// What the file system said.
        error: String,
    },
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
    /// Time of the newest entry.
    newest_s: Option<i64>,
    /// What the clocks said then.
    clocks: Option<Moment>,
    waiting: VecDeque<Window>,
    unlogged: Vec<Vec<u8>>,
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
        let mut ledger = Self {
            spool: Spool::open(&public, readers).map_err(cannot)?,
            running: Running::open(folder).map_err(cannot)?,
            log,
            keep_bytes,
            run: 0,
            configuration: Digest::of(b""),
            next_sequence: 0,
            day: Vec::new(),
            newest_s: None,
            clocks: None,
            waiting: VecDeque::new(),
            unlogged: Vec::new(),
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
    pub fn start(&mut self, parts: Vec<crate::Part>, now: Moment) -> Result<(), LedgerError> {
        let what = What::Start { run: self.run, parts };
        self.configuration = what.configuration().unwrap_or(self.configuration);
        let length = Entry { at_s: now.wall_s, what: what.clone() }.encode().len();
        if length > ENTRY_BYTES_MAX {
            return Err(LedgerError::Start(length));
        }
        self.note(what, now);
        self.try_settle(now).map_err(LedgerError::NotLogged)
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

    /// Takes from the log what a new run must know. Returns the first window that was not dropped.
    fn replay(&mut self, entries: &[Entry]) -> u64 {
        let mut dropped_to = 0;
        let mut ended = true;
        for Entry { at_s, what } in entries {
            self.newest_s = Some(*at_s);
            match what {
                What::Start { run, .. } => {
                    (self.run, ended) = (*run, false);
                    self.configuration = what.configuration().unwrap_or(self.configuration);
                }
                What::Stop { .. } => ended = true,
                What::Window { sequence, envelope } => {
                    self.next_sequence = sequence + 1;
                    self.day.push(*envelope);
                }
                What::Day { .. } => self.day.clear(),
                What::Dropped { first, windows } => dropped_to = first + windows,
                What::Paused { .. } | What::Lost { .. } | What::Clock { .. } => {}
            }
        }
        if !ended {
            self.notices.push(Notice::Interrupted { logged: 0, recovered: 0, torn_bytes: 0 });
        }
        dropped_to
    }

    /// Logs windows that were signed and not logged, signs those that were running, and counts the run on.
    fn recover(&mut self, dropped_to: u64, now: Moment) -> io::Result<()> {
        for first in self.spool.firsts().collect::<Vec<_>>() {
            if first + WINDOWS_PER_FILE <= dropped_to {
                self.spool.remove(first)?;
            }
        }
        let before = self.next_sequence;
        let mut torn_bytes = 0;
        // The windows of the last two files: as far back as a window can be that is still kept as running.
        let mut newest: Vec<Seal> = Vec::new();
        for first in self.spool.firsts().collect::<Vec<_>>() {
            let unlogged = first + WINDOWS_PER_FILE > before;
            let recent = first + 2 * WINDOWS_PER_FILE > before;
            if !unlogged && !recent {
                continue;
            }
            let logged_here = before.saturating_sub(first).min(WINDOWS_PER_FILE);
            let mut whole = 0;
            for bytes in self.spool.read(first)? {
                let seal = envelope::open(&bytes, &self.key.public()).ok().map(|(seal, _)| seal);
                match seal {
                    Some(seal) if seal.sequence < before => newest.push(seal),
                    Some(seal) if seal.sequence == self.next_sequence => {
                        self.log_window(&seal, &bytes, now);
                        newest.push(seal);
                    }
                    // Not what the device has written: where windows are logged it is for `outis verify` to find,
                    // behind them it is torn.
                    _ if (whole as u64) < logged_here => {}
                    _ => break,
                }
                whole += 1;
            }
            if unlogged {
                torn_bytes += self.spool.cut(first, whole)?;
            }
        }
        let logged = self.next_sequence - before;
        let mut recovered = 0;
        for window in self.running.left()? {
            let done = |seal: &Seal| {
                (seal.run, &seal.camera) == (window.run, &window.camera) && seal.start_ms >= window.start_ms
            };
            if !newest.iter().any(done) {
                let Unfinished { run, camera, start_ms, configuration, payload } = window.clone();
                let seal = Seal { sequence: self.next_sequence, run, camera, start_ms, configuration };
                self.sign(seal, payload, now)?;
                recovered += 1;
            }
            self.running.forget(&window.camera)?;
        }
        if self.newest_s.is_some() {
            self.run += 1;
        }
        let found = Notice::Interrupted { logged, recovered, torn_bytes };
        match self.notices.iter_mut().find(|notice| matches!(notice, Notice::Interrupted { .. })) {
            Some(notice) => *notice = found,
            None if logged + recovered + torn_bytes > 0 => self.notices.push(found),
            None => {}
        }
        Ok(())
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

    /// Puts an entry into the queue for the log, with the time that it will have.
    fn note(&mut self, what: What, now: Moment) {
        let at_s = self.stamp(now);
        self.unlogged.push(Entry { at_s, what }.encode());
    }

    /// The time of a new entry. It never runs backwards, unless the log says that the clock was set; and closes the
    /// day when a new one has begun.
    fn stamp(&mut self, now: Moment) -> i64 {
        let newest_s = self.newest_s.unwrap_or(now.wall_s);
        let expected_s = self.clocks.map_or(now.wall_s.max(newest_s), |then| {
            let elapsed_ms = now.steady_ms.saturating_sub(then.steady_ms);
            then.wall_s.saturating_add(i64::try_from(elapsed_ms / 1000).unwrap_or(i64::MAX))
        });
        let by_s = now.wall_s.saturating_sub(expected_s);
        let at_s = if by_s.abs() > CLOCK_JUMP_S {
            let what = What::Clock { before_s: expected_s.max(newest_s) };
            self.unlogged.push(Entry { at_s: now.wall_s, what }.encode());
            self.notices.push(Notice::Clock { by_s });
            now.wall_s
        } else {
            now.wall_s.max(newest_s)
        };
        let day = newest_s.div_euclid(DAY_S);
        if at_s.div_euclid(DAY_S) > day && !self.day.is_empty() {
            let digests = std::mem::take(&mut self.day);
            let what = What::Day { day, windows: digests.len() as u64, root: root(&digests) };
            self.unlogged.push(Entry { at_s, what }.encode());
        }
        (self.newest_s, self.clocks) = (Some(at_s), Some(now));
        at_s
    }
}

/// The key of a folder, and whether it is a new one.
fn device_key(folder: &Path, public: &Path) -> Result<(DeviceKey, bool), LedgerError> {
    let path = folder.join("device.key");
    if let Some(key) = DeviceKey::load(&path)? {
        return Ok((key, false));
    }
    if public.join(CHECKPOINT).exists() {
        return Err(LedgerError::NoKey(folder.to_owned()));
    }
    let key = DeviceKey::generate()?;
    key.store(&path)?;
    Ok((key, true))
}
