//! Tries to reach the network: a connection, a listener, a datagram and a name.
//!
//! WASI 0.1 has no call that opens a connection, so Rust's library answers before the host is
//! asked. For `wasm32-wasip2` the calls exist, and the host refuses them.
//!
//! Expected: every attempt fails. Status 1 when one succeeds.
//!
//! ```console
//! $ wasm-lab run misbehaving/network_attempt.rs
//! connect: operation not supported on this platform
//! listen: operation not supported on this platform
//! datagram: operation not supported on this platform
//! resolve: operation not supported on this platform
//! ```

use std::net::{TcpListener, TcpStream, ToSocketAddrs, UdpSocket};
use std::process::ExitCode;

fn main() -> ExitCode {
    let attempts = [
        ("connect", TcpStream::connect("127.0.0.1:80").map(drop)),
        ("listen", TcpListener::bind("127.0.0.1:0").map(drop)),
        ("datagram", UdpSocket::bind("127.0.0.1:0").map(drop)),
        ("resolve", "localhost:80".to_socket_addrs().map(drop)),
    ];
    let mut status = ExitCode::SUCCESS;
    for (what, result) in attempts {
        match result {
            Ok(()) => {
                println!("{what}: DONE");
                status = ExitCode::FAILURE;
            }
            Err(error) => println!("{what}: {error}"),
        }
    }
    status
}
