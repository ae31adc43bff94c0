//! Runs scripts: files in parallel, the tests of a file in order.
//!
//! Each worker is a thread with a loop of its own, which plays one file after another. What it has to
//! tell goes through a channel to the calling thread, which alone writes.

use std::collections::VecDeque;
use std::io::Write;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::mpsc::{SyncSender, sync_channel};
use std::sync::{Mutex, PoisonError};
use std::time::Instant;

use regex::Regex;

use crate::error::{Error, Exit, Result, Stage};
use crate::event::{Clock, Event};
use crate::report::json::Json;
use crate::report::results::{Counts, JsonResults, LogEntry, Report, TestOutcome, TestResult};
use crate::run::signals::{Signals, Waking};
use crate::run::{Loop, Views};
use crate::script::play::{Listener, PlayOptions, Stop, play};
use crate::script::secrets::Hidden;
use crate::script::source::shown;
use crate::script::statement::{Script, Test};
use crate::text::Untrusted;
use crate::text::system::reason;

/// What a worker may be ahead of the reports.
const AHEAD: usize = 1_024;

/// Which tests are played, and how.
#[derive(Clone, Debug)]
pub struct RunOptions {
    /// What holds for every test.
    pub play: PlayOptions,
    /// How many files at once.
    pub jobs: usize,
    /// Further attempts after a failure.
    pub retry: u32,
    /// No test begins after a failure.
    pub fail_fast: bool,
    /// The seed of the order, if it is shuffled.
    pub seed: Option<u64>,
    /// Events as JSON, with this verbosity.
    pub json: Option<u8>,
    /// Whether values of the environment and of `--vars` are shown.
    pub show_secrets: bool,
}

/// Which tests are wanted.
#[derive(Clone, Debug, Default)]
pub struct Selection {
    /// A match in the name.
    pub only: Option<Regex>,
    /// One of these tags, if there are any.
    pub tags: Vec<String>,
    /// None of these.
    pub skip_tags: Vec<String>,
}

impl Selection {
    fn wants(&self, test: &Test) -> bool {
        let has = |tags: &[String]| tags.iter().any(|tag| test.tags.contains(tag));
        self.only.as_ref().is_none_or(|only| only.is_match(&test.name))
            && (self.tags.is_empty() || has(&self.tags))
            && !has(&self.skip_tags)
    }
}

/// Scripts with the tests that are wanted.
#[derive(Debug)]
pub struct Suite {
    jobs: VecDeque<Job>,
    left_out: u64,
}

/// A script, and which of its tests are played in which order.
#[derive(Debug)]
struct Job {
    script: Script,
    order: Vec<usize>,
}

impl Suite {
    /// Selects tests.
    pub fn new(scripts: Vec<Script>, selection: &Selection) -> Suite {
        let mut suite = Suite { jobs: VecDeque::new(), left_out: 0 };
        for script in scripts {
            let wanted = |(index, test)| selection.wants(test).then_some(index);
            let order: Vec<usize> = script.tests.iter().enumerate().filter_map(wanted).collect();
            suite.left_out += (script.tests.len() - order.len()) as u64;
            if !order.is_empty() {
                suite.jobs.push_back(Job { script, order });
            }
        }
        suite
    }

    /// How many tests there are.
    pub fn len(&self) -> usize {
        self.jobs.iter().map(|job| job.order.len()).sum()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.jobs.is_empty()
    }

    /// The tests, a line each: `FILE:LINE NAME [TAGS]`.
    pub fn list(&self) -> String {
        let mut text = String::new();
        for Job { script, order } in &self.jobs {
            for test in order.iter().filter_map(|index| script.tests.get(*index)) {
                let tags = match test.tags.is_empty() {
                    true => String::new(),
                    false => format!(" [{}]", test.tags.join(", ")),
                };
                let name = format!("{}{tags}", test.name);
                let (line, name) = (script.sources.line_of(test.place), Untrusted::text(&name));
                text.push_str(&format!("{line} {name}\n"));
            }
        }
        text
    }

    /// Another order, of the files and of the tests in each.
    pub fn shuffle(&mut self, seed: u64) {
        let mut random = SplitMix(seed);
        random.shuffle(self.jobs.make_contiguous());
        self.jobs.iter_mut().for_each(|job| random.shuffle(&mut job.order));
    }
}

/// Takes what the run writes.
pub trait Reports {
    /// Each report in turn, with its output.
    ///
    /// # Errors
    /// Exit 13: an output can't be written.
    fn each(
        &mut self,
        write: &mut dyn FnMut(&mut dyn Report, &mut dyn Write) -> std::io::Result<()>,
    ) -> Result<()>;

