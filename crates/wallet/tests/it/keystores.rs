//! Files: other tools' keystores, wrong passwords, damage, modes.

use crate::vectors;
use alloy::signers::local::LocalSigner;
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use wallet::{Cost, KeyError, Keystore, KeystoreError, Mnemonic, SecretKey, format_key, parse_key};

const PASSWORD: &str = "correct horse battery staple";

fn some_key() -> SecretKey {
    SecretKey::from_byte_array([7; 32]).unwrap()
}

fn set_mode(path: &Path, mode: u32) {
    fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
}

fn mode(path: &Path) -> u32 {
    fs::metadata(path).unwrap().permissions().mode() & 0o777
}

#[test]
fn keystores_of_other_tools_open() {
    for row in vectors("keystores.json").as_array().unwrap() {
        let keystore = Keystore::from_json(&row["keystore"].to_string()).unwrap();
        let opened = keystore.open(row["password"].as_str().unwrap()).unwrap();
        assert_eq!(
            Some(format_key(&opened.key).as_str()),
            row["key"].as_str(),
            "{}",
            row["from"]
        );
        let phrase = opened
            .mnemonic
            .map(|mnemonic| mnemonic.phrase().to_string());
        assert_eq!(
            phrase.as_deref(),
            row["mnemonic"].as_str(),
            "{}",
            row["from"]
        );
        assert!(
            matches!(keystore.open("another"), Err(KeystoreError::Password)),
            "{}",
            row["from"]
        );
    }
}

#[test]
fn other_tools_open_ours_with_and_without_words() {
    let folder = tempfile::tempdir().unwrap();
    let mnemonic = Mnemonic::from_entropy(&[9; 32]).unwrap();
    let first = mnemonic.key(&wallet::Role::Holder.path(0)).unwrap();
    let files = [
        (
            Keystore::seal(&some_key(), PASSWORD, Cost::Random).unwrap(),
            some_key(),
        ),
        (
            Keystore::seal_mnemonic(&mnemonic, PASSWORD, Cost::Random).unwrap(),
            first,
        ),
        (
            Keystore::seal(&some_key(), PASSWORD, Cost::Password).unwrap(),
            some_key(),
        ),
    ];
    for (number, (keystore, key)) in files.iter().enumerate() {
        let path = folder.path().join(number.to_string());
        wallet::write_keystore(&path, keystore).unwrap();
        let signer = LocalSigner::decrypt_keystore(&path, PASSWORD).unwrap();
        assert_eq!(signer.to_bytes().0, key.secret_bytes());
        assert_eq!(wallet::load_key(&path, PASSWORD).unwrap(), *key);
        assert_eq!(keystore.address(), Some(signer.address()));
    }
    let read = wallet::read_keystore(&folder.path().join("1")).unwrap();
    assert_eq!(read.open(PASSWORD).unwrap().mnemonic, Some(mnemonic));
}

#[test]
fn files_without_an_address_open_too() {
    let folder = tempfile::tempdir().unwrap();
    let secret = some_key().secret_bytes();
    LocalSigner::encrypt_keystore(
        folder.path(),
        &mut rand::rngs::OsRng,
        secret,
        PASSWORD,
        Some("old"),
    )
    .unwrap();
    let path = folder.path().join("old");
    set_mode(&path, 0o600);
    assert_eq!(wallet::load_key(&path, PASSWORD).unwrap(), some_key());
    assert_eq!(wallet::read_keystore(&path).unwrap().address(), None);
}

/// One bit of each byte, a different one each time; all bits of all bytes would take minutes.
fn flip_bits(keystore: &Keystore) {
    let text = keystore.to_json();
    let original = keystore.open(PASSWORD).unwrap();
    let mut refused = 0;
    for index in 0..text.len() {
        let mut bytes = text.clone().into_bytes();
        bytes[index] ^= 1 << (index % 7);
        let damaged = String::from_utf8(bytes).unwrap();
        match Keystore::from_json(&damaged).and_then(|keystore| keystore.open(PASSWORD)) {
            Ok(opened) => {
                assert_eq!(opened.key, original.key, "byte {index}: {damaged}");
                assert!(
                    opened.mnemonic.is_none() || opened.mnemonic == original.mnemonic,
                    "byte {index}: {damaged}"
                );
            }
            Err(_) => refused += 1,
        }
    }
    assert!(refused > text.len() / 2, "{refused} of {}", text.len());
}

#[test]
fn a_flipped_bit_of_a_key_gives_an_error_or_the_same_key_and_never_another() {
    flip_bits(&Keystore::seal(&some_key(), PASSWORD, Cost::Random).unwrap());
}

