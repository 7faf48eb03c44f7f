//! What validators send each other.

use sidechain::io::peers::Relayed;

pub fn consensus(bytes: &[u8]) {
    sidechain::decode_every_message(bytes);
}

pub fn exchange(bytes: &[u8]) {
    let _ = borsh::from_slice::<Vec<Relayed>>(bytes);
}
