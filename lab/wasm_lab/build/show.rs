// Shows the value of a cell's last expression, by evcxr's convention for rich content.
#![allow(dead_code, unused)]

pub struct Probe<'a, T: ?Sized>(pub &'a T);
pub struct Plain;

/// What `evcxr_display` finds on a type that has no method of that name: an inherent method wins.
pub trait NoDisplayOfItsOwn {
    fn evcxr_display(&self) -> Plain { Plain }
}
impl<T: ?Sized> NoDisplayOfItsOwn for T {}

pub trait Outcome { fn shown(&self) -> bool { true } }
impl Outcome for Plain { fn shown(&self) -> bool { false } }
impl Outcome for () {}
impl<T, E> Outcome for Result<T, E> {}
impl<T> Outcome for Option<T> {}

// The first of these that fits is taken, because each needs one more reference than the next:
// a method call takes the receiver with the fewest references removed.
pub trait ShowUnit { fn show(&self) {} }
impl ShowUnit for &&&Probe<'_, ()> {}

pub trait ShowDebug { fn show(&self); }
impl<T: ?Sized + core::fmt::Debug> ShowDebug for &&Probe<'_, T> {
    fn show(&self) { content(format_args!("{:?}", self.0)) }
}

pub trait ShowDisplay { fn show(&self); }
impl<T: ?Sized + core::fmt::Display> ShowDisplay for &Probe<'_, T> {
    fn show(&self) { content(format_args!("{}", self.0)) }
}

pub trait ShowType { fn show(&self); }
impl<T: ?Sized> ShowType for Probe<'_, T> {
    fn show(&self) {
        let path = core::any::type_name::<T>();
        let name = path.rsplit("::").next().unwrap_or(path);
        content(format_args!("a {name}; put #[derive(Debug)] before its definition to see what is in it"))
    }
}

fn content(text: core::fmt::Arguments<'_>) {
    println!("EVCXR_BEGIN_CONTENT text/plain\n{text}\nEVCXR_END_CONTENT");
}

macro_rules! __wasm_lab_show {
    ($value:expr) => {
        #[allow(unused, unreachable_code, clippy::all)]
        match ($value,) {
            (value,) => {
                use crate::__wasm_lab_show::*;
                if !Outcome::shown(&(&value).evcxr_display()) {
                    (&&&&Probe(&value)).show()
                }
            }
        }
    };
}
