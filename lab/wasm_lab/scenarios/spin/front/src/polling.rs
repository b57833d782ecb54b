//! wasi:io/poll and the clock.

use crate::body::{self, Outgoing};
use crate::exports::wasi::clocks::monotonic_clock;
use crate::exports::wasi::io::poll::{Guest, GuestPollable, Pollable, PollableBorrow};
use crate::wasm_lab::front::host;
use crate::Front;
use std::rc::Rc;

pub const REQUEST: u32 = 1;
pub const RESPONSE: u32 = 2;
pub const NEVER: u64 = u64::MAX;

/// What a guest waits for.
pub enum Event {
    Always,
    Readable,
    Writable(Rc<Outgoing>),
    At(u64),
}

impl Event {
    fn ready(&self) -> bool {
        match self {
            Event::Always => true,
            Event::Readable => host::ready() & REQUEST != 0,
            Event::Writable(body) => body.permit() > 0 || body.is_over(),
            Event::At(time) => host::now() >= *time,
        }
    }
}

pub fn pollable(event: Event) -> Pollable {
    Pollable::new(event)
}

/// Wait until one is ready, with what was written so far on its way.
pub fn wait_for(events: &[&Event]) {
    let (mut which, mut until) = (0, NEVER);
    for event in events {
        match event {
            Event::Always => return,
            Event::Readable => which |= REQUEST,
            Event::Writable(body) => {
                body.flush(); // what is collected here takes up room, and is nothing to wait for
                which |= RESPONSE;
            }
            Event::At(time) => until = until.min(*time),
        }
    }
    body::send_pending();
    host::wait(which, until);
}

impl Guest for Front {
    type Pollable = Event;

    fn poll(pollables: Vec<PollableBorrow<'_>>) -> Vec<u32> {
        assert!(!pollables.is_empty(), "poll was called with an empty list, which WASI does not allow");
        let events: Vec<&Event> = pollables.iter().map(|each| each.get::<Event>()).collect();
        loop {
            let ready: Vec<u32> = (0..events.len() as u32).filter(|i| events[*i as usize].ready()).collect();
            if !ready.is_empty() {
                return ready;
            }
            wait_for(&events);
        }
    }
}

impl GuestPollable for Event {
    fn ready(&self) -> bool {
        Event::ready(self)
    }

    fn block(&self) {
        while !Event::ready(self) {
            wait_for(&[self]);
        }
    }
}

impl monotonic_clock::Guest for Front {
    fn now() -> u64 {
        host::now()
    }

    fn resolution() -> u64 {
        1
    }

    fn subscribe_instant(when: u64) -> Pollable {
        pollable(Event::At(when))
    }

    fn subscribe_duration(when: u64) -> Pollable {
        pollable(Event::At(host::now().saturating_add(when)))
    }
}
