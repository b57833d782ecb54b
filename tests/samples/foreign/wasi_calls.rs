// The calls of WASI 0.1 one by one, without Rust's library in between, in the manner of the
// WASI conformance tests: what each answers, and what it writes.
//@ dir: /scratch
//@ wasip1
//@ stdin: twelve bytes
#[repr(C)]
struct Piece {
    at: *const u8,
    size: usize,
}

#[repr(C)]
#[derive(Default)]
struct Stat {
    device: u64,
    inode: u64,
    kind: u8,
    links: u64,
    size: u64,
    accessed: u64,
    modified: u64,
    changed: u64,
}

#[link(wasm_import_module = "wasi_snapshot_preview1")]
unsafe extern "C" {
    fn args_sizes_get(count: *mut usize, size: *mut usize) -> u16;
    fn clock_res_get(id: u32, resolution: *mut u64) -> u16;
    fn clock_time_get(id: u32, precision: u64, time: *mut u64) -> u16;
    fn environ_sizes_get(count: *mut usize, size: *mut usize) -> u16;
    fn fd_advise(fd: u32, offset: u64, size: u64, advice: u8) -> u16;
    fn fd_close(fd: u32) -> u16;
    fn fd_datasync(fd: u32) -> u16;
    fn fd_fdstat_get(fd: u32, stat: *mut [u64; 3]) -> u16;
    fn fd_fdstat_set_flags(fd: u32, flags: u16) -> u16;
    fn fd_filestat_get(fd: u32, stat: *mut Stat) -> u16;
    fn fd_filestat_set_size(fd: u32, size: u64) -> u16;
    fn fd_filestat_set_times(fd: u32, accessed: u64, modified: u64, flags: u16) -> u16;
    fn fd_pread(fd: u32, pieces: *const Piece, count: usize, offset: u64, size: *mut usize) -> u16;
    fn fd_prestat_dir_name(fd: u32, path: *mut u8, size: usize) -> u16;
    fn fd_prestat_get(fd: u32, stat: *mut [u32; 2]) -> u16;
    fn fd_pwrite(fd: u32, pieces: *const Piece, count: usize, offset: u64, size: *mut usize) -> u16;
    fn fd_read(fd: u32, pieces: *const Piece, count: usize, size: *mut usize) -> u16;
    fn fd_readdir(fd: u32, buffer: *mut u8, size: usize, cookie: u64, used: *mut usize) -> u16;
    fn fd_renumber(from: u32, to: u32) -> u16;
    fn fd_seek(fd: u32, offset: i64, whence: u8, position: *mut u64) -> u16;
    fn fd_sync(fd: u32) -> u16;
    fn fd_tell(fd: u32, position: *mut u64) -> u16;
    fn fd_write(fd: u32, pieces: *const Piece, count: usize, size: *mut usize) -> u16;
    fn path_create_directory(fd: u32, path: *const u8, size: usize) -> u16;
    fn path_filestat_get(fd: u32, flags: u32, path: *const u8, size: usize, stat: *mut Stat) -> u16;
    fn path_link(f: u32, flags: u32, a: *const u8, an: usize, t: u32, b: *const u8, bn: usize) -> u16;
    #[rustfmt::skip]
    fn path_open(fd: u32, look: u32, path: *const u8, size: usize, open: u16, rights: u64, inherited: u64,
                 flags: u16, opened: *mut u32) -> u16;
    fn path_readlink(fd: u32, p: *const u8, n: usize, buffer: *mut u8, size: usize, used: *mut usize) -> u16;
    fn path_remove_directory(fd: u32, path: *const u8, size: usize) -> u16;
    fn path_rename(f: u32, a: *const u8, an: usize, t: u32, b: *const u8, bn: usize) -> u16;
    fn path_symlink(a: *const u8, an: usize, fd: u32, b: *const u8, bn: usize) -> u16;
    fn path_unlink_file(fd: u32, path: *const u8, size: usize) -> u16;
    fn poll_oneoff(subscriptions: *const [u64; 6], events: *mut [u64; 4], count: usize, ready: *mut usize) -> u16;
    fn random_get(buffer: *mut u8, size: usize) -> u16;
    fn sched_yield() -> u16;
    fn sock_accept(fd: u32, flags: u16, opened: *mut u32) -> u16;
}

const DIR: u32 = 3;
const READ_WRITE: u64 = 1 << 1 | 1 << 6 | 1 << 2 | 1 << 5 | 1 << 8 | 1 << 21 | 1 << 22 | 1 << 23;

fn open(path: &str, open: u16, flags: u16) -> (u16, u32) {
    let mut fd = u32::MAX;
    let errno =
        unsafe { path_open(DIR, 1, path.as_ptr(), path.len(), open, READ_WRITE, u64::MAX >> 35, flags, &mut fd) };
    (errno, fd)
}

fn pieces(texts: &[&str]) -> Vec<Piece> {
    texts.iter().map(|text| Piece { at: text.as_ptr(), size: text.len() }).collect()
}

