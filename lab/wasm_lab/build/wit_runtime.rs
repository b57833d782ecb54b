// What bindings made by wit-bindgen call at run time. The names and their meaning are those of the
// crate wit-bindgen 0.61 (`wit_bindgen::rt`, Apache-2.0 WITH LLVM-exception OR Apache-2.0 OR MIT), without
// what is for async functions and for targets other than wasm32-wasip2.

use std::alloc::{Layout, alloc, dealloc, handle_alloc_error};
use std::collections::{BTreeMap, HashMap};
use std::ptr::{self, NonNull};

/// The standard library of this target exports `cabi_realloc` itself.
pub fn maybe_link_cabi_realloc() {}

/// Without this, wasm-ld runs the constructors anew at every export that is called.
pub fn run_ctors_once() {
    static mut RUN: bool = false;
    unsafe {
        if !RUN {
            unsafe extern "C" {
                fn __wasm_call_ctors();
            }
            __wasm_call_ctors();
            RUN = true;
        }
    }
}

/// Memory that is given back when a call ends.
pub struct Cleanup {
    at: NonNull<u8>,
    layout: Layout,
}

impl Cleanup {
    /// Memory of that layout, and what frees it; a null pointer and nothing for a size of 0.
    pub fn new(layout: Layout) -> (*mut u8, Option<Cleanup>) {
        if layout.size() == 0 {
            return (ptr::null_mut(), None);
        }
        match NonNull::new(unsafe { alloc(layout) }) {
            Some(at) => (at.as_ptr(), Some(Cleanup { at, layout })),
            None => handle_alloc_error(layout),
        }
    }

    pub fn forget(self) {
        std::mem::forget(self);
    }
}

impl Drop for Cleanup {
    fn drop(&mut self) {
        unsafe { dealloc(self.at.as_ptr(), self.layout) }
    }
}

/// How an exported resource lies in memory: an `Option`, so that it can be taken out.
pub trait Resource: Sized + 'static {
    type Rep: ResourceRep<Self>;
}

impl<T: 'static> Resource for T {
    type Rep = Option<T>;
}

pub unsafe trait ResourceRep<T> {
    fn rep_new(inner: T) -> Self;
    unsafe fn rep_as_ref<'a>(ptr: *const Self) -> &'a T;
    unsafe fn rep_as_mut<'a>(ptr: *mut Self) -> &'a mut T;
    unsafe fn rep_take<'a>(ptr: *mut Self) -> T;
}

unsafe impl<T> ResourceRep<T> for Option<T> {
    fn rep_new(inner: T) -> Option<T> {
        Some(inner)
    }
    unsafe fn rep_as_ref<'a>(ptr: *const Option<T>) -> &'a T {
        unsafe { (*ptr).as_ref().unwrap() }
    }
    unsafe fn rep_as_mut<'a>(ptr: *mut Option<T>) -> &'a mut T {
        unsafe { (*ptr).as_mut().unwrap() }
    }
    unsafe fn rep_take(ptr: *mut Option<T>) -> T {
        unsafe { (*ptr).take().unwrap() }
    }
}

pub type Map<K, V> = BTreeMap<K, V>;

pub trait WitMap<K, V>: Sized {
    fn wit_map_new(capacity: usize) -> Self;
    fn wit_map_push(&mut self, key: K, value: V);
    fn wit_map_len(&self) -> usize;
}

impl<K: Ord, V> WitMap<K, V> for BTreeMap<K, V> {
    fn wit_map_new(_capacity: usize) -> Self {
        BTreeMap::new()
    }
    fn wit_map_push(&mut self, key: K, value: V) {
        self.insert(key, value);
    }
    fn wit_map_len(&self) -> usize {
        self.len()
    }
}

impl<K: std::hash::Hash + Eq, V> WitMap<K, V> for HashMap<K, V> {
    fn wit_map_new(capacity: usize) -> Self {
        HashMap::with_capacity(capacity)
    }
    fn wit_map_push(&mut self, key: K, value: V) {
        self.insert(key, value);
    }
    fn wit_map_len(&self) -> usize {
        self.len()
    }
}
