//! Orders in JSON into totals for each customer, with a parser of our own: text, branches, a tree.
//!
//! `programs/json_transform.rs` does the same with serde_json, which is what one would use; written
//! out, the algorithm can be the same in every language. The grammar is RFC 8259's; amounts are
//! whole cents. A name in an object that comes twice counts with its last value.
//!
//! ```console
//! $ wasm-lab run --invoke totals_by_customer kernels/json.rs "'''$(cat texts/orders.json)'''"
//! [{"customer":"Ada","orders":2,"cents":5497},{"customer":"Grace","orders":1,"cents":1250}]
//! $ wasm-lab run --invoke totals_by_customer kernels/json.rs "'[{\"customer\": \"Ada\"}]'"
//! ...an order has no items...
//! [exit status 1]
//! $ wasm-lab test kernels/json.rs
//! ...
//! ```

use std::collections::BTreeMap;

/// Deepest nesting that is read.
const DEEPEST: u32 = 128;

/// Largest amount: up to it every whole number is exact in a JSON reader that uses floats.
const LARGEST: u64 = (1 << 53) - 1;

enum Value {
    Null,
    Bool,
    Number(f64),
    Text(String),
    List(Vec<Value>),
    Object(Vec<(String, Value)>),
}

impl Value {
    fn field(&self, name: &str) -> Option<&Value> {
        let Value::Object(fields) = self else { return None };
        fields.iter().rev().find(|(key, _)| key == name).map(|(_, value)| value)
    }
}

struct Parser<'a> {
    text: &'a str,
    at: usize,
}

