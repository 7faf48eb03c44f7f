//! Connections between validators that can be cut, in one direction too: bytes wait then, as on a network that is away.

use std::collections::HashSet;
use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::time::Duration;

/// How soon a cut or a healing is noticed.
const POLL: Duration = Duration::from_millis(10);

/// (from, to) of what does not pass.
type Cuts = Arc<Mutex<HashSet<(usize, usize)>>>;

#[derive(Default)]
pub struct Wires {
    cuts: Cuts,
}

impl Wires {
    /// A port at which `from` reaches a port of `to`.
    pub fn lay(&self, from: usize, to: usize, port: u16) -> u16 {
        let listener = TcpListener::bind(("127.0.0.1", 0)).unwrap();
        let local = listener.local_addr().unwrap().port();
        let cuts = Arc::clone(&self.cuts);
        std::thread::spawn(move || {
            for near in listener.incoming().flatten() {
                let Ok(far) = TcpStream::connect(("127.0.0.1", port)) else { continue };
                join(&near, &far, (from, to), &cuts);
                join(&far, &near, (to, from), &cuts);
            }
        });
        local
    }

    pub fn cut(&self, from: usize, to: usize) {
        self.cuts.lock().unwrap().insert((from, to));
    }

    pub fn heal(&self) {
        self.cuts.lock().unwrap().clear();
    }
}

/// Moves bytes in one direction until either end closes.
fn join(source: &TcpStream, target: &TcpStream, direction: (usize, usize), cuts: &Cuts) {
    let (mut source, mut target) = (source.try_clone().unwrap(), target.try_clone().unwrap());
    let cuts = Arc::clone(cuts);
    std::thread::spawn(move || {
        let mut bytes = [0u8; 16 * 1024];
        while let Ok(length @ 1..) = source.read(&mut bytes) {
            while cuts.lock().unwrap().contains(&direction) {
                std::thread::sleep(POLL);
            }
            if target.write_all(&bytes[..length]).is_err() {
                break;
            }
        }
        let _ = target.shutdown(std::net::Shutdown::Both);
        let _ = source.shutdown(std::net::Shutdown::Both);
    });
}
