//! Header fields: the same rules as in the host's own `fields.py`.

use crate::exports::wasi::http::types::{Fields, GuestFields, HeaderError};
use std::cell::{Cell, RefCell};

/// Bytes that the fields of one message may take together, with 32 for each.
const MOST: usize = 128 * 1024;

const FORBIDDEN: [&str; 8] = [
    "connection",
    "keep-alive",
    "proxy-authenticate",
    "proxy-authorization",
    "proxy-connection",
    "transfer-encoding",
    "upgrade",
    "http2-settings",
];

pub struct List {
    pub items: RefCell<Vec<(String, Vec<u8>)>>,
    pub mutable: Cell<bool>,
}

impl List {
    pub fn given(items: Vec<(String, Vec<u8>)>) -> List {
        List { items: RefCell::new(items), mutable: Cell::new(false) }
    }

    fn check_mutable(&self) -> Result<(), HeaderError> {
        if self.mutable.get() { Ok(()) } else { Err(HeaderError::Immutable) }
    }

    fn add(&self, name: String, value: Vec<u8>) {
        let mut items = self.items.borrow_mut();
        items.push((name, value));
        let size: usize = items.iter().map(|(name, value)| name.len() + value.len() + 32).sum();
        assert!(size <= MOST, "the guest's header fields take more than 128 KiB");
    }

    /// Lines of name, tab, value: the head of a message for the host.
    pub fn write_to(&self, head: &mut String) {
        for (name, value) in self.items.borrow().iter() {
            head.push('\n');
            head.push_str(name);
            head.push('\t');
            if value.is_ascii() {
                head.push_str(unsafe { std::str::from_utf8_unchecked(value) });
            } else {
                head.extend(value.iter().map(|byte| *byte as char));
            }
        }
    }

    /// The number in content-length.
    pub fn promised(&self) -> Option<u64> {
        let items = self.items.borrow();
        let (_, value) = items.iter().find(|(name, _)| name == "content-length")?;
        if value.is_empty() || !value.iter().all(u8::is_ascii_digit) {
            return None;
        }
        std::str::from_utf8(value).ok()?.parse().ok()
    }
}

fn checked_name(name: &str) -> Result<String, HeaderError> {
    let token = |byte: u8| byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte);
    if name.is_empty() || !name.bytes().all(token) {
        return Err(HeaderError::InvalidSyntax);
    }
    let lower = name.to_ascii_lowercase();
    if FORBIDDEN.contains(&lower.as_str()) { Err(HeaderError::Forbidden) } else { Ok(lower) }
}

fn check_value(value: &[u8]) -> Result<(), HeaderError> {
    let bad = |byte: &u8| (*byte < 32 && *byte != b'\t') || *byte == 127;
    if value.iter().any(bad) { Err(HeaderError::InvalidSyntax) } else { Ok(()) }
}

impl GuestFields for List {
    fn new() -> List {
        List { items: RefCell::default(), mutable: Cell::new(true) }
    }

    fn from_list(entries: Vec<(String, Vec<u8>)>) -> Result<Fields, HeaderError> {
        let list = <List as GuestFields>::new();
        for (name, value) in entries {
            list.append(name, value)?;
        }
        Ok(Fields::new(list))
    }

    fn get(&self, name: String) -> Vec<Vec<u8>> {
        let items = self.items.borrow();
        let found = items.iter().filter(|(key, _)| key.eq_ignore_ascii_case(&name));
        found.map(|(_, value)| value.clone()).collect()
    }

    fn has(&self, name: String) -> bool {
        self.items.borrow().iter().any(|(key, _)| key.eq_ignore_ascii_case(&name))
    }

    fn set(&self, name: String, values: Vec<Vec<u8>>) -> Result<(), HeaderError> {
        self.check_mutable()?;
        let name = checked_name(&name)?;
        for value in &values {
            check_value(value)?;
        }
        self.items.borrow_mut().retain(|(key, _)| *key != name);
        for value in values {
            self.add(name.clone(), value);
        }
        Ok(())
    }

    fn delete(&self, name: String) -> Result<(), HeaderError> {
        self.check_mutable()?;
        let name = checked_name(&name)?;
        self.items.borrow_mut().retain(|(key, _)| *key != name);
        Ok(())
    }

    fn append(&self, name: String, value: Vec<u8>) -> Result<(), HeaderError> {
        self.check_mutable()?;
        let name = checked_name(&name)?;
        check_value(&value)?;
        self.add(name, value);
        Ok(())
    }

    fn entries(&self) -> Vec<(String, Vec<u8>)> {
        self.items.borrow().clone()
    }

    fn clone(&self) -> Fields {
        let list = <List as GuestFields>::new();
        list.items.replace(self.items.borrow().clone());
        Fields::new(list)
    }
}