impl Parser<'_> {
    fn wrong<T>(&self, expected: &str) -> Result<T, String> {
        Err(format!("at byte {}: expected {expected}", self.at))
    }

    fn peek(&self) -> u8 {
        // No byte of a text in JSON's grammar is 0, so it can stand for the end.
        self.text.as_bytes().get(self.at).copied().unwrap_or(0)
    }

    fn skip_space(&mut self) {
        while matches!(self.peek(), b' ' | b'\t' | b'\n' | b'\r') {
            self.at += 1;
        }
    }

    fn take(&mut self, byte: u8) -> bool {
        let there = self.peek() == byte;
        self.at += there as usize;
        there
    }

    fn word(&mut self, word: &str, value: Value) -> Result<Value, String> {
        if !self.text[self.at..].starts_with(word) {
            return self.wrong("a value");
        }
        self.at += word.len();
        Ok(value)
    }

    fn value(&mut self, depth: u32) -> Result<Value, String> {
        if depth > DEEPEST {
            return self.wrong("less nesting");
        }
        self.skip_space();
        match self.peek() {
            b'{' => self.object(depth),
            b'[' => self.list(depth),
            b'"' => Ok(Value::Text(self.string()?)),
            b'-' | b'0'..=b'9' => self.number(),
            b't' => self.word("true", Value::Bool),
            b'f' => self.word("false", Value::Bool),
            b'n' => self.word("null", Value::Null),
            _ => self.wrong("a value"),
        }
    }

    fn list(&mut self, depth: u32) -> Result<Value, String> {
        self.at += 1;
        let mut items = Vec::new();
        self.skip_space();
        if self.take(b']') {
            return Ok(Value::List(items));
        }
        loop {
            items.push(self.value(depth + 1)?);
            self.skip_space();
            if self.take(b']') {
                return Ok(Value::List(items));
            }
            if !self.take(b',') {
                return self.wrong("a comma or ]");
            }
        }
    }

    fn object(&mut self, depth: u32) -> Result<Value, String> {
        self.at += 1;
        let mut fields = Vec::new();
        self.skip_space();
        if self.take(b'}') {
            return Ok(Value::Object(fields));
        }
        loop {
            self.skip_space();
            if self.peek() != b'"' {
                return self.wrong("a name");
            }
            let name = self.string()?;
            self.skip_space();
            if !self.take(b':') {
                return self.wrong("a colon");
            }
            fields.push((name, self.value(depth + 1)?));
            self.skip_space();
            if self.take(b'}') {
                return Ok(Value::Object(fields));
            }
            if !self.take(b',') {
                return self.wrong("a comma or }");
            }
        }
    }

    fn string(&mut self) -> Result<String, String> {
        self.at += 1;
        let mut text = String::new();
        let mut start = self.at;
        loop {
            match self.peek() {
                b'"' => {
                    text.push_str(&self.text[start..self.at]);
                    self.at += 1;
                    return Ok(text);
                }
                b'\\' => {
                    text.push_str(&self.text[start..self.at]);
                    self.at += 1;
                    text.push(self.escape()?);
                    start = self.at;
                }
                0..=0x1f => return self.wrong("the end of a string"),
                _ => self.at += 1,
            }
        }
    }

    fn escape(&mut self) -> Result<char, String> {
        let letter = self.peek();
        self.at += 1;
        Ok(match letter {
            b'"' | b'\\' | b'/' => letter as char,
            b'b' => '\x08',
            b'f' => '\x0c',
            b'n' => '\n',
            b'r' => '\r',
            b't' => '\t',
            b'u' => {
                let mut code = self.four_digits()?;
                if (0xd800..0xdc00).contains(&code) && self.text[self.at..].starts_with("\\u") {
                    self.at += 2;
                    let low = self.four_digits()?;
                    if !(0xdc00..0xe000).contains(&low) {
                        return self.wrong("the second half of a pair");
                    }
                    code = 0x10000 + ((code - 0xd800) << 10) + (low - 0xdc00);
                }
                match char::from_u32(code) {
                    Some(character) => character,
                    None => return self.wrong("both halves of a pair"),
                }
            }
            _ => return self.wrong("an escape"),
        })
    }

    fn four_digits(&mut self) -> Result<u32, String> {
        let mut code = 0;
        for _ in 0..4 {
            match (self.peek() as char).to_digit(16) {
                Some(digit) => code = code * 16 + digit,
                None => return self.wrong("four hexadecimal digits"),
            }
            self.at += 1;
        }
        Ok(code)
    }

    fn digits(&mut self) -> Result<(), String> {
        if !self.peek().is_ascii_digit() {
            return self.wrong("a digit");
        }
        while self.peek().is_ascii_digit() {
            self.at += 1;
        }
        Ok(())
    }

    fn number(&mut self) -> Result<Value, String> {
        let start = self.at;
        self.take(b'-');
        if !self.take(b'0') {
            self.digits()?;
        }
        if self.take(b'.') {
            self.digits()?;
        }
        if matches!(self.peek(), b'e' | b'E') {
            self.at += 1;
            if matches!(self.peek(), b'+' | b'-') {
                self.at += 1;
            }
            self.digits()?;
        }
        Ok(Value::Number(self.text[start..self.at].parse().expect("JSON's numbers are Rust's")))
    }
}

fn parse(text: &str) -> Result<Value, String> {
    let mut parser = Parser { text, at: 0 };
    let value = parser.value(0)?;
    parser.skip_space();
    if parser.at < text.len() {
        return parser.wrong("the end");
    }
    Ok(value)
}

fn write_string(to: &mut String, text: &str) {
    to.push('"');
    for character in text.chars() {
        match character {
            '"' => to.push_str("\\\""),
            '\\' => to.push_str("\\\\"),
            '\x08' => to.push_str("\\b"),
            '\x0c' => to.push_str("\\f"),
            '\n' => to.push_str("\\n"),
            '\r' => to.push_str("\\r"),
            '\t' => to.push_str("\\t"),
            '\0'..='\x1f' => to.push_str(&format!("\\u{:04x}", character as u32)),
            _ => to.push(character),
        }
    }
    to.push('"');
}

