//! Reads a stream to its end on a thread, while others wait for what comes.

use std::io::Read;
use std::sync::{Arc, Condvar, Mutex};
use std::thread;
use std::time::{Duration, Instant};

/// What a stream has given so far.
#[derive(Clone, Debug)]
pub struct Collected(Arc<(Mutex<State>, Condvar)>);

#[derive(Debug, Default)]
struct State {
    bytes: Vec<u8>,
    ended: bool,
}

impl Collected {
    /// Begins to read.
    pub fn from(mut stream: impl Read + Send + 'static) -> Collected {
        let collected = Collected(Arc::default());
        let shared = collected.clone();
        thread::spawn(move || {
            let mut buffer = [0; 64 << 10];
            loop {
                let count = stream.read(&mut buffer).unwrap_or(0);
                let (state, changed) = &*shared.0;
                let mut state = state.lock().unwrap();
                state.bytes.extend_from_slice(&buffer[..count]);
                state.ended = count == 0;
                changed.notify_all();
                if count == 0 {
                    return;
                }
            }
        });
        collected
    }

    /// What has come.
    pub fn bytes(&self) -> Vec<u8> {
        self.0.0.lock().unwrap().bytes.clone()
    }

    /// What has come, as text.
    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.bytes()).into_owned()
    }

    /// Waits until what has come is as wanted; false if the stream ended or time ran out before.
    pub fn wait_for(&self, wanted: impl Fn(&[u8]) -> bool, timeout: Duration) -> bool {
        self.wait(|state| wanted(&state.bytes) || state.ended, timeout);
        wanted(&self.0.0.lock().unwrap().bytes)
    }

    /// Waits for the end of the stream; false if time ran out.
    pub fn wait_end(&self, timeout: Duration) -> bool {
        self.wait(|state| state.ended, timeout)
    }

    fn wait(&self, done: impl Fn(&State) -> bool, timeout: Duration) -> bool {
        let end = Instant::now() + timeout;
        let (state, changed) = &*self.0;
        let mut state = state.lock().unwrap();
        while !done(&state) {
            let left = end.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return false;
            }
            state = changed.wait_timeout(state, left).unwrap().0;
        }
        true
    }
}
