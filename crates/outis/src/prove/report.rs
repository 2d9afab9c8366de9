//! The proof as a table for people, and as JSON.

use std::{env, fmt, fs, os::unix::fs::MetadataExt};

use serde::Serialize;

use super::{
    attempt::Stopped,
    battery::{Battery, Sweep},
    moments::Moments,
    watch::{Listed, Watched},
};

/// The whole proof.
#[derive(Debug, Serialize)]
pub(super) struct Report {
    /// Whether nothing got out and no call was off its list.
    pub(super) holds: bool,
    pub(super) bytes_out: u64,
    user_id: Option<u32>,
    kernel: Option<String>,
    processor: &'static str,
    battery: Battery,
    moments: Moments,
    watched: Watched,
}

impl Report {
    pub(super) fn new(battery: Battery, moments: Moments, watched: Watched) -> Self {
        let release = fs::read_to_string("/proc/sys/kernel/osrelease").ok();
        Self {
            holds: battery.holds() && moments.holds() && watched.holds(),
            bytes_out: battery.bytes_out(),
            // The owner of a process's folder is who it runs as.
            user_id: fs::metadata("/proc/self").ok().map(|metadata| metadata.uid()),
            kernel: release.map(|text| text.trim().to_owned()),
            processor: env::consts::ARCH,
            battery,
            moments,
            watched,
        }
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { battery, moments, watched, .. } = self;
        let user = match self.user_id {
            Some(0) => "root".to_owned(),
            Some(id) => format!("user {id}"),
            None => "an unknown user".to_owned(),
        };
        let kernel = self.kernel.as_deref().unwrap_or("of unknown release");
        writeln!(f, "Behind the lock of the eye, as {user}, on Linux {kernel}, {}:\n", self.processor)?;
        writeln!(
            f,
            "{:<24} {:<60} {:<52} {:>9}  {:>12}",
            "Attempt", "", "Stopped by", "Bytes out", "without lock"
        )?;
        for attempt in &battery.attempts {
            let free = attempt.bytes_out_without_lock.map_or_else(|| "-".into(), |bytes| bytes.to_string());
            let mark = if attempt.holds { "" } else { "  <-- NOT STOPPED" };
            writeln!(
                f,
                "{:<24} {:<60} {:<52} {:>9}  {free:>12}{mark}",
                attempt.name, attempt.what, attempt.stopped_by, attempt.bytes_out
            )?;
        }
        writeln!(f)?;
        swept(f, "Sockets of every family and type", &battery.socket_families)?;
        swept(f, "Every system call from 0 to 470, with 6 sets of arguments each", &battery.system_calls)?;
        let escaped = battery.attempts.iter().filter(|attempt| !attempt.holds).count();
        let total =
            battery.attempts.len() as u32 + battery.socket_families.attempts + battery.system_calls.attempts;
        writeln!(
            f,
            "{total} attempts, {escaped} of the named ones not stopped, {} bytes out.\n",
            self.bytes_out
        )?;

        let seconds: Vec<String> = moments.told_at_s.iter().map(ToString::to_string).collect();
        writeln!(
            f,
            "A live camera's window, told by its eye in {} ways at moments of its choice: told on by the door {} s after its end: \
             {:.1} bits in the moment{}\n",
            moments.tried,
            seconds.join(", "),
            moments.bits,
            if moments.holds() { "" } else { "  <-- NOT STOPPED" }
        )?;

        let masks = if watched.masks { " with masks" } else { "" };
        writeln!(f, "The real programs counting {}{masks}, watched by {}:\n", watched.clip, watched.by)?;
        listed(f, "outis-eye", &watched.eye)?;
        listed(f, "outis-intake", &watched.intake)?;
        let records = watched.record_bytes / 64;
        writeln!(f, "The eye said {records} records of 64 bytes, and nothing else.\n")?;
        let verdict = if self.holds { "Nothing got out." } else { "THE PROOF FAILED: see the lines above." };
        writeln!(f, "{verdict}")
    }
}

fn swept(f: &mut fmt::Formatter<'_>, title: &str, sweep: &Sweep) -> fmt::Result {
    let Sweep { attempts, stopped_by_kernel, without_effect, stopped_by_door, bytes_out, surprises } = sweep;
    writeln!(
        f,
        "{title}: {attempts} attempts, {stopped_by_kernel} stopped by the kernel, {stopped_by_door} by the door, \
         {without_effect} possible and without effect, {bytes_out} bytes out"
    )?;
    surprises.iter().try_for_each(|surprise| writeln!(f, "  NOT AS IT SHOULD BE: {surprise}"))
}

fn listed(f: &mut fmt::Formatter<'_>, program: &str, listed: &Listed) -> fmt::Result {
    writeln!(f, "{program} behind the lock:")?;
    for row in &listed.calls {
        let (call, why) = (&row.call, row.why.split_whitespace().collect::<Vec<_>>().join(" "));
        writeln!(f, "{:>9} x {call:<16} {why}", row.times)?;
    }
    for call in &listed.off_the_list {
        writeln!(f, "  OFF THE LIST: {call}")?;
    }
    if !listed.ended_well {
        writeln!(f, "  IT DID NOT COME TO ITS END")?;
    }
    writeln!(f)
}

impl fmt::Display for Stopped {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Kernel => f.write_str("the kernel, which ended the process"),
            Self::Refused => f.write_str("the kernel, with an error"),
            // The beginning of the sentence fits the table.
            Self::Door(why) => write!(f, "the door: {}", why.split([',', ':']).next().unwrap_or(why)),
            Self::Fault(signal) => write!(f, "a fault of its own (signal {signal}), no memory image"),
            Self::Waiting => f.write_str("time: it waited for nothing"),
            Self::NotLocked(why) => write!(f, "not tried: {why}"),
            Self::Nobody => f.write_str("NOBODY"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{
        super::{battery::Attempt, moments, watch::Row},
        *,
    };

    fn report(holds: bool) -> Report {
        let attempt = Attempt {
            name: "udp".into(),
            what: "send it over UDP".into(),
            stopped_by: Stopped::Kernel.to_string(),
            bytes_out: u64::from(!holds),
            bytes_out_without_lock: Some(4096),
            holds,
        };
        let (socket_families, system_calls) = (Sweep::default(), Sweep::default());
        let battery = Battery { attempts: vec![attempt], socket_families, system_calls };
        let listed = || Listed {
            calls: vec![Row { call: "write".into(), times: 12, why: "records\n  go out".into() }],
            off_the_list: Vec::new(),
            ended_well: true,
        };
        let watched = Watched {
            clip: "clip.avi",
            masks: true,
            by: "ptrace",
            eye: listed(),
            intake: listed(),
            record_bytes: 768,
        };
        Report::new(battery, moments::run().unwrap(), watched)
    }

    #[test]
    fn it_says_what_was_seen() {
        let text = report(true).to_string();
        for part in [
            "send it over UDP",
            "the kernel, which ended the process",
            "4096",
            "12 x write",
            "records go out",
            "1200 ways at moments of its choice: told on by the door 30 s after its end: 0.0 bits",
        ] {
            assert!(text.contains(part), "{part}: {text}");
        }
        assert!(text.contains("said 12 records") && text.ends_with("Nothing got out.\n"), "{text}");
    }

    #[test]
    fn it_says_loudly_when_something_got_out() {
        let report = report(false);
        let text = report.to_string();
        assert!(!report.holds && text.contains("NOT STOPPED") && text.contains("THE PROOF FAILED"), "{text}");
    }
}