    /// Lines of JSON from a worker.
    ///
    /// # Errors
    /// Exit 13: an output can't be written.
    fn lines(&mut self, lines: &[u8]) -> Result<()>;
}

/// What a worker tells.
enum Told {
    Began { file: String, name: String },
    Lines(Vec<u8>),
    Ended(Box<TestResult>),
    Stopped(Exit),
    Failed(Error),
}

/// Plays all tests; returns the exit code.
///
/// # Errors
/// Exit 13: a report can't be written; 70: the process can't get what every process gets.
pub fn run(suite: Suite, options: &RunOptions, reports: &mut dyn Reports) -> Result<Exit> {
    let start = Instant::now();
    let mut counts = Counts { left_out: suite.left_out, seed: options.seed, ..Counts::default() };
    let planned = suite.len() as u64;
    let workers = options.jobs.clamp(1, suite.jobs.len().max(1));
    let shared = Shared {
        jobs: Mutex::new(suite.jobs),
        stop: AtomicBool::new(false),
        clock: Clock::start(),
        seq: AtomicU64::new(0),
        options,
    };
    let mut stopped = None;
    let mut failure = None;
    std::thread::scope(|scope| {
        let (sender, receiver) = sync_channel(AHEAD);
        for _ in 0..workers {
            let (shared, sender) = (&shared, sender.clone());
            scope.spawn(move || {
                if let Err(error) = shared.work(&sender) {
                    let _ = sender.send(Told::Failed(error));
                }
            });
        }
        drop(sender);
        for told in receiver {
            let written = match told {
                Told::Began { file, name } => {
                    reports.each(&mut |report, out| report.began(&file, &name, out))
                }
                Told::Lines(lines) => reports.lines(&lines),
                Told::Ended(result) => {
                    counts.add(&result);
                    reports.each(&mut |report, out| report.ended(&result, out))
                }
                Told::Stopped(exit) => {
                    stopped.get_or_insert(exit);
                    Ok(())
                }
                Told::Failed(error) => Err(error),
            };
            if let Err(error) = written {
                // The workers end after their tests; what they tell is read, or they would wait.
                shared.stop.store(true, Ordering::Relaxed);
                failure.get_or_insert(error);
            }
        }
    });
    if let Some(error) = failure {
        return Err(error);
    }
    let exit = match stopped {
        Some(exit) => exit,
        None if counts.failed > 0 => Exit::Expectation,
        None => Exit::Done,
    };
    counts.left_out += planned - counts.tests;
    counts.took = start.elapsed();
    counts.exit = exit as u8;
    reports.each(&mut |report, out| report.finished(&counts, out))?;
    Ok(exit)
}

/// What all workers share.
struct Shared<'a> {
    jobs: Mutex<VecDeque<Job>>,
    stop: AtomicBool,
    clock: Clock,
    seq: AtomicU64,
    options: &'a RunOptions,
}