/// A whole number that is exact as a float.
fn amount(value: &Value) -> Result<u64, String> {
    match value {
        Value::Number(number) if *number >= 0.0 && *number <= LARGEST as f64 && number.fract() == 0.0 => {
            Ok(*number as u64)
        }
        _ => Err("an amount is no whole number of at most 2^53 - 1".into()),
    }
}

fn checked(sum: Option<u64>) -> Result<u64, String> {
    sum.filter(|sum| *sum <= LARGEST).ok_or_else(|| "a total is above 2^53 - 1".into())
}

fn cents_of(order: &Value) -> Result<u64, String> {
    let Some(Value::List(items)) = order.field("items") else { return Err("an order has no items".into()) };
    let mut sum = 0;
    for item in items {
        let cents = amount(item.field("cents").ok_or("an item has no cents")?)?;
        let quantity = item.field("quantity").map_or(Ok(1), amount)?;
        let price = checked(cents.checked_mul(quantity))?;
        sum = checked(Some(sum + price))?;
    }
    Ok(sum)
}

/// Each customer's number of orders and sum in cents, as JSON, by the customer's name.
pub fn totals_by_customer(orders: &str) -> Result<String, String> {
    let Value::List(orders) = parse(orders)? else { return Err("the orders are no list".into()) };
    let mut totals: BTreeMap<&str, (u32, u64)> = BTreeMap::new();
    for order in &orders {
        let Some(Value::Text(customer)) = order.field("customer") else {
            return Err("an order has no customer".into());
        };
        let cents = cents_of(order)?;
        let total = totals.entry(customer).or_default();
        total.0 += 1;
        total.1 = checked(Some(total.1 + cents))?;
    }
    let mut json = String::from("[");
    for (customer, (orders, cents)) in totals {
        if json.len() > 1 {
            json.push(',');
        }
        json.push_str("{\"customer\":");
        write_string(&mut json, customer);
        json.push_str(&format!(",\"orders\":{orders},\"cents\":{cents}}}"));
    }
    json.push(']');
    Ok(json)
}

/// So many orders of 50 customers, drawn by Marsaglia's xorshift generator ("Xorshift RNGs", 2003).
fn orders_of_noise(count: u32) -> String {
    let mut state: u32 = 2_463_534_242;
    let mut below = |limit: u32| {
        state ^= state << 13;
        state ^= state >> 17;
        state ^= state << 5;
        state % limit
    };
    let mut json = String::from("[");
    for number in 0..count {
        let comma = if number > 0 { "," } else { "" };
        json += &format!("{comma}\n  {{\"customer\": \"Customer {}\", \"items\": [", below(50));
        for item in 0..1 + below(4) {
            let comma = if item > 0 { ", " } else { "" };
            json += &format!("{comma}{{\"cents\": {}, \"quantity\": {}}}", below(10_000), 1 + below(9));
        }
        json += "], \"note\": \"a \\\"short\\\" caf\\u00e9\", \"weight\": 1.5e-1, \"gift\": false}";
    }
    json + "\n]"
}

/// The FNV-1a hash (32 bits) of the totals of so many random orders.
///
/// Takes and returns one number, so that a benchmark of it has no copies in it; writing the orders
/// is part of the work.
pub fn totals_of_noise(count: u32) -> Result<u32, String> {
    let totals = totals_by_customer(&orders_of_noise(count))?;
    Ok(totals.bytes().fold(0x811c_9dc5, |hash, byte| (hash ^ byte as u32).wrapping_mul(0x0100_0193)))
}

#[cfg(test)]
mod tests {
    use super::*;

