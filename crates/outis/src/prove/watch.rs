//! The real programs at work, with the kernel's list of every call they made behind the lock.

use std::{
    collections::BTreeMap,
    io::Read,
    process::{ChildStdout, Command, Stdio},
    sync::mpsc,
    thread,
};

use anyhow::{Context, anyhow, ensure};
use outis_jail::{Role, Rule, Traced, trace};
use outis_record::RECORD_LEN;
use serde::Serialize;

use crate::{
    demo,
    detector::{Cache, MaskFiles, Runtime},
    launch::{self, Programs},
};

/// What the real programs did.
#[derive(Debug, Serialize)]
pub(super) struct Watched {
    pub(super) clip: &'static str,
    /// Whether the eye held the networks for masks, too: those that are in the cache.
    pub(super) masks: bool,
    /// What listed the calls.
    pub(super) by: &'static str,
    pub(super) eye: Listed,
    pub(super) intake: Listed,
    /// Bytes that came out of the eye.
    pub(super) record_bytes: u64,
}

/// The calls of one program behind the lock.
#[derive(Debug, Serialize)]
pub(super) struct Listed {
    pub(super) calls: Vec<Row>,
    /// Calls that no rule describes, as the kernel got them.
    pub(super) off_the_list: Vec<String>,
    pub(super) ended_well: bool,
}

/// Calls that one rule describes.
#[derive(Debug, Serialize)]
pub(super) struct Row {
    pub(super) call: String,
    pub(super) times: u64,
    pub(super) why: String,
}

impl Watched {
    pub(super) fn holds(&self) -> bool {
        let sound = |listed: &Listed| listed.off_the_list.is_empty() && listed.ended_well;
        sound(&self.eye) && sound(&self.intake) && self.record_bytes.is_multiple_of(RECORD_LEN as u64)
    }
}

/// Counts the demo's clip under watch.
pub(super) fn run(programs: &Programs, cache: &Cache) -> anyhow::Result<Watched> {
    let mut plan = demo::plan(0.0, cache)?;
    plan.detector.masks = MaskFiles::find(cache).ok();
    let eye_role = match plan.detector.runtime {
        Runtime::Library(_) => Role::Eye,
        Runtime::BuiltIn => Role::EyeBuiltIn,
    };
    let (intake, eye) = (programs.find("outis-intake")?, programs.find("outis-eye")?);
    let mut intake = command(Command::new(intake), launch::intake_arguments(&plan, 0));
    let mut eye = command(Command::new(eye), launch::eye_arguments(&plan));
    intake.stdin(Stdio::null());

    let (sender, packets) = mpsc::sync_channel::<Option<ChildStdout>>(1);
    thread::scope(|scope| {
        let intake = scope.spawn(move || {
            list(Role::IntakeOpening, &mut intake, move |child| {
                // The eye's side hears of it by the closed channel.
                let _ = sender.send(child);
            })
        });
        let packets = packets.recv().ok().flatten();
        let eye = packets.context("the intake cannot be watched").and_then(|packets| {
            let (sender, bytes) = mpsc::sync_channel(1);
            let eye = list(eye_role, eye.stdin(packets), move |records| {
                thread::spawn(move || sender.send(count(records)));
            });
            Ok((eye?, bytes.recv().unwrap_or(0)))
        });
        let intake = intake.join().map_err(|_| anyhow!("the watch over the intake failed"))??;
        let (eye, record_bytes) = eye?;
        ensure!(record_bytes > 0, "the eye said nothing");
        Ok(Watched {
            clip: demo::CLIP,
            masks: plan.detector.masks.is_some(),
            by: "the kernel's debugging interface (ptrace)",
            eye,
            intake,
            record_bytes,
        })
    })
}

fn command(mut command: Command, arguments: Vec<std::ffi::OsString>) -> Command {
    command.args(arguments).env_clear().stdout(Stdio::piped()).stderr(Stdio::null());
    command
}

fn count(records: Option<ChildStdout>) -> u64 {
    let mut bytes = 0;
    let mut buffer = [0; 4096];
    let Some(mut records) = records else { return 0 };
    while let Ok(read @ 1..) = records.read(&mut buffer) {
        bytes += read as u64;
    }
    bytes
}

/// Runs a program to its end, and lists its calls by the rules that describe them.
fn list(
    role: Role,
    command: &mut Command,
    output: impl FnOnce(Option<ChildStdout>),
) -> anyhow::Result<Listed> {
    /// More would be no news.
    const OFF_THE_LIST_MAX: usize = 20;
    let rules = role.rules()?;
    let mut times: BTreeMap<usize, u64> = BTreeMap::new();
    let mut off_the_list = Vec::new();
    let Traced { status, was_locked, .. } = trace(
        command,
        |child| output(child.stdout.take()),
        |call| match rules.iter().position(|rule| rule.describes(call.number, &call.arguments)) {
            Some(rule) => *times.entry(rule).or_default() += 1,
            None if off_the_list.len() < OFF_THE_LIST_MAX => {
                off_the_list.push(format!("{} {:x?}", outis_jail::call_name(call.number), call.arguments));
            }
            None => {}
        },
    )?;
    ensure!(was_locked, "{} ended before it was locked in", command.get_program().display());
    let row = |(rule, times): (&Rule, u64)| Row { call: rule.call.clone(), times, why: rule.why.clone() };
    let calls = times.into_iter().map(|(rule, times)| row((&rules[rule], times))).collect();
    Ok(Listed { calls, off_the_list, ended_well: status.success() })
}
