//! Byte buffers with checked bookkeeping: a wrong position is our own bug, and panics.
//!
//! A peer decides what a buffer contains, never which positions we read.

use std::ops::Range;
use std::slice::SliceIndex;

/// The part of `bytes` in `range`, which comes from the caller's own bookkeeping.
///
/// # Panics
/// If `range` is out of bounds.
#[inline]
#[expect(clippy::indexing_slicing, reason = "positions are ours; a wrong one must be loud")]
pub fn part<R: SliceIndex<[u8], Output = [u8]>>(bytes: &[u8], range: R) -> &[u8] {
    &bytes[range]
}

/// As [`part`], mutable.
///
/// # Panics
/// If `range` is out of bounds.
#[inline]
#[expect(clippy::indexing_slicing, reason = "positions are ours; a wrong one must be loud")]
pub fn part_mut<R: SliceIndex<[u8], Output = [u8]>>(bytes: &mut [u8], range: R) -> &mut [u8] {
    &mut bytes[range]
}

/// A read buffer of a fixed size. `begin <= end <= bytes.len()`: the bytes from `begin` to `end`
/// were received and not consumed.
#[derive(Debug)]
pub struct ReadBuffer {
    bytes: Vec<u8>,
    begin: usize,
    end: usize,
    /// With less space than this at the end, the unread bytes move to the front.
    low: usize,
}

impl ReadBuffer {
    /// An empty buffer of `size` bytes that has at least `low` bytes of space while at most
    /// `size - low` are unread.
    pub fn new(size: usize, low: usize) -> ReadBuffer {
        ReadBuffer { bytes: vec![0; size], begin: 0, end: 0, low }
    }

    /// The space for the next bytes.
    pub fn space(&mut self) -> &mut [u8] {
        if self.begin == self.end {
            self.begin = 0;
            self.end = 0;
        } else if self.begin > 0 && self.bytes.len() - self.end < self.low {
            self.bytes.copy_within(self.begin..self.end, 0);
            self.end -= self.begin;
            self.begin = 0;
        }
        part_mut(&mut self.bytes, self.end..)
    }

    /// Records that `n` bytes were written to the space.
    pub fn received(&mut self, n: usize) {
        assert!(n <= self.bytes.len() - self.end, "more bytes than there was space for");
        self.end += n;
    }

    /// The bytes received and not consumed.
    #[inline]
    pub fn unread(&self) -> &[u8] {
        part(&self.bytes, self.begin..self.end)
    }

    /// The length of `unread`, in bytes.
    #[inline]
    pub fn len(&self) -> usize {
        self.end - self.begin
    }

    /// Consumes `n` unread bytes and returns their place, which is valid until the next call of
    /// [`ReadBuffer::space`].
    #[inline]
    pub fn consume(&mut self, n: usize) -> Range<usize> {
        let start = self.begin;
        self.begin += n;
        start..self.begin
    }

    /// The place of the unread bytes from `from` to `to`.
    #[inline]
    pub fn place(&self, from: usize, to: usize) -> Range<usize> {
        self.begin + from..self.begin + to
    }

    /// The bytes at a place.
    #[inline]
    pub fn at(&self, place: Range<usize>) -> &[u8] {
        part(&self.bytes, place)
    }

    /// As [`ReadBuffer::at`], mutable.
    #[inline]
    pub fn at_mut(&mut self, place: Range<usize>) -> &mut [u8] {
        part_mut(&mut self.bytes, place)
    }
}

/// Bytes appended at the end and taken from the front. `taken <= bytes.len()`.
#[derive(Debug, Default)]
pub struct ByteQueue {
    bytes: Vec<u8>,
    taken: usize,
}

/// A queue larger than this is freed once it is empty.
const KEPT_CAPACITY: usize = 1 << 20;

impl ByteQueue {
    /// The vector to append to; callers must not change what it holds already.
    #[inline]
    pub fn end(&mut self) -> &mut Vec<u8> {
        &mut self.bytes
    }

    /// Appends bytes and returns them, mutable.
    #[inline]
    pub fn push(&mut self, bytes: &[u8]) -> &mut [u8] {
        let start = self.bytes.len();
        self.bytes.extend_from_slice(bytes);
        part_mut(&mut self.bytes, start..)
    }

    /// The bytes not taken yet.
    #[inline]
    pub fn unread(&self) -> &[u8] {
        part(&self.bytes, self.taken..)
    }

    /// The length of `unread`, in bytes.
    #[inline]
    pub fn len(&self) -> usize {
        self.bytes.len() - self.taken
    }

    /// Removes bytes from the front. The rest moves only once it is the smaller part, so that each
    /// byte moves about once and memory stays in proportion to the queued bytes.
    pub fn take(&mut self, n: usize) {
        assert!(n <= self.len(), "more bytes taken than were queued");
        self.taken += n;
        if self.taken > self.bytes.len() / 2 {
            self.bytes.drain(..self.taken);
            self.taken = 0;
            if self.bytes.is_empty() {
                self.bytes.shrink_to(KEPT_CAPACITY);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_queue_that_never_empties_stays_small() {
        let mut queue = ByteQueue::default();
        queue.push(&[1; 1000]);
        for n in 0..10_000 {
            queue.push(&[(n % 251) as u8; 100]);
            queue.take(100);
            assert_eq!(queue.len(), 1000);
        }
        assert!(queue.bytes.capacity() < 10_000, "{}", queue.bytes.capacity());
        assert_eq!(queue.unread()[900..], [(9_999 % 251) as u8; 100]);
    }

    #[test]
    #[should_panic(expected = "more bytes taken")]
    fn taking_what_was_never_queued_is_loud() {
        ByteQueue::default().take(1);
    }

    #[test]
    #[should_panic(expected = "more bytes than there was space for")]
    fn receiving_beyond_the_space_is_loud() {
        ReadBuffer::new(4, 2).received(5);
    }
}