/// All names in a folder, read through a buffer too small for two entries.
fn names(fd: u32) -> Vec<String> {
    let (mut found, mut cookie) = (Vec::new(), 0);
    loop {
        let (mut buffer, mut used) = ([0u8; 40], 0);
        assert_eq!(unsafe { fd_readdir(fd, buffer.as_mut_ptr(), buffer.len(), cookie, &mut used) }, 0);
        if used < 24 {
            break;
        }
        let size = u32::from_le_bytes(buffer[16..20].try_into().unwrap()) as usize;
        let name = String::from_utf8_lossy(&buffer[24..24 + size]).into_owned();
        found.push(format!("{name}:{}", buffer[20]));
        cookie = u64::from_le_bytes(buffer[..8].try_into().unwrap());
    }
    found.sort();
    found
}

fn main() {
    unsafe {
        let (mut count, mut size) = (0, 0);
        println!("args {} {count} {}", args_sizes_get(&mut count, &mut size), size > 0);
        println!("args {count}");
        println!("environ {} {count} {size}", environ_sizes_get(&mut count, &mut size));

        let mut prestat = [9, 9];
        println!("prestat {}", fd_prestat_get(DIR, &mut prestat));
        let mut name = vec![0; prestat[1] as usize];
        println!("prestat name {}", fd_prestat_dir_name(DIR, name.as_mut_ptr(), name.len()));
        println!("{} {:?}", prestat[0] as u8, String::from_utf8_lossy(&name));
        println!("prestat beyond {}", fd_prestat_get(DIR + 1, &mut prestat));
        println!("prestat of stdout {}", fd_prestat_get(1, &mut prestat));

        println!("mkdir {}", path_create_directory(DIR, b"d".as_ptr(), 1));
        println!("mkdir again {}", path_create_directory(DIR, b"d".as_ptr(), 1));
        println!("mkdir below nothing {}", path_create_directory(DIR, b"x/y".as_ptr(), 3));

        println!("open missing {}", open("f", 0, 0).0);
        let (errno, fd) = open("f", 1, 0);
        println!("create {errno}");
        println!("create exclusively {}", open("f", 1 | 4, 0).0);
        println!("file as folder {}", open("f", 2, 0).0);
        println!("outside {} {}", open("../f", 0, 0).0, open("/etc/passwd", 0, 0).0);
        println!("empty name {}", open("", 0, 0).0);

        let list = pieces(&["hello world"]);
        println!("write {} {}", fd_write(fd, list.as_ptr(), list.len(), &mut size), size);
        println!("size {size}");
        println!("pwrite {}", fd_pwrite(fd, pieces(&["HE"]).as_ptr(), 1, 0, &mut size));
        let mut position = 0;
        println!("tell {}", fd_tell(fd, &mut position));
        println!("at {position}");
        println!("seek {}", fd_seek(fd, -5, 2, &mut position));
        println!("at {position}");
        println!("seek before the start {}", fd_seek(fd, -100, 1, &mut position));
        let mut buffer = [b'.'; 8];
        let target = [Piece { at: buffer.as_mut_ptr(), size: 8 }];
        println!("read {}", fd_read(fd, target.as_ptr(), 1, &mut size));
        println!("{size} {:?}", String::from_utf8_lossy(&buffer));
        println!("pread {}", fd_pread(fd, target.as_ptr(), 1, 0, &mut size));
        println!("{size} {:?}", String::from_utf8_lossy(&buffer));
        println!("read at the end {}", fd_read(fd, target.as_ptr(), 1, &mut size));
        println!("{size}");

        let mut stat = Stat::default();
        println!("set size {}", fd_filestat_set_size(fd, 1000));
        println!("set times {}", fd_filestat_set_times(fd, 1_000_000_000, 2_000_000_000, 1 | 4));
        println!("set times both ways {}", fd_filestat_set_times(fd, 0, 0, 1 | 2));
        println!("stat {}", fd_filestat_get(fd, &mut stat));
        println!("{} {} {}", stat.kind, stat.size, stat.modified);
        println!("sync {} {} {}", fd_sync(fd), fd_datasync(fd), fd_advise(fd, 0, 10, 1));

        let mut fdstat = [0; 3];
        println!("append {}", fd_fdstat_set_flags(fd, 1));
        println!("fdstat {}", fd_fdstat_get(fd, &mut fdstat));
        println!("kind {} flags {}", fdstat[0] as u8, (fdstat[0] >> 16) as u16);

        println!("link {}", path_link(DIR, 0, b"f".as_ptr(), 1, DIR, b"d/g".as_ptr(), 3));
        println!("stat {}", path_filestat_get(DIR, 1, b"d/g".as_ptr(), 3, &mut stat));
        println!("links {}", stat.links);
        println!("symlink {}", path_symlink(b"d/g".as_ptr(), 3, DIR, b"s".as_ptr(), 1));
        println!("symlink to a root {}", path_symlink(b"/etc".as_ptr(), 4, DIR, b"t".as_ptr(), 1));
        let mut link = [b'.'; 2];
        println!("readlink {}", path_readlink(DIR, b"s".as_ptr(), 1, link.as_mut_ptr(), 2, &mut size));
        println!("{size} {:?}", String::from_utf8_lossy(&link));
        println!("readlink of a file {}", path_readlink(DIR, b"f".as_ptr(), 1, link.as_mut_ptr(), 2, &mut size));
        println!("stat of the link {}", path_filestat_get(DIR, 0, b"s".as_ptr(), 1, &mut stat));
        println!("kind {}", stat.kind);
        println!("open the link {}", open("s", 0, 0).0);
        println!("names {:?}", names(DIR));

        println!("rename {}", path_rename(DIR, b"f".as_ptr(), 1, DIR, b"d/h".as_ptr(), 3));
        println!("rename missing {}", path_rename(DIR, b"f".as_ptr(), 1, DIR, b"i".as_ptr(), 1));
        println!("rmdir full {}", path_remove_directory(DIR, b"d".as_ptr(), 1));
        println!("rmdir of a file {}", path_remove_directory(DIR, b"d/h".as_ptr(), 3));
        println!("unlink a folder {}", path_unlink_file(DIR, b"d".as_ptr(), 1) != 0);
        println!("unlink {}", path_unlink_file(DIR, b"d/g".as_ptr(), 3));
        println!("unlink {} {}", path_unlink_file(DIR, b"d/h".as_ptr(), 3), path_unlink_file(DIR, b"s".as_ptr(), 1));
        println!("rmdir {}", path_remove_directory(DIR, b"d".as_ptr(), 1));
        println!("names {:?}", names(DIR));

        let (_, other) = open("o", 1, 0);
        println!("renumber {}", fd_renumber(other, fd));
        println!("closed {} open {}", fd_close(other), fd_write(fd, list.as_ptr(), 1, &mut size));
        println!("close {} twice {}", fd_close(fd), fd_close(fd));
        println!("read a folder {}", fd_read(DIR, target.as_ptr(), 1, &mut size) != 0);
        println!("write to stdin {}", fd_write(0, list.as_ptr(), 1, &mut size) != 0);
        println!("unlink {}", path_unlink_file(DIR, b"o".as_ptr(), 1));

        println!("stdin {} {}", fd_read(0, target.as_ptr(), 1, &mut size), size);
        println!("{:?}", String::from_utf8_lossy(&buffer));
        println!("stdin {}", fd_read(0, target.as_ptr(), 1, &mut size));
        println!("{:?} then {}", String::from_utf8_lossy(&buffer[..size]), fd_read(0, target.as_ptr(), 1, &mut size));
        println!("at the end {size}");

        let mut time = 0;
        println!("clock {} {}", clock_time_get(0, 1, &mut time), clock_time_get(1, 1, &mut time));
        println!("resolution {} {}", clock_res_get(1, &mut time), time > 0);
        println!("random {} yield {}", random_get(buffer.as_mut_ptr(), 8), sched_yield());
        println!("accept {}", sock_accept(1, 0, &mut prestat[0]) != 0);

        // A clock that rings after 1 ms, with a name of its own: userdata 77, tag 0, monotonic.
        let subscription = [77, 0, 1, 1_000_000, 0, 0];
        let (mut event, mut ready) = ([0; 4], 0);
        println!("poll {}", poll_oneoff(&subscription, &mut event, 1, &mut ready));
        println!("{ready} {} {}", event[0], event[1] as u16);
        println!("poll nothing {}", poll_oneoff(&subscription, &mut event, 0, &mut ready));
    }
}
//> args 0 1 true
//> args 1
//> environ 0 0 0
//> prestat 0
//> prestat name 0
//> 0 "/scratch"
//> prestat beyond 8
//> prestat of stdout 8
//> mkdir 0
//> mkdir again 20
//> mkdir below nothing 44
//> open missing 44
//> create 0
//> create exclusively 20
//> file as folder 54
//> outside 63 63
//> empty name 44
//> write 0 11
//> size 11
//> pwrite 0
//> tell 0
//> at 11
//> seek 0
//> at 6
//> seek before the start 28
//> read 0
//> 5 "world..."
//> pread 0
//> 8 "HEllo wo"
//> read at the end 0
//> 0
//> set size 0
//> set times 0
//> set times both ways 28
//> stat 0
//> 4 1000 2000000000
//> sync 0 0 0
//> append 0
//> fdstat 0
//> kind 4 flags 1
//> link 0
//> stat 0
//> links 2
//> symlink 0
//> symlink to a root 63
//> readlink 0
//> 2 "d/"
//> readlink of a file 28
//> stat of the link 0
//> kind 7
//> open the link 0
//> names ["..:3", ".:3", "d:3", "f:4", "s:7"]
//> rename 0
//> rename missing 44
//> rmdir full 55
//> rmdir of a file 54
//> unlink a folder true
//> unlink 0
//> unlink 0 0
//> rmdir 0
//> names ["..:3", ".:3"]
//> renumber 0
//> closed 8 open 0
//> close 0 twice 8
//> read a folder true
//> write to stdin true
//> unlink 0
//> stdin 0 8
//> "twelve b"
//> stdin 0
//> "ytes" then 0
//> at the end 0
//> clock 0 0
//> resolution 0 true
//> random 0 yield 0
//> accept true
//> poll 0
//> 1 77 0
//> poll nothing 28
