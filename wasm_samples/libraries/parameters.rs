//! One function for each kind of parameter and result that crosses between Python and Rust.
//!
//! In a notebook, `%%wasm_rust` and the text of this file make each `pub fn` a Python call.
//! The last section has functions that cannot cross: the lab says why, and the others work.
//!
//! Capabilities: none.
//!
//! ```console
//! $ wasm-lab run --invoke double_i64 libraries/parameters.rs -21
//! -42
//! $ wasm-lab run --invoke greet libraries/parameters.rs Ada
//! Hello, Ada!
//! $ wasm-lab run --invoke append libraries/parameters.rs text
//! error: append of libraries/parameters.rs cannot be called from outside: parameter text: ...
//! [exit status 2]
//! ```

use std::cell::Cell;
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::error::Error;

// Numbers. Each function gives back what it got, or twice that, so that limits can be tried.

pub fn same_i8(x: i8) -> i8 { x }
pub fn same_i16(x: i16) -> i16 { x }
pub fn same_i32(x: i32) -> i32 { x }
pub fn same_i64(x: i64) -> i64 { x }
pub fn same_i128(x: i128) -> i128 { x }
pub fn same_isize(x: isize) -> isize { x }
pub fn same_u8(x: u8) -> u8 { x }
pub fn same_u16(x: u16) -> u16 { x }
pub fn same_u32(x: u32) -> u32 { x }
pub fn same_u64(x: u64) -> u64 { x }
pub fn same_u128(x: u128) -> u128 { x }
pub fn same_usize(x: usize) -> usize { x }
pub fn same_f32(x: f32) -> f32 { x }
pub fn same_f64(x: f64) -> f64 { x }
pub fn double_i64(x: i64) -> i64 { x * 2 }

/// Every width in one call, to show that each arrives in its place.
#[allow(clippy::too_many_arguments)]
pub fn weighted(a: i8, b: u16, c: i32, d: u64, e: f32, f: f64, g: bool, h: i128) -> f64 {
    let sum = i128::from(a) + i128::from(b) + i128::from(c) + i128::from(d) + h;
    sum as f64 + f64::from(e) + f + f64::from(u8::from(g))
}

// Truth, letters, text.

pub fn not(x: bool) -> bool { !x }

/// The next Unicode character, skipping those that do not exist.
pub fn next_char(x: char) -> Option<char> {
    (x..=char::MAX).nth(1)
}

/// How many bytes, and how many characters.
pub fn lengths(text: &str) -> (usize, usize) {
    (text.len(), text.chars().count())
}

pub fn greet(name: &str) -> String {
    format!("Hello, {name}!")
}

/// Takes the text over, where `greet` only borrows it.
pub fn shout(mut text: String) -> String {
    text.make_ascii_uppercase();
    text + "!"
}

// Bytes.

pub fn checksum(bytes: &[u8]) -> u32 {
    bytes.iter().fold(0, |sum: u32, byte| sum.rotate_left(1) ^ u32::from(*byte))
}

pub fn reversed(mut bytes: Vec<u8>) -> Vec<u8> {
    bytes.reverse();
    bytes
}

// Slices and vectors of numbers: any buffer of the same type goes in, a NumPy array comes back.

pub fn sum_f64(values: &[f64]) -> f64 { values.iter().sum() }
pub fn sum_f32(values: &[f32]) -> f32 { values.iter().sum() }
pub fn sum_i8(values: &[i8]) -> i64 { values.iter().map(|x| i64::from(*x)).sum() }
pub fn sum_i16(values: &[i16]) -> i64 { values.iter().map(|x| i64::from(*x)).sum() }
pub fn sum_i32(values: &[i32]) -> i64 { values.iter().map(|x| i64::from(*x)).sum() }
pub fn sum_i64(values: &[i64]) -> i64 { values.iter().sum() }
pub fn sum_u16(values: &[u16]) -> u64 { values.iter().map(|x| u64::from(*x)).sum() }
pub fn sum_u32(values: &[u32]) -> u64 { values.iter().map(|x| u64::from(*x)).sum() }
pub fn sum_u64(values: &[u64]) -> u64 { values.iter().sum() }

