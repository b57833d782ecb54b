//! wasi:http/types: requests and responses.

use crate::body::{self, Outgoing};
use crate::exports::wasi::http::types::*;
use crate::exports::wasi::io::error::ErrorBorrow;
use crate::exports::wasi::io::poll::Pollable;
use crate::exports::wasi::io::streams::{InputStream, OutputStream};
use crate::exports::wasm_lab::front::start;
use crate::fields::List;
use crate::polling::{pollable, Event};
use crate::streams::{Input, Output};
use crate::wasm_lab::front::host;
use crate::Front;
use std::cell::{Cell, RefCell};
use std::rc::Rc;

pub struct Request {
    method: String,
    path: String,
    scheme: String,
    authority: String,
    has_body: bool,
    fields: RefCell<Vec<(String, Vec<u8>)>>,
    consumed: Cell<bool>,
}

impl start::Guest for Front {
    fn request() -> IncomingRequest {
        let head = host::head();
        let mut lines = head.split('\n');
        let mut next = || lines.next().unwrap_or_default().to_owned();
        let (method, path, scheme, authority) = (next(), next(), next(), next());
        let has_body = next() == "1";
        let fields = lines
            .filter_map(|line| line.split_once('\t'))
            .map(|(name, value)| (name.to_owned(), body::bytes(value.to_owned())))
            .collect();
        IncomingRequest::new(Request {
            method,
            path,
            scheme,
            authority,
            has_body,
            fields: RefCell::new(fields),
            consumed: Cell::new(false),
        })
    }

    fn outparam() -> ResponseOutparam {
        ResponseOutparam::new(Outparam)
    }
}

fn method_of(name: &str) -> Method {
    match name {
        "GET" => Method::Get,
        "HEAD" => Method::Head,
        "POST" => Method::Post,
        "PUT" => Method::Put,
        "DELETE" => Method::Delete,
        "CONNECT" => Method::Connect,
        "OPTIONS" => Method::Options,
        "TRACE" => Method::Trace,
        "PATCH" => Method::Patch,
        other => Method::Other(other.to_owned()),
    }
}

impl GuestIncomingRequest for Request {
    fn method(&self) -> Method {
        method_of(&self.method)
    }

    fn path_with_query(&self) -> Option<String> {
        Some(self.path.clone())
    }

    fn scheme(&self) -> Option<Scheme> {
        Some(match self.scheme.as_str() {
            "http" => Scheme::Http,
            "https" => Scheme::Https,
            other => Scheme::Other(other.to_owned()),
        })
    }

    fn authority(&self) -> Option<String> {
        (!self.authority.is_empty()).then(|| self.authority.clone())
    }

    fn headers(&self) -> Headers {
        Fields::new(List::given(self.fields.borrow().clone()))
    }

    fn consume(&self) -> Result<IncomingBody, ()> {
        if self.consumed.replace(true) {
            return Err(());
        }
        Ok(IncomingBody::new(Incoming { has_body: self.has_body, given: Cell::new(false) }))
    }
}

pub struct Incoming {
    has_body: bool,
    given: Cell<bool>,
}

impl GuestIncomingBody for Incoming {
    fn stream(&self) -> Result<InputStream, ()> {
        if self.given.replace(true) {
            return Err(());
        }
        Ok(InputStream::new(if self.has_body { Input::Request } else { Input::Empty }))
    }

    fn finish(_this: IncomingBody) -> FutureTrailers {
        FutureTrailers::new(Trailerless(Cell::new(false)))
    }
}

/// There never are trailers, for no server here passes them on.
pub struct Trailerless(Cell<bool>);

impl GuestFutureTrailers for Trailerless {
    fn subscribe(&self) -> Pollable {
        pollable(Event::Always)
    }

    fn get(&self) -> Option<Result<Result<Option<Trailers>, ErrorCode>, ()>> {
        Some(if self.0.replace(true) { Err(()) } else { Ok(Ok(None)) })
    }
}

pub struct Response {
    status: Cell<u16>,
    fields: List,
    body: RefCell<Option<Rc<Outgoing>>>,
}

impl GuestOutgoingResponse for Response {
    fn new(headers: Headers) -> Response {
        let fields = headers.into_inner::<List>();
        fields.mutable.set(false);
        Response { status: Cell::new(200), fields, body: RefCell::default() }
    }

    fn status_code(&self) -> StatusCode {
        self.status.get()
    }

    fn set_status_code(&self, status_code: StatusCode) -> Result<(), ()> {
        if !(100..=999).contains(&status_code) {
            return Err(());
        }
        self.status.set(status_code);
        Ok(())
    }

    fn headers(&self) -> Headers {
        Fields::new(List::given(self.fields.items.borrow().clone()))
    }

    fn body(&self) -> Result<OutgoingBody, ()> {
        let mut body = self.body.borrow_mut();
        if body.is_some() {
            return Err(());
        }
        let made = Outgoing::new(self.fields.promised());
        *body = Some(made.clone());
        Ok(OutgoingBody::new(Writing { body: made, given: Cell::new(false) }))
    }
}

/// A body that a guest writes; dropped unfinished, it never will be whole.
pub struct Writing {
    body: Rc<Outgoing>,
    given: Cell<bool>,
}

impl GuestOutgoingBody for Writing {
    fn write(&self) -> Result<OutputStream, ()> {
        if self.given.replace(true) {
            return Err(());
        }
        Ok(OutputStream::new(Output::Body(self.body.clone())))
    }

