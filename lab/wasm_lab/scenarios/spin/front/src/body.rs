//! The response on its way to the host: its head waits until the first of its body, for one call less.

use crate::wasm_lab::front::host;
use std::cell::{Cell, RefCell};
use std::rc::Rc;

/// Bytes that are collected here before the host gets them.
const PIECE: usize = 64 * 1024;

/// Bytes of a body that belongs to no response yet.
const UNATTACHED: usize = 1024 * 1024;

/// What `answer` says of the body.
const EMPTY: u32 = 0;
const MORE: u32 = 1;
const WHOLE: u32 = 2;

/// The body of a response.
pub struct Outgoing {
    expected: Option<u64>,
    written: Cell<u64>,
    collected: RefCell<Vec<u8>>,
    room: Cell<usize>,
    attached: Cell<bool>,
    over: Cell<bool>,
    whole: Cell<bool>,
}

thread_local! {
    /// A response that was set and that the host does not know of yet.
    static PENDING: RefCell<Option<(String, Option<Rc<Outgoing>>)>> = const { RefCell::new(None) };
}

impl Outgoing {
    pub fn new(expected: Option<u64>) -> Rc<Outgoing> {
        Rc::new(Outgoing {
            expected,
            written: Cell::new(0),
            collected: RefCell::new(Vec::new()),
            room: Cell::new(PIECE),
            attached: Cell::new(false),
            over: Cell::new(false),
            whole: Cell::new(false),
        })
    }

    pub fn written(&self) -> u64 {
        self.written.get()
    }

    pub fn is_short(&self) -> bool {
        self.expected.is_some_and(|expected| expected != self.written.get())
    }

    pub fn is_over(&self) -> bool {
        self.over.get()
    }

    /// Bytes that may be written now.
    pub fn permit(&self) -> usize {
        let collected = self.collected.borrow().len();
        if !self.attached.get() {
            return UNATTACHED.saturating_sub(collected);
        }
        if self.room.get() <= collected {
            self.room.set((host::room() as usize).min(PIECE));
        }
        self.room.get().saturating_sub(collected)
    }

    /// Take bytes; false when they are more than were promised.
    pub fn put(&self, contents: &[u8]) -> bool {
        let written = self.written.get() + contents.len() as u64;
        if self.expected.is_some_and(|expected| written > expected) {
            return false;
        }
        self.written.set(written);
        self.collected.borrow_mut().extend_from_slice(contents);
        if self.attached.get() && self.collected.borrow().len() >= PIECE {
            self.flush();
        }
        true
    }

    /// Pass on what was collected.
    pub fn flush(&self) {
        if !self.attached.get() {
            return;
        }
        send_pending();
        let data = self.collected.take();
        if !data.is_empty() {
            self.room.set((host::write(&text(data)) as usize).min(PIECE));
        }
    }

    /// Nothing more comes.
    pub fn finish(&self, whole: bool) {
        if self.over.replace(true) {
            return;
        }
        self.whole.set(whole);
        if !self.attached.get() {
            return;
        }
        if PENDING.with_borrow(|pending| pending.is_some()) {
            send_pending();
            return;
        }
        self.flush();
        host::finish(whole);
    }
}

/// The guest set its response.
pub fn answer(head: String, body: Option<Rc<Outgoing>>) {
    let over = body.as_ref().is_none_or(|body| body.is_over());
    if let Some(body) = &body {
        body.attached.set(true);
    }
    PENDING.set(Some((head, body)));
    if over {
        send_pending();
    }
}

/// Tell the host of a response that it does not know of yet.
pub fn send_pending() {
    let Some((head, body)) = PENDING.take() else {
        return;
    };
    let Some(body) = body else {
        host::answer(&head, "", EMPTY);
        return;
    };
    let data = text(body.collected.take());
    if body.over.get() && body.whole.get() {
        host::answer(&head, &data, WHOLE);
    } else {
        body.room.set((host::answer(&head, &data, MORE) as usize).min(PIECE));
        if body.over.get() {
            host::finish(false);
        }
    }
}

/// Bytes as a string: each byte one character below U+0100.
pub fn text(bytes: Vec<u8>) -> String {
    if bytes.is_ascii() {
        // Every ASCII byte is its own character.
        return unsafe { String::from_utf8_unchecked(bytes) };
    }
    bytes.iter().map(|byte| *byte as char).collect()
}

/// The bytes of such a string.
pub fn bytes(text: String) -> Vec<u8> {
    if text.is_ascii() {
        return text.into_bytes();
    }
    text.chars().map(|char| char as u8).collect()
}
