//! Connections between validators that can be cut, in one direction too: bytes wait then, as on a network that is away.
//! And they can be made slow.

use std::collections::HashSet;
use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, channel};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

/// How soon a cut or a healing is noticed.
const POLL: Duration = Duration::from_millis(10);

/// (from, to) of what does not pass.
type Cuts = Arc<Mutex<HashSet<(usize, usize)>>>;

#[derive(Default)]
pub struct Wires {
    cuts: Cuts,
    delay_ms: Arc<AtomicU64>,
}

impl Wires {
    /// A port at which `from` reaches a port of `to`.
    pub fn lay(&self, from: usize, to: usize, port: u16) -> u16 {
        let listener = TcpListener::bind(("127.0.0.1", 0)).unwrap();
        let local = listener.local_addr().unwrap().port();
        let (cuts, delay_ms) = (Arc::clone(&self.cuts), Arc::clone(&self.delay_ms));
        std::thread::spawn(move || {
            for near in listener.incoming().flatten() {
                let Ok(far) = TcpStream::connect(("127.0.0.1", port)) else {
                    continue;
                };
                join(&near, &far, (from, to), &cuts, &delay_ms);
                join(&far, &near, (to, from), &cuts, &delay_ms);
            }
        });
        local
    }

    /// From now on all bytes take so long.
    pub fn delay(&self, by: Duration) {
        self.delay_ms
            .store(by.as_millis().try_into().unwrap(), Ordering::Relaxed);
    }

    pub fn cut(&self, from: usize, to: usize) {
        self.cuts.lock().unwrap().insert((from, to));
    }

    pub fn heal(&self) {
        self.cuts.lock().unwrap().clear();
    }
}

/// Moves bytes in one direction until either end closes.
fn join(
    source: &TcpStream,
    target: &TcpStream,
    direction: (usize, usize),
    cuts: &Cuts,
    delay_ms: &Arc<AtomicU64>,
) {
    let (mut from, to) = (source.try_clone().unwrap(), target.try_clone().unwrap());
    let (cuts, delay_ms) = (Arc::clone(cuts), Arc::clone(delay_ms));
    let (sender, on_the_way) = channel();
    std::thread::spawn(move || {
        let mut bytes = vec![0u8; 16 * 1024];
        while let Ok(length @ 1..) = from.read(&mut bytes) {
            let due = Instant::now() + Duration::from_millis(delay_ms.load(Ordering::Relaxed));
            if sender.send((due, bytes[..length].to_vec())).is_err() {
                break;
            }
        }
    });
    let source = source.try_clone().unwrap();
    std::thread::spawn(move || {
        deliver(&on_the_way, &to, direction, &cuts);
        let _ = to.shutdown(std::net::Shutdown::Both);
        let _ = source.shutdown(std::net::Shutdown::Both);
    });
}

/// Writes what has been on the way for long enough, while nothing is cut.
fn deliver(
    on_the_way: &Receiver<(Instant, Vec<u8>)>,
    mut to: &TcpStream,
    direction: (usize, usize),
    cuts: &Cuts,
) {
    while let Ok((due, bytes)) = on_the_way.recv() {
        std::thread::sleep(due.saturating_duration_since(Instant::now()));
        while cuts.lock().unwrap().contains(&direction) {
            std::thread::sleep(POLL);
        }
        if to.write_all(&bytes).is_err() {
            break;
        }
    }
}
