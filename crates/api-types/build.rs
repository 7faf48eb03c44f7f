//! Tells the macro that describes types how those of other crates look in JSON: `domain::schema`.

fn main() {
    println!("cargo:rerun-if-changed=build.rs");
    utoipa_config::Config::new()
        .alias_for("Address", "AddressText")
        .alias_for("B256", "HashText")
        .alias_for("OutletId", "u64")
        .alias_for("Purposes", "Vec<Purpose>")
        .write_to_file();
}
