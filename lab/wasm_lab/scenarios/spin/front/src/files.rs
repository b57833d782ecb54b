//! wasi:filesystem of a component without files: no folder is open, so there is no descriptor.

use crate::exports::wasi::filesystem::preopens;
use crate::exports::wasi::filesystem::types::*;
use crate::exports::wasi::io::error::ErrorBorrow;
use crate::exports::wasi::io::streams::{InputStream, OutputStream};
use crate::Front;

/// Of this kind there is no value.
pub enum Nothing {}

impl preopens::Guest for Front {
    fn get_directories() -> Vec<(Descriptor, String)> {
        Vec::new()
    }
}

impl Guest for Front {
    type Descriptor = Nothing;
    type DirectoryEntryStream = Nothing;

    fn filesystem_error_code(_err: ErrorBorrow<'_>) -> Option<ErrorCode> {
        None
    }
}

impl GuestDirectoryEntryStream for Nothing {
    fn read_directory_entry(&self) -> Result<Option<DirectoryEntry>, ErrorCode> {
        match *self {}
    }
}

/// Methods that nobody can call.
macro_rules! never {
    ($($name:ident($($param:ty),*) -> $result:ty;)*) => {
        impl GuestDescriptor for Nothing {
            $(fn $name(&self, $(_: $param),*) -> Result<$result, ErrorCode> { match *self {} })*

            fn is_same_object(&self, _: DescriptorBorrow<'_>) -> bool {
                match *self {}
            }
        }
    };
}

never! {
    read_via_stream(Filesize) -> InputStream;
    write_via_stream(Filesize) -> OutputStream;
    append_via_stream() -> OutputStream;
    advise(Filesize, Filesize, Advice) -> ();
    sync_data() -> ();
    get_flags() -> DescriptorFlags;
    get_type() -> DescriptorType;
    set_size(Filesize) -> ();
    set_times(NewTimestamp, NewTimestamp) -> ();
    read(Filesize, Filesize) -> (Vec<u8>, bool);
    write(Vec<u8>, Filesize) -> Filesize;
    read_directory() -> DirectoryEntryStream;
    sync() -> ();
    create_directory_at(String) -> ();
    stat() -> DescriptorStat;
    stat_at(PathFlags, String) -> DescriptorStat;
    set_times_at(PathFlags, String, NewTimestamp, NewTimestamp) -> ();
    link_at(PathFlags, String, DescriptorBorrow<'_>, String) -> ();
    open_at(PathFlags, String, OpenFlags, DescriptorFlags) -> Descriptor;
    readlink_at(String) -> String;
    remove_directory_at(String) -> ();
    rename_at(String, DescriptorBorrow<'_>, String) -> ();
    symlink_at(String, String) -> ();
    unlink_file_at(String) -> ();
    metadata_hash() -> MetadataHashValue;
    metadata_hash_at(PathFlags, String) -> MetadataHashValue;
}
