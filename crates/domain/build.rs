//! Tells the macro that describes types how those of other crates look in JSON: `src/schema.rs`.

fn main() {
    println!("cargo:rerun-if-changed=build.rs");
    #[cfg(feature = "schema")]
    utoipa_config::Config::new()
        .alias_for("Address", "AddressText")
        .alias_for("B256", "HashText")
        .alias_for("FixedBytes", "PublicKeyText")
        .alias_for("OutletId", "u64")
        .alias_for("Purposes", "Vec<Purpose>")
        .write_to_file();
}