    // What programs/json_transform.rs, which is serde_json, gives for texts/orders.json.
    #[test]
    fn as_serde_does() {
        let orders = r#"[{"customer": "Grace", "items": [{"cents": 1250}]},
            {"customer": "Ada", "items": [{"cents": 999, "quantity": 3}, {"cents": 500}]},
            {"customer": "Ada", "items": [{"cents": 2000}]}]"#;
        let totals =
            r#"[{"customer":"Ada","orders":2,"cents":5497},{"customer":"Grace","orders":1,"cents":1250}]"#;
        assert_eq!(totals_by_customer(orders).as_deref(), Ok(totals));
        assert_eq!(totals_by_customer(" [ ] ").as_deref(), Ok("[]"));
    }

    // Computed with Python's json module.
    #[test]
    fn as_python_does() {
        assert_eq!(totals_of_noise(0), Ok(0x7416_38a5));
        assert_eq!(totals_of_noise(1_000), Ok(0x320c_05db));
    }

    // The example of RFC 8259, section 7: the G clef, U+1D11E, is "\uD834\uDD1E".
    #[test]
    fn text_of_every_kind() {
        let orders = r#"[{"customer": "\uD834\uDD1E\u00e9\"\\\/\b\f\n\r\t\u001fé", "items": []}]"#;
        let totals = "[{\"customer\":\"\u{1d11e}é\\\"\\\\/\\b\\f\\n\\r\\t\\u001fé\",\"orders\":1,\"cents\":0}]";
        assert_eq!(totals_by_customer(orders).as_deref(), Ok(totals));
    }

    // Texts that the JSON Parsing Test Suite (nst/JSONTestSuite, files n_*) says must be refused,
    // and some that it says must be read (y_*).
    #[test]
    fn grammar() {
        let refused = [
            "", " ", "[1,]", "[,1]", "[1", "[1 2]", "[01]", "[-]", "[+1]", "[.5]", "[1.]", "[1e]", "[1e+]",
            "[NaN]", "[Infinity]", "[0x1]", "['a']", "[\"a]", "[\"\\x\"]", "[\"\\u12g4\"]", "[\"\t\"]",
            "{\"a\":}", "{\"a\" 1}", "{a:1}", "{\"a\":1,}", "[true", "[tru]", "[nul]", "[] []", "[]]",
            "[\"\\ud800\"]", "[\"\\ud800\\u0041\"]", "[\"\\udc00\"]", "[\u{a0}]", "[\u{feff}]", "[\0]",
        ];
        for text in refused {
            assert!(parse(text).is_err(), "{text}");
        }
        let read = [
            "[0]", "[-0]", "[-12.5e+3]", "[1E400]", "[\"\u{7f}\"]", "[\"\\u0000\"]", "{\"\":0}",
            "\t\r\n [ null , true , false ] ", "{\"a\":{},\"a\":[]}", "\"x\"",
        ];
        for text in read {
            assert!(parse(text).is_ok(), "{text}");
        }
        assert!(parse(&("[".repeat(100) + &"]".repeat(100))).is_ok());
        assert!(parse(&"[".repeat(100_000)).is_err());
    }

    #[test]
    fn amounts_are_whole_and_exact() {
        let order = |item: &str| format!(r#"[{{"customer":"A","items":[{item}]}}]"#);
        for item in [
            r#"{"cents":1.5}"#,
            r#"{"cents":-1}"#,
            r#"{"cents":"1"}"#,
            r#"{"quantity":1}"#,
            r#"{"cents":1,"quantity":null}"#,
            r#"{"cents":9007199254740992}"#,
            r#"{"cents":9007199254740991},{"cents":1}"#,
            r#"{"cents":9007199254740991,"quantity":9007199254740991}"#,
            "7",
        ] {
            assert!(totals_by_customer(&order(item)).is_err(), "{item}");
        }
        let largest = totals_by_customer(&order(r#"{"cents":9007199254740991}"#));
        assert_eq!(largest.as_deref(), Ok(r#"[{"customer":"A","orders":1,"cents":9007199254740991}]"#));
        assert!(totals_by_customer(&order(r#"{"cents":5,"cents":12e0}"#)).unwrap().contains(":12}"));
    }
}