pub fn scaled(values: &[f64], factor: f64) -> Vec<f64> {
    values.iter().map(|x| x * factor).collect()
}

pub fn dot(a: &[f64], b: &[f64]) -> f64 {
    a.iter().zip(b).map(|(x, y)| x * y).sum()
}

pub fn sorted(mut values: Vec<i32>) -> Vec<i32> {
    values.sort_unstable();
    values
}

pub fn counting(limit: u16) -> Vec<u16> {
    (0..limit).collect()
}

/// Changes the caller's own array: what the guest wrote is copied back.
pub fn normalise(values: &mut [f64]) {
    let largest = values.iter().fold(0.0, |largest: f64, x| largest.max(x.abs()));
    values.iter_mut().for_each(|x| *x /= largest);
}

// Lists of text, maps, sets, nested lists, tuples, Option, Result, nothing.

pub fn total(counts: HashMap<String, u64>) -> u64 {
    counts.values().sum()
}

pub fn letters(text: &str) -> BTreeMap<char, u32> {
    text.chars().fold(BTreeMap::new(), |mut counts, letter| {
        *counts.entry(letter).or_default() += 1;
        counts
    })
}

pub fn distinct(words: Vec<String>) -> BTreeSet<String> {
    words.into_iter().collect()
}

pub fn row_lengths(rows: Vec<Vec<u8>>) -> Vec<usize> {
    rows.iter().map(Vec::len).collect()
}

pub fn join(words: Vec<String>, separator: &str) -> String {
    words.join(separator)
}

pub fn split(text: &str) -> Vec<String> {
    text.split_whitespace().map(str::to_owned).collect()
}

pub fn divide_with_rest(a: i64, b: i64) -> (i64, i64) {
    (a.div_euclid(b), a.rem_euclid(b))
}

pub fn halve(x: u32) -> Option<u32> {
    x.is_multiple_of(2).then_some(x / 2)
}

pub fn or_zero(x: Option<i64>) -> i64 {
    x.unwrap_or(0)
}

/// Raises GuestError with the parser's own words when the text is no number.
pub fn parse_number(text: &str) -> Result<i64, std::num::ParseIntError> {
    text.trim().parse()
}

/// The same for any kind of error.
pub fn first_number(text: &str) -> Result<f64, Box<dyn Error>> {
    let word = text.split_whitespace().next().ok_or("there is no word")?;
    Ok(word.parse()?)
}

/// The same with a text as its error.
pub fn square_root(x: f64) -> Result<f64, String> {
    if x < 0.0 { Err(format!("{x} has no real square root")) } else { Ok(x.sqrt()) }
}

pub fn check_even(x: u32) -> Result<(), String> {
    if x % 2 == 0 { Ok(()) } else { Err(format!("{x} is odd")) }
}

pub fn nothing() {}

// State lives in the instance until it is reset.

thread_local! {
    static CALLS: Cell<u32> = const { Cell::new(0) };
}

/// How many times this was called since the instance began.
pub fn count_calls() -> u32 {
    CALLS.set(CALLS.get() + 1);
    CALLS.get()
}

/// Panics, which poisons the instance.
pub fn element(values: &[i32], index: usize) -> i32 {
    values[index]
}

// What cannot cross. The functions above work all the same.

/// Generic: there is no one function to call.
pub fn largest<T: PartialOrd + Copy>(values: &[T]) -> Option<T> {
    values.iter().copied().reduce(|a, b| if b > a { b } else { a })
}

/// Python's text cannot change, so there is nothing to write back to.
pub fn append(text: &mut String) {
    text.push('.');
}

/// A function cannot be passed from Python.
pub fn apply(function: fn(i32) -> i32, x: i32) -> i32 {
    function(x)
}

/// A type of one's own is not known outside.
pub struct Point {
    pub x: f64,
    pub y: f64,
}

pub fn length(point: Point) -> f64 {
    point.x.hypot(point.y)
}
