//! The only place that waits: a single poll over any number of connections, inputs and outputs, and
//! the wake-up descriptor.

use std::os::fd::BorrowedFd;
use std::time::Instant;

use rustix::event::{PollFd, PollFlags};

use crate::connection::{Accepting, Connection};
use crate::run::signals::Waking;
use crate::run::views::Views;
use crate::sys;

/// With up to this many descriptors a turn allocates nothing.
const FEW: usize = 8;

/// Something that a turn waits for.
pub trait Source {
    /// The descriptor.
    fn fd(&self) -> BorrowedFd<'_>;

    /// What to poll for. A source without interest is left out of the call: its hang-up would end
    /// the wait at once.
    fn interest(&self) -> PollFlags;

    /// When to call [`Source::ready`] even if the descriptor is quiet.
    fn deadline(&self) -> Option<Instant> {
        None
    }

    /// Called after each wait with the result of poll, even if it is empty. Never blocks.
    fn ready(&mut self, revents: PollFlags, now: Instant);
}

impl Source for Connection {
    fn fd(&self) -> BorrowedFd<'_> {
        Connection::fd(self)
    }

    fn interest(&self) -> PollFlags {
        Connection::interest(self)
    }

    fn deadline(&self) -> Option<Instant> {
        Connection::deadline(self)
    }

    fn ready(&mut self, revents: PollFlags, now: Instant) {
        Connection::ready(self, revents, now);
    }
}

impl Source for Accepting {
    fn fd(&self) -> BorrowedFd<'_> {
        Accepting::fd(self)
    }

    fn interest(&self) -> PollFlags {
        Accepting::interest(self)
    }

    fn deadline(&self) -> Option<Instant> {
        Some(Accepting::deadline(self))
    }

    fn ready(&mut self, revents: PollFlags, now: Instant) {
        Accepting::ready(self, revents, now);
    }
}

/// The views of a run, and what wakes it.
pub struct Loop {
    /// The views.
    pub views: Views,
    /// Signals, and other threads.
    pub waking: Waking,
}

impl Loop {
    /// One turn: waits until something is ready or `until`, calls each source, and returns the
    /// time. The caller pushes the views before and after.
    pub fn turn(&mut self, sources: &mut [&mut dyn Source], until: Option<Instant>) -> Instant {
        let deadlines = sources.iter().filter_map(|source| source.deadline());
        let until = deadlines.chain(until).chain(self.views.deadline()).min();
        let mut ready = List::new(sources.len() + 1, PollFlags::empty);
        {
            let wake = self.waking.fd();
            let unused = || PollFd::from_borrowed_fd(wake, PollFlags::empty());
            let mut fds = List::new(sources.len() + 1 + self.views.count(), unused);
            let (waking, others) = fds.split_first();
            *waking = PollFd::from_borrowed_fd(wake, PollFlags::IN);
            let (polled, outputs) = others.split_at_mut(sources.len());
            for (slot, source) in polled.iter_mut().zip(sources.iter()) {
                let interest = source.interest();
                if !interest.is_empty() {
                    *slot = PollFd::from_borrowed_fd(source.fd(), interest);
                }
            }
            for (slot, output) in outputs.iter_mut().zip(self.views.waiting()) {
                *slot = PollFd::from_borrowed_fd(output, PollFlags::OUT);
            }
            sys::wait(fds.all(), until);
            for (flags, fd) in ready.all().iter_mut().zip(fds.all().iter()) {
                *flags = fd.revents();
            }
        }
        let now = Instant::now();
        let (woken, readiness) = ready.split_first();
        if !woken.is_empty() {
            self.waking.ready();
        }
        for (source, revents) in sources.iter_mut().zip(readiness.iter()) {
            source.ready(*revents, now);
        }
        now
    }
}

/// A list of at least one item; on the heap only if it is long.
enum List<T> {
    Few([T; FEW], usize),
    Many(Vec<T>),
}

impl<T> List<T> {
    fn new(count: usize, mut fill: impl FnMut() -> T) -> List<T> {
        match count <= FEW {
            true => List::Few(std::array::from_fn(|_| fill()), count),
            false => List::Many(std::iter::repeat_with(fill).take(count).collect()),
        }
    }

    fn all(&mut self) -> &mut [T] {
        match self {
            List::Few(all, count) => &mut all[..*count],
            List::Many(all) => all,
        }
    }

    fn split_first(&mut self) -> (&mut T, &mut [T]) {
        let (first, others) = self.all().split_at_mut(1);
        (&mut first[0], others)
    }
}