    fn finish(this: OutgoingBody, _trailers: Option<Trailers>) -> Result<(), ErrorCode> {
        let body = this.get::<Writing>().body.clone();
        if body.is_short() {
            body.finish(false);
            return Err(ErrorCode::HttpRequestBodySize(Some(body.written())));
        }
        body.finish(true);
        Ok(())
    }
}

impl Drop for Writing {
    fn drop(&mut self) {
        self.body.finish(false);
    }
}

pub struct Outparam;

impl GuestResponseOutparam for Outparam {
    fn set(_param: ResponseOutparam, response: Result<OutgoingResponse, ErrorCode>) {
        match response {
            Ok(response) => {
                let response = response.into_inner::<Response>();
                let mut head = response.status.get().to_string();
                response.fields.write_to(&mut head);
                body::answer(head, response.body.take());
            }
            Err(code) => host::refuse(&format!("{code:?}")),
        }
    }
}

// What belongs to requests of the guest's own. A guest that can send any is not composed with this
// component, so nobody calls these; they keep what they are given.

pub struct OwnRequest {
    method: RefCell<String>,
    path: RefCell<Option<String>>,
    scheme: RefCell<Option<Scheme>>,
    authority: RefCell<Option<String>>,
    fields: List,
}

impl GuestOutgoingRequest for OwnRequest {
    fn new(headers: Headers) -> OwnRequest {
        let fields = headers.into_inner::<List>();
        fields.mutable.set(false);
        OwnRequest {
            method: RefCell::new("GET".to_owned()),
            path: RefCell::default(),
            scheme: RefCell::default(),
            authority: RefCell::default(),
            fields,
        }
    }

    fn body(&self) -> Result<OutgoingBody, ()> {
        let body = Outgoing::new(self.fields.promised());
        Ok(OutgoingBody::new(Writing { body, given: Cell::new(false) }))
    }

    fn method(&self) -> Method {
        method_of(&self.method.borrow())
    }

    fn set_method(&self, method: Method) -> Result<(), ()> {
        let name = match method {
            Method::Other(name) => name,
            known => format!("{known:?}").trim_start_matches("Method::").to_uppercase(),
        };
        self.method.replace(name);
        Ok(())
    }

    fn path_with_query(&self) -> Option<String> {
        self.path.borrow().clone()
    }

    fn set_path_with_query(&self, path_with_query: Option<String>) -> Result<(), ()> {
        self.path.replace(path_with_query);
        Ok(())
    }

    fn scheme(&self) -> Option<Scheme> {
        self.scheme.borrow().clone()
    }

    fn set_scheme(&self, scheme: Option<Scheme>) -> Result<(), ()> {
        self.scheme.replace(scheme);
        Ok(())
    }

    fn authority(&self) -> Option<String> {
        self.authority.borrow().clone()
    }

    fn set_authority(&self, authority: Option<String>) -> Result<(), ()> {
        self.authority.replace(authority);
        Ok(())
    }

    fn headers(&self) -> Headers {
        Fields::new(List::given(self.fields.items.borrow().clone()))
    }
}

#[derive(Default)]
pub struct Options(Cell<[Option<Duration>; 3]>);

impl Options {
    fn set(&self, which: usize, duration: Option<Duration>) -> Result<(), ()> {
        let mut all = self.0.get();
        all[which] = duration;
        self.0.set(all);
        Ok(())
    }
}

impl GuestRequestOptions for Options {
    fn new() -> Options {
        Options::default()
    }

    fn connect_timeout(&self) -> Option<Duration> {
        self.0.get()[0]
    }

    fn set_connect_timeout(&self, duration: Option<Duration>) -> Result<(), ()> {
        self.set(0, duration)
    }

    fn first_byte_timeout(&self) -> Option<Duration> {
        self.0.get()[1]
    }

    fn set_first_byte_timeout(&self, duration: Option<Duration>) -> Result<(), ()> {
        self.set(1, duration)
    }

    fn between_bytes_timeout(&self) -> Option<Duration> {
        self.0.get()[2]
    }

    fn set_between_bytes_timeout(&self, duration: Option<Duration>) -> Result<(), ()> {
        self.set(2, duration)
    }
}

/// Of this kind there is no value.
pub enum Nothing {}

impl GuestIncomingResponse for Nothing {
    fn status(&self) -> StatusCode {
        match *self {}
    }

    fn headers(&self) -> Headers {
        match *self {}
    }

    fn consume(&self) -> Result<IncomingBody, ()> {
        match *self {}
    }
}

impl GuestFutureIncomingResponse for Nothing {
    fn subscribe(&self) -> Pollable {
        match *self {}
    }

    fn get(&self) -> Option<Result<Result<IncomingResponse, ErrorCode>, ()>> {
        match *self {}
    }
}

impl Guest for Front {
    type Fields = List;
    type IncomingRequest = Request;
    type OutgoingRequest = OwnRequest;
    type RequestOptions = Options;
    type ResponseOutparam = Outparam;
    type IncomingResponse = Nothing;
    type IncomingBody = Incoming;
    type FutureTrailers = Trailerless;
    type OutgoingResponse = Response;
    type OutgoingBody = Writing;
    type FutureIncomingResponse = Nothing;

    fn http_error_code(_err: ErrorBorrow<'_>) -> Option<ErrorCode> {
        None
    }
}
