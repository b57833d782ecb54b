// In the manner of exercism: a small type, and many tests beside it, most of them ignored at first.
//@ tests: empty ok, same_time_written_in_another_way ok, midnight ok, rolls_over ok, negative ok, parse_errors ok, result_ok ok, result_err FAILED, wrong_panic FAILED, no_panic FAILED, nested::deeper::inner ok
use std::fmt;
use std::num::ParseIntError;

#[derive(Debug, PartialEq, Eq)]
pub struct Clock(i32);

impl Clock {
    pub fn new(hours: i32, minutes: i32) -> Self {
        Clock((hours * 60 + minutes).rem_euclid(24 * 60))
    }
    pub fn add_minutes(self, minutes: i32) -> Self {
        Clock::new(0, self.0 + minutes)
    }
}

impl fmt::Display for Clock {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:02}:{:02}", self.0 / 60, self.0 % 60)
    }
}

impl std::str::FromStr for Clock {
    type Err = ParseIntError;
    fn from_str(s: &str) -> Result<Self, Self::Err> {
        let (hours, minutes) = s.split_once(':').unwrap_or((s, "0"));
        Ok(Clock::new(hours.parse()?, minutes.parse()?))
    }
}

#[test]
fn empty() {}

#[test]
fn same_time_written_in_another_way() {
    assert_eq!(Clock::new(15, 37), Clock::new(39, 37));
}

#[test]
fn midnight() {
    assert_eq!(Clock::new(24, 0).to_string(), "00:00");
}

#[test]
fn rolls_over() {
    assert_eq!(Clock::new(0, 45).add_minutes(40).to_string(), "01:25");
}

#[test]
fn negative() {
    assert_eq!(Clock::new(-121, -5810).to_string(), "22:10");
}

#[test]
fn parse_errors() {
    assert!("x:1".parse::<Clock>().is_err());
}

#[test]
fn result_ok() -> Result<(), ParseIntError> {
    assert_eq!("7:05".parse::<Clock>()?, Clock::new(7, 5));
    Ok(())
}

#[test]
fn result_err() -> Result<(), ParseIntError> {
    "seven".parse::<Clock>()?;
    Ok(())
}

#[test]
#[should_panic(expected = "this text")]
fn wrong_panic() {
    panic!("another text");
}

#[test]
#[should_panic]
fn no_panic() {}

mod nested {
    mod deeper {
        #[test]
        fn inner() {
            assert!(super::super::Clock::new(1, 1) != crate::Clock::new(1, 2));
        }
    }
}
