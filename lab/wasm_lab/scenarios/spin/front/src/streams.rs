//! wasi:io/streams and the standard streams.

use crate::body::{self, Outgoing};
use crate::exports::wasi::cli::{stderr, stdin, stdout};
use crate::exports::wasi::io::error;
use crate::exports::wasi::io::poll::Pollable;
use crate::exports::wasi::io::streams::{
    Guest, GuestInputStream, GuestOutputStream, InputStream, InputStreamBorrow, OutputStream, StreamError,
};
use crate::polling::{pollable, wait_for, Event};
use crate::wasm_lab::front::host;
use crate::Front;
use std::rc::Rc;

/// Bytes that one read gives at most.
const PIECE: u64 = 64 * 1024;

pub struct Failure(pub String);

pub enum Input {
    Empty,
    Request,
}

pub enum Output {
    Print(u32),
    Body(Rc<Outgoing>),
}

fn failed(why: &str) -> StreamError {
    StreamError::LastOperationFailed(error::Error::new(Failure(why.to_owned())))
}

impl error::Guest for Front {
    type Error = Failure;
}

impl error::GuestError for Failure {
    fn to_debug_string(&self) -> String {
        self.0.clone()
    }
}

impl Guest for Front {
    type InputStream = Input;
    type OutputStream = Output;
}

impl GuestInputStream for Input {
    fn read(&self, len: u64) -> Result<Vec<u8>, StreamError> {
        match self {
            Input::Empty => Err(StreamError::Closed),
            Input::Request if len == 0 => Ok(Vec::new()),
            Input::Request => match host::read(len.min(PIECE) as u32) {
                Ok(text) => Ok(body::bytes(text)),
                Err(0) => Ok(Vec::new()),
                Err(1) => Err(StreamError::Closed),
                Err(_) => Err(failed("the rest of the request's body does not come")),
            },
        }
    }

    fn blocking_read(&self, len: u64) -> Result<Vec<u8>, StreamError> {
        loop {
            let got = self.read(len)?;
            if !got.is_empty() || len == 0 {
                return Ok(got);
            }
            wait_for(&[&Event::Readable]);
        }
    }

    fn skip(&self, len: u64) -> Result<u64, StreamError> {
        Ok(self.read(len)?.len() as u64)
    }

    fn blocking_skip(&self, len: u64) -> Result<u64, StreamError> {
        Ok(self.blocking_read(len)?.len() as u64)
    }

    fn subscribe(&self) -> Pollable {
        pollable(match self {
            Input::Empty => Event::Always,
            Input::Request => Event::Readable,
        })
    }
}

impl Output {
    fn write_all(&self, mut contents: &[u8]) -> Result<(), StreamError> {
        loop {
            let room = self.check_write()?.min(contents.len() as u64) as usize;
            if room > 0 || contents.is_empty() {
                self.accept(&contents[..room])?;
                contents = &contents[room..];
            }
            if contents.is_empty() {
                return self.flush();
            }
            if room == 0 {
                self.wait();
            }
        }
    }

    fn accept(&self, contents: &[u8]) -> Result<(), StreamError> {
        match self {
            Output::Print(stream) => {
                body::send_pending();
                host::print(*stream, &body::text(contents.to_vec()));
                Ok(())
            }
            Output::Body(body) if body.put(contents) => Ok(()),
            Output::Body(_) => Err(failed("the body is longer than content-length promised")),
        }
    }

    fn wait(&self) {
        if let Output::Body(body) = self {
            if body.permit() == 0 && !body.is_over() {
                wait_for(&[&Event::Writable(body.clone())]);
            }
        }
    }
}

impl GuestOutputStream for Output {
    fn check_write(&self) -> Result<u64, StreamError> {
        match self {
            Output::Print(_) => Ok(PIECE),
            Output::Body(body) if body.is_over() => Err(StreamError::Closed),
            Output::Body(body) => Ok(body.permit() as u64),
        }
    }

    fn write(&self, contents: Vec<u8>) -> Result<(), StreamError> {
        let room = self.check_write()?;
        assert!(contents.len() as u64 <= room, "the guest wrote more than check-write allowed");
        self.accept(&contents)
    }

    fn blocking_write_and_flush(&self, contents: Vec<u8>) -> Result<(), StreamError> {
        self.write_all(&contents)
    }

    fn flush(&self) -> Result<(), StreamError> {
        if let Output::Body(body) = self {
            if body.is_over() {
                return Err(StreamError::Closed);
            }
            body.flush();
        }
        Ok(())
    }

    fn blocking_flush(&self) -> Result<(), StreamError> {
        self.flush()?;
        if self.check_write()? == 0 {
            self.wait();
        }
        Ok(())
    }

    fn subscribe(&self) -> Pollable {
        pollable(match self {
            Output::Print(_) => Event::Always,
            Output::Body(body) => Event::Writable(body.clone()),
        })
    }

    fn write_zeroes(&self, len: u64) -> Result<(), StreamError> {
        assert!(len <= self.check_write()?, "the guest wrote more than check-write allowed");
        self.accept(&vec![0; len as usize])
    }

    fn blocking_write_zeroes_and_flush(&self, mut len: u64) -> Result<(), StreamError> {
        while len > 0 {
            let part = len.min(PIECE);
            self.write_all(&vec![0; part as usize])?;
            len -= part;
        }
        Ok(())
    }

    fn splice(&self, src: InputStreamBorrow<'_>, len: u64) -> Result<u64, StreamError> {
        let room = self.check_write()?.min(len);
        if room == 0 {
            return Ok(0);
        }
        let data = src.get::<Input>().read(room)?;
        self.accept(&data)?;
        Ok(data.len() as u64)
    }

    fn blocking_splice(&self, src: InputStreamBorrow<'_>, len: u64) -> Result<u64, StreamError> {
        if len == 0 {
            return Ok(0);
        }
        while self.check_write()? == 0 {
            self.wait();
        }
        let room = self.check_write()?.min(len);
        let data = src.get::<Input>().blocking_read(room)?;
        self.accept(&data)?;
        Ok(data.len() as u64)
    }
}

impl stdin::Guest for Front {
    fn get_stdin() -> InputStream {
        InputStream::new(Input::Empty)
    }
}

impl stdout::Guest for Front {
    fn get_stdout() -> OutputStream {
        OutputStream::new(Output::Print(1))
    }
}

impl stderr::Guest for Front {
    fn get_stderr() -> OutputStream {
        OutputStream::new(Output::Print(2))
    }
}
