//! The allocator, and the table of pieces that it looks for in each block before it gives it back.

// A global allocator cannot be written without it, and nothing else sees what a freed block holds.
#![allow(unsafe_code)]

use std::alloc::{GlobalAlloc, Layout, System};
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

use zeroize::Zeroize;

#[global_allocator]
static SEARCHED: Searched = Searched;

/// The system's allocator, which hands out zeroed blocks only, so that what is found in one was put there, and looks
/// through each before it gives it back.
struct Searched;

// SAFETY: every block comes from `System` and goes back to it with the layout that it was made with.
unsafe impl GlobalAlloc for Searched {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        HANDED_OUT[0].fetch_add(layout.size(), Ordering::Relaxed);
        HANDED_OUT[1].fetch_max(layout.size(), Ordering::Relaxed);
        // SAFETY: the caller's promises are those of `System`.
        unsafe { System.alloc_zeroed(layout) }
    }

    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        // SAFETY: as above.
        unsafe { self.alloc(layout) }
    }

    unsafe fn dealloc(&self, block: *mut u8, layout: Layout) {
        // SAFETY: the block is the caller's to give back: `size` bytes, zeroed when they were handed out.
        unsafe {
            search(block, layout.size());
            System.dealloc(block, layout);
        }
    }

    /// Always moves, so that what stays behind is looked through too.
    unsafe fn realloc(&self, block: *mut u8, layout: Layout, new_size: usize) -> *mut u8 {
        // SAFETY: the caller promises that `new_size` fits the alignment; both blocks have the bytes that are copied.
        unsafe {
            let moved = self.alloc(Layout::from_size_align_unchecked(new_size, layout.align()));
            if !moved.is_null() {
                std::ptr::copy_nonoverlapping(block, moved, layout.size().min(new_size));
                self.dealloc(block, layout);
            }
            moved
        }
    }
}

/// The pieces that are searched for: masked, so that the table is none of the places where they are, and in the order
/// of nothing but their hash.
static TABLE: [[AtomicU64; 2]; SLOTS] = [const { [const { AtomicU64::new(0) }; 2] }; SLOTS];
static SEARCHING: AtomicBool = AtomicBool::new(false);
/// How many slots of the table are taken.
pub(super) static USED: AtomicUsize = AtomicUsize::new(0);
/// The bytes that were handed out, and the size of the largest block.
static HANDED_OUT: [AtomicUsize; 2] = [const { AtomicUsize::new(0) }; 2];
static FOUND: AtomicUsize = AtomicUsize::new(0);
/// How long the first block was that held something, and where in it.
static FIRST: [AtomicUsize; 2] = [const { AtomicUsize::new(0) }; 2];

const SLOTS: usize = 1 << 14;
const PIECE: usize = 16;
const MASK: u64 = 0x9e37_79b9_7f4a_7c15;

fn slot(head: u64) -> usize {
    (head.wrapping_mul(MASK) >> 50) as usize
}

/// Looks through a block. Allocates nothing.
///
/// # Safety
/// `block` points to `len` initialized bytes that nobody writes to.
unsafe fn search(block: *const u8, len: usize) {
    if len < PIECE || !SEARCHING.load(Ordering::Relaxed) {
        return;
    }
    for at in 0..=len - PIECE {
        // SAFETY: `at + 16 <= len`.
        let (head, tail) = unsafe {
            let place = block.add(at).cast::<u64>();
            (place.read_unaligned() ^ MASK, place.add(1).read_unaligned() ^ MASK)
        };
        let mut slot = slot(head);
        loop {
            let [first, second] = &TABLE[slot];
            let first = first.load(Ordering::Relaxed);
            if first == 0 {
                break;
            }
            if first == head && second.load(Ordering::Relaxed) == tail {
                if FOUND.fetch_add(1, Ordering::Relaxed) == 0 {
                    FIRST[0].store(len, Ordering::Relaxed);
                    FIRST[1].store(at, Ordering::Relaxed);
                }
                return;
            }
            slot = (slot + 1) % SLOTS;
        }
    }
}

/// From here on no freed block may hold 16 bytes in a row of this. Allocates nothing.
pub(super) fn guard(secret: &[u8]) {
    assert!(secret.len() >= PIECE);
    for piece in secret.windows(PIECE) {
        let [head, tail] = [0, 8].map(|from| {
            let mut word = 0u64.to_ne_bytes();
            word.copy_from_slice(&piece[from..from + 8]);
            u64::from_ne_bytes(word) ^ MASK
        });
        let mut slot = slot(head);
        for _ in 0..SLOTS {
            let [first, second] = &TABLE[slot];
            match first.load(Ordering::Relaxed) {
                0 => {
                    second.store(tail, Ordering::Relaxed);
                    first.store(head, Ordering::Relaxed);
                    let used = USED.fetch_add(1, Ordering::Relaxed);
                    assert!(used < SLOTS * 3 / 4, "a larger table");
                    break;
                }
                there if there == head && second.load(Ordering::Relaxed) == tail => break,
                _ => slot = (slot + 1) % SLOTS,
            }
        }
    }
}

/// Overwrites what this file's own calls left on the stack: whatever is moved later may take it along, where it has no
/// bytes of its own. What the library leaves there comes after.
#[inline(never)]
pub(super) fn scrub() {
    let mut stack = [1u8; 1 << 16];
    stack.zeroize();
    std::hint::black_box(&stack);
}

/// One search at a time: blocks of other threads are looked through as well.
pub(super) fn searching() -> Search {
    static ONE: Mutex<()> = Mutex::new(());
    let one = ONE.lock().unwrap_or_else(PoisonError::into_inner);
    for [first, second] in &TABLE {
        first.store(0, Ordering::Relaxed);
        second.store(0, Ordering::Relaxed);
    }
    USED.store(0, Ordering::Relaxed);
    FOUND.store(0, Ordering::Relaxed);
    SEARCHING.store(true, Ordering::Relaxed);
    Search { _one: one }
}

pub(super) struct Search {
    _one: MutexGuard<'static, ()>,
}

impl Search {
    /// The bytes that were handed out since the last time, and the largest block among them.
    pub(super) fn handed_out(&self) -> [usize; 2] {
        HANDED_OUT.each_ref().map(|n| n.swap(0, Ordering::Relaxed))
    }

    /// Freed blocks that held something, since the last time.
    pub(super) fn found(&self) -> usize {
        FOUND.swap(0, Ordering::Relaxed)
    }

    #[track_caller]
    pub(super) fn nothing_found(&self, after: &str) {
        let [len, at] = FIRST.each_ref().map(|n| n.load(Ordering::Relaxed));
        assert_eq!(self.found(), 0, "after {after}: the first at {at} of a block of {len} bytes");
    }
}

impl Drop for Search {
    fn drop(&mut self) {
        SEARCHING.store(false, Ordering::Relaxed);
    }
}