impl Shared<'_> {
    fn work(&self, sender: &SyncSender<Told>) -> Result<()> {
        let signals = Signals::new().map_err(|e| {
            let what = "can't listen for signals";
            Error::new(Stage::Session, Exit::Bug, what).cause(reason(&e))
        })?;
        let mut outside = Loop { views: Views::new(Vec::new()), waking: Waking::Signals(signals) };
        loop {
            let next = self.jobs.lock().unwrap_or_else(PoisonError::into_inner).pop_front();
            let Some(Job { script, order }) = next else { return Ok(()) };
            let hidden = match self.options.show_secrets {
                true => Hidden::default(),
                false => Hidden::new(&script.secrets),
            };
            for test in order.iter().filter_map(|index| script.tests.get(*index)) {
                if self.stop.load(Ordering::Relaxed) {
                    return Ok(());
                }
                if let Some(exit) = self.test(&script, test, &hidden, &mut outside, sender) {
                    self.stop.store(true, Ordering::Relaxed);
                    let _ = sender.send(Told::Stopped(exit));
                    return Ok(());
                }
            }
        }
    }

    /// Plays a test, again if it fails; returns the exit code if the run has to end.
    fn test(
        &self,
        script: &Script,
        test: &Test,
        hidden: &Hidden,
        outside: &mut Loop,
        sender: &SyncSender<Told>,
    ) -> Option<Exit> {
        let file = script.sources.0.first().map(|source| shown(&source.path)).unwrap_or_default();
        let tell = |told| drop(sender.send(told));
        tell(Told::Began { file: file.clone(), name: test.name.clone() });
        let mut attempts = 0;
        let (played, stopped) = loop {
            attempts += 1;
            let mut events = self.options.json.map(|verbosity| Events {
                json: Json::new(verbosity),
                shared: self,
                file: &file,
                test: &test.name,
                hidden,
                sender,
            });
            let listener = events.as_mut().map(|events| events as &mut dyn Listener);
            let played = play(script, test, &self.options.play, outside, listener);
            match played.result {
                Err(Stop::Ended(exit)) => break (played, Some(exit)),
                Err(Stop::Failed(_)) if attempts <= self.options.retry => {}
                _ => break (played, None),
            }
        };
        let outcome = match played.result {
            Ok(()) => TestOutcome::Passed,
            Err(Stop::Ended(_)) => TestOutcome::Interrupted,
            Err(Stop::Failed(mut failure)) => {
                failure.map(&|text| hidden.hide(text));
                TestOutcome::Failed(failure)
            }
        };
        let hide = |mut entries: Vec<LogEntry>| {
            entries.iter_mut().for_each(|entry| hidden.hide(&mut entry.text));
            entries
        };
        if self.options.fail_fast && matches!(outcome, TestOutcome::Failed(_)) {
            self.stop.store(true, Ordering::Relaxed);
        }
        tell(Told::Ended(Box::new(TestResult {
            again: again(&file, &test.name),
            file,
            line: test.place.line,
            name: test.name.clone(),
            outcome,
            took: played.took,
            attempts,
            log: hide(played.log),
            unread: hide(played.unread),
        })));
        stopped
    }
}

/// The command that plays a test alone.
fn again(file: &str, name: &str) -> String {
    let quoted = regex::escape(name);
    // Plain names match themselves.
    let pattern = if quoted == name { quoted } else { format!("^{quoted}$") };
    format!("wstap run {} --only {}", shell_word(file), shell_word(&pattern))
}

fn shell_word(word: &str) -> String {
    let plain = |c: char| c.is_alphanumeric() || "./-_+=:,@%".contains(c);
    if !word.is_empty() && word.chars().all(plain) {
        return word.to_owned();
    }
    format!("'{}'", word.replace('\'', r"'\''"))
}

/// Makes JSON of a test's events.
struct Events<'a> {
    json: Json,
    shared: &'a Shared<'a>,
    file: &'a str,
    test: &'a str,
    hidden: &'a Hidden,
    sender: &'a SyncSender<Told>,
}

impl Listener for Events<'_> {
    fn event(&mut self, connection: &str, event: &Event<'_>) {
        let at = self.shared.clock.now();
        let seq = self.shared.seq.fetch_add(1, Ordering::Relaxed) + 1;
        let scope = [("file", self.file), ("test", self.test), ("connection", connection)];
        let mut lines = Vec::new();
        // Writing to memory can't fail.
        let _ = JsonResults::event(&mut self.json, scope, event, (at, seq), &mut lines);
        let shown = match self.hidden.apply(&String::from_utf8_lossy(&lines)) {
            std::borrow::Cow::Owned(shown) => shown.into_bytes(),
            std::borrow::Cow::Borrowed(_) => lines,
        };
        if !shown.is_empty() {
            let _ = self.sender.send(Told::Lines(shown));
        }
    }
}

/// A small generator of pseudo-random numbers (Vigna's SplitMix64): the same seed, the same order.
struct SplitMix(u64);

impl SplitMix {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ z >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ z >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ z >> 31
    }

    fn shuffle<T>(&mut self, list: &mut [T]) {
        for at in (1..list.len()).rev() {
            let other = (self.next() % (at as u64 + 1)) as usize;
            list.swap(at, other);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_command_for_again_is_for_a_shell() {
        assert_eq!(again("a b.wst", "hello"), "wstap run 'a b.wst' --only hello");
        assert_eq!(again("a.wst", "it's (1)"), r"wstap run a.wst --only '^it'\''s \(1\)$'");
    }

    #[test]
    fn a_seed_is_an_order() {
        let order = |seed| {
            let mut list: Vec<u8> = (0..20).collect();
            SplitMix(seed).shuffle(&mut list);
            list
        };
        assert_eq!(order(7), order(7));
        assert_ne!(order(7), order(8));
        let mut sorted = order(7);
        sorted.sort_unstable();
        assert_eq!(sorted, (0..20).collect::<Vec<u8>>());
    }
}
