"""Which signatures are refused, and that the refusal names the parameter and the reason."""

from __future__ import annotations

import pytest

from wasm_lab import abi
from wasm_lab.cells.functions import public_functions
from wasm_lab.cells.syntax import Syntax


def obstacle(function: str) -> str:
    (signature,) = public_functions(Syntax(function))
    return abi.obstacle(signature)


@pytest.mark.parametrize(
    ("function", "reason"),
    [
        ("pub fn f(g: impl Fn(f64) -> f64) {}", "parameter g: impl Fn(f64) -> f64 has no Python form"),
        ("pub fn f(g: fn(u8) -> u8) {}", "parameter g: fn(u8) -> u8 has no Python form"),
        ("pub fn f(x: Point) {}", "parameter x: Point has no Python form"),
        ("pub fn f(x: Vec<Option<Point>>) {}", "parameter x: Point has no Python form"),
        ("pub fn f() -> (u8, Point) { todo!() }", "its result: Point has no Python form"),
        ("pub fn f() -> impl Iterator<Item = u8> { 0..1 }", "its result: impl Iterator<Item = u8> has no"),
        ("pub fn f() -> Result<Point, String> { todo!() }", "its result: Point has no Python form"),
        (
            "pub fn f(x: Result<u8, String>) {}",
            "parameter x: Result<u8, String> can only be the whole result",
        ),
        ("pub fn f() -> Vec<Result<u8, u8>> { todo!() }", "its result: Result<u8, u8> can only be the whole"),
        ("pub fn f() -> Result<Result<u8, u8>, u8> { todo!() }", "its result"),
        ("pub fn f(x: &mut Vec<u8>) {}", "parameter x: &mut Vec<u8> would change Python's own value"),
        ("pub fn f(x: &mut u8) {}", "parameter x: &mut u8 would change"),
        ("pub fn f(x: &mut [String]) {}", "parameter x: &mut [String] can be copied back only"),
        ("pub fn f(x: &mut str) {}", "parameter x: &mut str would change"),
        ("pub fn f(x: (u8, &mut [u8])) {}", "parameter x: &mut [u8] can only be a parameter of its own"),
        ("pub fn f(x: &'static str) {}", "parameter x: &'static str would have to live for ever"),
        ("pub fn f(x: Option<Option<u8>>) {}", "parameter x: Option<Option<u8>> has two kinds of None"),
        ("pub fn f(x: [f64; N]) {}", "parameter x: the length of [f64; N] is not written as a number"),
        ("pub fn f(x: Option<&String>) {}", "parameter x: &String inside another type"),
        ("pub fn f(x: Vec<&[String]>) {}", "parameter x: &[String] inside another type"),
        ("pub fn f(x: Vec<()>) {}", "parameter x: Vec<()> has no values"),
        ("pub fn f(x: HashMap<Vec<u8>, u8>) {}", "parameter x: keys of type Vec<u8> are not supported"),
        ("pub fn f(x: Box<[f64]>) {}", "parameter x: Box<[f64]> has no Python form"),
        ("pub fn f<T>(x: T) {}", "it is generic over T"),
        ("pub async fn f() {}", "it is async"),
        ("pub unsafe fn f() {}", "it is unsafe"),
    ],
)
def test_a_signature_without_a_python_form_is_refused(function: str, reason: str) -> None:
    assert obstacle(function).startswith(reason)


@pytest.mark.parametrize(
    "function",
    [
        "pub fn f<'a>(x: &'a str, y: &[&'a str]) -> &'a str { x }",
        "pub fn f() -> &'static [&'static str] { &[] }",
        "pub fn f() -> [f64; N] { todo!() }",
        "pub fn f() -> anyhow::Result<Vec<Option<String>>> { todo!() }",
        "pub fn f() -> Result<(), Box<dyn std::error::Error>> { Ok(()) }",
        "pub fn f(x: &HashMap<String, Vec<(u8, f64)>>) -> Option<&str> { None }",
        "type Row = (String, [u8; 4]); pub fn f(rows: Vec<Row>) {}",
    ],
)
def test_what_has_a_python_form_passes(function: str) -> None:
    assert obstacle(function) == ""
