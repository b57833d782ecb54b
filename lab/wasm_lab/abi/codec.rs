//@ head
// What this module trips when a cell denies it, and no more: allowing what a cell forbids is an error.
#![allow(
    warnings, unsafe_code, dead_code, deprecated, improper_ctypes_definitions, non_snake_case,
    single_use_lifetimes, trivial_numeric_casts, unused_results, unused_variables
)]
//@ frame
// Where arguments lie: one buffer, kept between calls.
static mut FRAME: (*mut u8, usize) = (0 as *mut u8, 0);
#[unsafe(export_name = "__wasm_lab_frame")]
extern "C" fn frame(size: usize) -> *mut u8 {
    unsafe {
        let old = ::std::ptr::addr_of_mut!(FRAME);
        if (*old).1 != 0 {
            ::std::alloc::dealloc((*old).0, ::std::alloc::Layout::from_size_align_unchecked((*old).1, 16));
            *old = (0 as *mut u8, 0);
        }
        if size == 0 || size > 0x7fff_0000 { return 0 as *mut u8; }
        let new = ::std::alloc::alloc(::std::alloc::Layout::from_size_align_unchecked(size, 16));
        if !new.is_null() { *old = (new, size); }
        new
    }
}
//@ slice
unsafe fn slice<'a, T>(at: *const T, n: usize) -> &'a [T] { unsafe { ::std::slice::from_raw_parts(at, n) } }
//@ slice_mut
unsafe fn slice_mut<'a, T>(at: *mut T, n: usize) -> &'a mut [T] { unsafe { ::std::slice::from_raw_parts_mut(at, n) } }
//@ text
unsafe fn text<'a>(at: *const u8, n: usize) -> &'a str {
    unsafe { ::std::str::from_utf8_unchecked(::std::slice::from_raw_parts(at, n)) }
}
//@ hold
// The last result, kept until the next call: address, bytes, alignment.
static mut HELD: (*mut u8, usize, usize) = (0 as *mut u8, 0, 1);
unsafe fn release() {
    unsafe {
        let held = ::std::ptr::addr_of_mut!(HELD);
        let (at, size, align) = *held;
        *held = (0 as *mut u8, 0, 1);
        if size != 0 { ::std::alloc::dealloc(at, ::std::alloc::Layout::from_size_align_unchecked(size, align)); }
    }
}
unsafe fn hold<T: Copy>(v: Vec<T>) -> u64 {
    unsafe {
        release();
        let mut v = ::std::mem::ManuallyDrop::new(v);
        let size = v.capacity() * ::std::mem::size_of::<T>();
        *::std::ptr::addr_of_mut!(HELD) = (v.as_mut_ptr() as *mut u8, size, ::std::mem::align_of::<T>());
        v.as_ptr() as usize as u64 | (v.len() as u64) << 32
    }
}
//@ err
// An error's text: by Display, else by Debug, else by its type's name (the first that
// method resolution finds when it dereferences the receiver once more each time).
struct Text<'a, E: ?Sized>(&'a E);
trait ByDisplay { fn words(&self) -> String; }
impl<'a, 'b, 'c, E: ?Sized + ::std::fmt::Display> ByDisplay for &'c &'b Text<'a, E> { fn words(&self) -> String { ::std::string::ToString::to_string(self.0) } }
trait ByDebug { fn words(&self) -> String; }
impl<'a, 'b, E: ?Sized + ::std::fmt::Debug> ByDebug for &'b Text<'a, E> { fn words(&self) -> String { ::std::format!("{:?}", self.0) } }
trait ByName { fn words(&self) -> String; }
impl<'a, E: ?Sized> ByName for Text<'a, E> { fn words(&self) -> String { String::from(::std::any::type_name::<E>()) } }
//@ in
trait In: Sized {
    unsafe fn get(r: &mut *const u8) -> Self;
    unsafe fn get_all(r: &mut *const u8, n: usize) -> Vec<Self> {
        let mut v = Vec::<Self>::with_capacity(n);
        unsafe { for i in 0..n { v.as_mut_ptr().add(i).write(Self::get(r)); v.set_len(i + 1); } }
        v
    }
}
unsafe fn bare<T: Copy>(r: &mut *const u8) -> T {
    unsafe {
        let value = (*r as *const T).read_unaligned();
        *r = (*r).add(::std::mem::size_of::<T>());
        value
    }
}
unsafe fn count(r: &mut *const u8) -> usize { unsafe { bare::<u32>(r) as usize } }
unsafe fn run<'a, T>(r: &mut *const u8, n: usize) -> &'a [T] {
    unsafe {
        let size = ::std::mem::size_of::<T>();
        let at = ((*r as usize + size - 1) & !(size - 1)) as *const T;
        *r = at.add(n) as *const u8;
        ::std::slice::from_raw_parts(at, n)
    }
}
//@ in plain
impl In for $T {
    unsafe fn get(r: &mut *const u8) -> Self { unsafe { bare::<$T>(r) } }
    unsafe fn get_all(r: &mut *const u8, n: usize) -> Vec<Self> { unsafe { run::<$T>(r, n).to_vec() } }
}
//@ in str
impl<'a> In for &'a str {
    unsafe fn get(r: &mut *const u8) -> Self { unsafe { let n = count(r); ::std::str::from_utf8_unchecked(run::<u8>(r, n)) } }
}
//@ in String
impl In for String {
    unsafe fn get(r: &mut *const u8) -> Self { unsafe { let n = count(r); String::from_utf8_unchecked(run::<u8>(r, n).to_vec()) } }
}
//@ in slice
impl<'a, T: In> In for &'a [T] { unsafe fn get(r: &mut *const u8) -> Self { unsafe { let n = count(r); run::<T>(r, n) } } }
//@ in Vec
impl<T: In> In for Vec<T> { unsafe fn get(r: &mut *const u8) -> Self { unsafe { let n = count(r); T::get_all(r, n) } } }
//@ in array
impl<T: In, const N: usize> In for [T; N] {
    unsafe fn get(r: &mut *const u8) -> Self {
        unsafe {
            let n = count(r);
            match <[T; N] as ::std::convert::TryFrom<Vec<T>>>::try_from(T::get_all(r, n)) { Ok(a) => a, Err(_) => ::std::process::abort() }
        }
    }
}
//@ in Option
impl<T: In> In for Option<T> {
    unsafe fn get(r: &mut *const u8) -> Self { unsafe { if bare::<u8>(r) == 0 { None } else { Some(T::get(r)) } } }
}
//@ in HashMap
impl<K: In + Eq + ::std::hash::Hash, V: In, S: Default + ::std::hash::BuildHasher> In for ::std::collections::HashMap<K, V, S> {
    unsafe fn get(r: &mut *const u8) -> Self {
        unsafe { let mut m = Self::default(); for _ in 0..count(r) { let k = K::get(r); m.insert(k, V::get(r)); } m }
    }
}
//@ in BTreeMap
impl<K: In + Ord, V: In> In for ::std::collections::BTreeMap<K, V> {
    unsafe fn get(r: &mut *const u8) -> Self {
        unsafe { let mut m = Self::new(); for _ in 0..count(r) { let k = K::get(r); m.insert(k, V::get(r)); } m }
    }
}
//@ in HashSet
impl<K: In + Eq + ::std::hash::Hash, S: Default + ::std::hash::BuildHasher> In for ::std::collections::HashSet<K, S> {
    unsafe fn get(r: &mut *const u8) -> Self { unsafe { let mut m = Self::default(); for _ in 0..count(r) { m.insert(K::get(r)); } m } }
}
//@ in BTreeSet
impl<K: In + Ord> In for ::std::collections::BTreeSet<K> {
    unsafe fn get(r: &mut *const u8) -> Self { unsafe { let mut m = Self::new(); for _ in 0..count(r) { m.insert(K::get(r)); } m } }
}
//@ in tuple
impl<$($A: In),+> In for ($($A,)+) { unsafe fn get(r: &mut *const u8) -> Self { unsafe { ($($A::get(r),)+) } } }
//@ out
trait Out {
    fn put(&self, w: &mut Vec<u8>);
    fn put_all(all: &[Self], w: &mut Vec<u8>) where Self: Sized { for one in all { one.put(w); } }
}
fn packed<T: Out + ?Sized>(value: &T) -> u64 { let mut w = Vec::new(); value.put(&mut w); unsafe { hold(w) } }
// Everything is written by this one, which is compiled once.
#[inline(never)]
fn add(at: *const u8, n: usize, w: &mut Vec<u8>) { w.extend_from_slice(unsafe { ::std::slice::from_raw_parts(at, n) }) }
fn note(n: usize, w: &mut Vec<u8>) { add(&n as *const usize as *const u8, 4, w) }
//@ out plain
impl Out for $T {
    fn put(&self, w: &mut Vec<u8>) { Self::put_all(::std::slice::from_ref(self), w) }
    fn put_all(all: &[Self], w: &mut Vec<u8>) {
        add(all.as_ptr() as *const u8, ::std::mem::size_of_val(all), w)
    }
}
//@ out str
impl Out for str { fn put(&self, w: &mut Vec<u8>) { note(self.len(), w); add(self.as_ptr(), self.len(), w); } }
//@ out String
impl Out for String { fn put(&self, w: &mut Vec<u8>) { note(self.len(), w); add(self.as_ptr(), self.len(), w); } }
//@ out slice
impl<T: Out> Out for [T] { fn put(&self, w: &mut Vec<u8>) { note(self.len(), w); T::put_all(self, w); } }
//@ out ref
impl<'a, T: Out + ?Sized> Out for &'a T { fn put(&self, w: &mut Vec<u8>) { (**self).put(w) } }
//@ out Cow
impl<'a, T: Out + ?Sized + ::std::borrow::ToOwned> Out for ::std::borrow::Cow<'a, T> { fn put(&self, w: &mut Vec<u8>) { (**self).put(w) } }
//@ out Vec
impl<T: Out> Out for Vec<T> { fn put(&self, w: &mut Vec<u8>) { note(self.len(), w); T::put_all(self, w); } }
//@ out array
impl<T: Out, const N: usize> Out for [T; N] { fn put(&self, w: &mut Vec<u8>) { note(N, w); T::put_all(self, w); } }
//@ out Option
impl<T: Out> Out for Option<T> {
    fn put(&self, w: &mut Vec<u8>) { add(&(self.is_some() as u8), 1, w); if let Some(value) = self { value.put(w) } }
}
//@ out HashMap
impl<K: Out, V: Out, S> Out for ::std::collections::HashMap<K, V, S> {
    fn put(&self, w: &mut Vec<u8>) { note(self.len(), w); for (k, v) in self { k.put(w); v.put(w); } }
}
//@ out BTreeMap
impl<K: Out, V: Out> Out for ::std::collections::BTreeMap<K, V> {
    fn put(&self, w: &mut Vec<u8>) { note(self.len(), w); for (k, v) in self { k.put(w); v.put(w); } }
}
//@ out HashSet
impl<K: Out, S> Out for ::std::collections::HashSet<K, S> { fn put(&self, w: &mut Vec<u8>) { note(self.len(), w); for k in self { k.put(w); } } }
//@ out BTreeSet
impl<K: Out> Out for ::std::collections::BTreeSet<K> { fn put(&self, w: &mut Vec<u8>) { note(self.len(), w); for k in self { k.put(w); } } }
//@ out tuple
impl<$($A: Out),+> Out for ($($A,)+) { fn put(&self, w: &mut Vec<u8>) { let ($($A,)+) = self; $($A.put(w);)+ } }
