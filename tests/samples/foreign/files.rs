// Making, writing, listing, renaming and removing files in a folder that was opened.
//@ dir: /tmp
use std::fs::{self, File, OpenOptions};
use std::io::{BufRead, BufReader, Seek, SeekFrom, Write};
use std::path::Path;

fn main() -> std::io::Result<()> {
    let folder = Path::new("/tmp/a/b");
    fs::create_dir_all(folder)?;
    let path = folder.join("lines.txt");
    let mut file = File::create(&path)?;
    writeln!(file, "first")?;
    writeln!(file, "second")?;
    drop(file);
    OpenOptions::new().append(true).open(&path)?.write_all("dritte Zeile\n".as_bytes())?;
    for (number, line) in BufReader::new(File::open(&path)?).lines().enumerate() {
        println!("{}: {}", number + 1, line?);
    }
    let mut file = OpenOptions::new().read(true).write(true).open(&path)?;
    file.seek(SeekFrom::Start(6))?;
    file.write_all(b"SECOND")?;
    println!("{:?}", fs::read_to_string(&path)?);
    println!("{} bytes", fs::metadata(&path)?.len());
    fs::rename(&path, folder.join("renamed.txt"))?;
    fs::write("/tmp/a/other.txt", "x")?;
    let mut names: Vec<String> = fs::read_dir("/tmp/a")?
        .map(|entry| Ok(entry?.file_name().into_string().unwrap()))
        .collect::<std::io::Result<_>>()?;
    names.sort();
    println!("{names:?}");
    println!("{}", fs::remove_dir("/tmp/a").is_err());
    fs::remove_dir_all("/tmp/a")?;
    println!("{}", Path::new("/tmp/a").exists());
    Ok(())
}
//> 1: first
//> 2: second
//> 3: dritte Zeile
//> "first\nSECOND\ndritte Zeile\n"
//> 26 bytes
//> ["b", "other.txt"]
//> true
//> false