#[test]
fn a_flipped_bit_of_a_wallet_gives_an_error_or_the_same_words_and_never_others() {
    let mnemonic = Mnemonic::from_entropy(&[3; 16]).unwrap();
    flip_bits(&Keystore::seal_mnemonic(&mnemonic, PASSWORD, Cost::Random).unwrap());
}

#[test]
fn a_truncated_file_is_an_error() {
    let text = Keystore::seal(&some_key(), PASSWORD, Cost::Random)
        .unwrap()
        .to_json();
    for length in 0..text.len() {
        assert!(
            matches!(
                Keystore::from_json(&text[..length]),
                Err(KeystoreError::Json { .. })
            ),
            "{length}"
        );
    }
}

#[test]
fn a_hostile_file_costs_neither_memory_nor_time() {
    let text = Keystore::seal(&some_key(), PASSWORD, Cost::Random)
        .unwrap()
        .to_json();
    let cases = [
        ("\"n\":8192", "\"n\":1073741824", "n is 1073741824"),
        ("\"n\":8192", "\"n\":8191", "n is 8191"),
        ("\"n\":8192", "\"n\":0", "n is 0"),
        (
            "\"n\":8192",
            "\"n\":18446744073709551615",
            "n is 18446744073709551615",
        ),
        ("\"r\":8", "\"r\":0", "r is 0"),
        ("\"r\":8", "\"r\":4294967295", "r is 4294967295"),
        ("\"p\":1", "\"p\":4294967295", "p is 4294967295"),
        ("\"dklen\":32", "\"dklen\":12", "dklen is 12"),
    ];
    for (from, to, message) in cases {
        assert!(text.contains(from), "{from}");
        let error = Keystore::from_json(&text.replace(from, to))
            .unwrap_err()
            .to_string();
        let place = format!("crypto.kdfparams.{message}, expected ");
        assert!(error.starts_with(&place), "{to}: {error}");
    }
    let rounds = vectors("keystores.json")[1]["keystore"]
        .to_string()
        .replace("1000,", "4294967295,");
    let error = Keystore::from_json(&rounds).unwrap_err().to_string();
    assert_eq!(
        error,
        "crypto.kdfparams.c is 4294967295, expected 1 to 10000000"
    );
}

#[test]
fn files_are_for_their_owner_alone_and_are_never_overwritten() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("deep/keys/one.json");
    let key = wallet::create_key(&path, PASSWORD).unwrap();
    assert_eq!(mode(&path), 0o600);
    assert_eq!(mode(&folder.path().join("deep")), 0o700);
    assert_eq!(mode(path.parent().unwrap()), 0o700);
    assert_eq!(
        fs::read_dir(path.parent().unwrap()).unwrap().count(),
        1,
        "no temporary file is left"
    );

    assert!(matches!(
        wallet::create_key(&path, PASSWORD),
        Err(KeyError::Exists { .. })
    ));
    assert_eq!(wallet::load_or_create(&path, PASSWORD).unwrap(), key);
    for mode in [0o640, 0o604, 0o620] {
        set_mode(&path, mode);
        assert!(
            matches!(
                wallet::load_key(&path, PASSWORD),
                Err(KeyError::Permissions { .. })
            ),
            "{mode:o}"
        );
    }
    set_mode(&path, 0o600);
    for mode in [0o720, 0o702] {
        set_mode(path.parent().unwrap(), mode);
        let refused = wallet::load_key(&path, PASSWORD).unwrap_err();
        assert!(matches!(refused, KeyError::Folder { .. }), "{mode:o}");
        assert!(refused.to_string().contains("chmod 700"), "{refused}");
        let other = path.with_file_name("two.json");
        assert!(
            matches!(
                wallet::create_key(&other, PASSWORD),
                Err(KeyError::Folder { .. })
            ),
            "{mode:o}"
        );
    }
    set_mode(path.parent().unwrap(), 0o755);
    assert_eq!(wallet::load_key(&path, PASSWORD).unwrap(), key);
    fs::write(&path, vec![b' '; 70_000]).unwrap();
    assert!(matches!(
        wallet::load_key(&path, PASSWORD),
        Err(KeyError::TooLarge { found: 70_000, .. })
    ));
}

#[test]
fn keys_are_read_from_hex() {
    let digits = "07".repeat(32);
    for text in [
        digits.clone(),
        format!("0x{digits}"),
        format!(" 0x{digits}\n"),
        format!("\u{feff}0X{digits}\r\n"),
    ] {
        assert_eq!(parse_key(&text).unwrap(), some_key());
    }
    let beyond = "ff".repeat(32);
    for wrong in [
        "",
        "0x",
        "07",
        &digits[1..],
        &"00".repeat(32),
        &beyond,
        &format!("{digits}07"),
        "0x0x07",
    ] {
        assert!(parse_key(wrong).is_err(), "{wrong}");
    }
}
