//! The pages are built by npm (`scripts/setup`); when they change, this crate embeds them anew.

fn main() {
    println!("cargo:rerun-if-changed=../web_interfaces/dist");
}
