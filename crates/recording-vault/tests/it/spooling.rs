//! What a vault takes, keeps and gives back.

use crate::actors::{
    NOON, agent_key, consent, decrypt, domain, guest, kitchen, lies_in, noise, open, open_with,
    settings,
};
use recording_vault::{Agent, MasterSecret, Segment, Terms, Vault, VaultError, check_chain};
use service_kit::Secret;
use std::os::unix::fs::PermissionsExt;

#[test]
fn what_is_accepted_is_encrypted_chained_signed_and_survives_a_new_start() {
    let dir = tempfile::tempdir().unwrap();
    let segments: Vec<Vec<u8>> = (0..6).map(|seed| noise(seed, 10_000)).collect();
    let vault = open(dir.path());
    let mut accepted = Vec::new();
    for bytes in &segments {
        accepted.push(vault.accept(&guest(bytes, 1)).unwrap());
    }
    drop(vault);
    let vault = open(dir.path());
    check_chain(accepted.iter().map(|signed| &signed.manifest)).unwrap();
    assert_eq!(
        vault
            .recordings(4)
            .unwrap()
            .iter()
            .map(|record| record.signed.clone())
            .collect::<Vec<_>>(),
        accepted
    );
    for (signed, bytes) in accepted.iter().zip(&segments) {
        signed
            .check_signer(&domain(), vault.agent_address())
            .unwrap();
        let sealed = std::fs::read(
            dir.path()
                .join("vault/spool")
                .join(signed.manifest.cid.to_string()),
        )
        .unwrap();
        assert_eq!(
            decrypt(&vault, &signed.manifest.cid, &sealed)
                .unwrap()
                .as_slice(),
            bytes.as_slice()
        );
        assert_eq!(lies_in(dir.path(), &bytes[5_000..5_032]), None);
    }
    // The row goes on where it ended.
    let next = vault.accept(&guest(&noise(9, 100), 1)).unwrap();
    assert_eq!(
        (
            next.manifest.capture.sequence,
            next.manifest.capture.previous
        ),
        (6, accepted[5].manifest.hash())
    );
}

#[test]
fn the_same_content_twice_has_two_names_and_no_nonce_twice() {
    let dir = tempfile::tempdir().unwrap();
    let vault = open(dir.path());
    let bytes = noise(1, 1_000);
    let [one, two] = [
        vault.accept(&guest(&bytes, 1)).unwrap(),
        vault.accept(&guest(&bytes, 1)).unwrap(),
    ];
    assert_ne!(one.manifest.cid, two.manifest.cid);
    let sealed = |cid: ipfs::Cid| {
        std::fs::read(dir.path().join("vault/spool").join(cid.to_string())).unwrap()
    };
    assert_ne!(
        sealed(one.manifest.cid)[48..72],
        sealed(two.manifest.cid)[48..72]
    );
    // The envelope of one does not open as the other.
    assert!(matches!(
        decrypt(&vault, &one.manifest.cid, &sealed(two.manifest.cid)),
        Err(VaultError::OtherContent { .. })
    ));
}

#[test]
fn a_full_spool_refuses_the_new_and_keeps_the_old() {
    let dir = tempfile::tempdir().unwrap();
    let mut settings = settings(dir.path());
    settings.spool_bytes_max = 25_000;
    let vault = open_with(&settings).unwrap();
    let first = vault.accept(&guest(&noise(1, 10_000), 1)).unwrap();
    vault.accept(&guest(&noise(2, 10_000), 1)).unwrap();
    let error = vault.accept(&guest(&noise(3, 10_000), 1)).unwrap_err();
    assert!(error.to_string().contains("the spool is full"), "{error}");
    assert_eq!(vault.waiting().unwrap().1, 2);
    // Refused is refused: the row has no gap, and nothing was left behind.
    let next = vault.accept(&guest(&noise(4, 1_000), 1)).unwrap();
    assert_eq!(next.manifest.capture.sequence, 2);
    drop(vault);
    let vault = open_with(&settings).unwrap();
    assert_eq!(vault.recordings(4).unwrap()[0].signed, first);
    assert_eq!(vault.waiting().unwrap().1, 3);
    assert!(vault.accept(&guest(&noise(3, 10_000), 1)).is_err());
}

#[test]
fn cameras_have_rows_of_their_own_and_days_keys_of_their_own() {
    let dir = tempfile::tempdir().unwrap();
    let vault = open(dir.path());
    let day = 86_400_000;
    for started in [NOON, NOON + 10_000, NOON + day] {
        vault
            .accept(&kitchen(&noise(started, 100), started))
            .unwrap();
    }
    vault.accept(&guest(&noise(1, 100), 1)).unwrap();
    let keys: Vec<String> = vault
        .recordings(5)
        .unwrap()
        .into_iter()
        .map(|record| record.key)
        .collect();
    assert_eq!(keys[0], keys[1]);
    assert_ne!(keys[0], keys[2]);
    assert_eq!(
        vault.recordings(5).unwrap()[2]
            .signed
            .manifest
            .capture
            .sequence,
        2
    );
    assert_eq!(
        vault.recordings(4).unwrap()[0]
            .signed
            .manifest
            .capture
            .sequence,
        0
    );
}

#[test]
fn a_segment_over_midnight_with_one_day_of_retention_is_taken() {
    let dir = tempfile::tempdir().unwrap();
    let bytes = noise(1, 100);
    let terms = Terms::LegalBasis { retention_days: 1 };
    let segment = Segment {
        terms,
        ..kitchen(&bytes, NOON + 43_200_000 - 2_000)
    };
    let capture = open(dir.path()).accept(&segment).unwrap().manifest.capture;
    assert_eq!(capture.keep_until_ms, capture.ended_at_ms);
}

#[test]
fn what_no_camera_makes_is_refused() {
    let dir = tempfile::tempdir().unwrap();
    let vault = open(dir.path());
    let bytes = noise(1, 100);
    let right = guest(&bytes, 1);
    for wrong in [
        Segment {
            bytes: &[],
            ..right
        },
        Segment {
            ended_at_ms: NOON,
            ..right
        },
        Segment {
            ended_at_ms: NOON - 1,
            ..right
        },
        Segment {
            ended_at_ms: NOON + 600_001,
            ..right
        },
        Segment {
            mask_policy: "",
            ..right
        },
    ] {
        assert!(
            matches!(vault.accept(&wrong), Err(VaultError::Manifest(_))),
            "{wrong:?}"
        );
    }
    assert_eq!(vault.waiting().unwrap(), (0, 0));
}

#[test]
fn keys_and_folders_are_for_us_alone_and_open_with_the_right_secret_only() {
    let dir = tempfile::tempdir().unwrap();
    let settings = settings(dir.path());
    let agent = || Agent {
        outlet: 1,
        key: agent_key(),
        domain: domain(),
    };
    let right = Secret::new("a long passphrase");
    let vault = Vault::open(&settings, &MasterSecret::Passphrase(&right), agent()).unwrap();
    vault.accept(&guest(&noise(1, 100), 1)).unwrap();
    assert!(
        Vault::open(&settings, &MasterSecret::Passphrase(&right), agent()).is_err(),
        "two processes on one vault"
    );
    drop(vault);
    for (path, mode) in [("vault", 0o700), ("keys", 0o700), ("vault/spool", 0o700)] {
        assert_eq!(
            std::fs::metadata(dir.path().join(path))
                .unwrap()
                .permissions()
                .mode()
                & 0o777,
            mode,
            "{path}"
        );
    }
    for file in crate::actors::files(&dir.path().join("keys")) {
        assert_eq!(
            std::fs::metadata(&file).unwrap().permissions().mode() & 0o777,
            0o600,
            "{}",
            file.display()
        );
    }
    let wrong = Secret::new("another passphrase");
    assert!(matches!(
        Vault::open(&settings, &MasterSecret::Passphrase(&wrong), agent()),
        Err(VaultError::WrongSecret)
    ));
    let keystore = agent_key();
    let other_kind = Vault::open(&settings, &MasterSecret::Keystore(&keystore), agent());
    assert!(matches!(other_kind, Err(VaultError::MasterKind { .. })));
    let master = dir.path().join("keys/master.json");
    std::fs::set_permissions(&master, std::fs::Permissions::from_mode(0o644)).unwrap();
    let readable = Vault::open(&settings, &MasterSecret::Passphrase(&right), agent());
    assert!(matches!(readable, Err(VaultError::Permissions { .. })));
}

#[test]
fn a_spool_file_that_nothing_refers_to_was_never_accepted() {
    let dir = tempfile::tempdir().unwrap();
    drop(open(dir.path()));
    let spool = dir.path().join("vault/spool");
    let orphan = spool.join(ipfs::unixfs::cid_of(b"orphan").to_string());
    std::fs::write(&orphan, b"orphan").unwrap();
    std::fs::write(spool.join(".unfinished-abc"), b"half").unwrap();
    let vault = open(dir.path());
    assert_eq!(vault.waiting().unwrap(), (0, 0));
    assert_eq!(std::fs::read_dir(spool).unwrap().count(), 0);
    assert!(
        vault
            .revoke(consent(77), NOON)
            .is_ok_and(|recordings| recordings == 0)
    );
    assert!(matches!(
        vault.record(&ipfs::unixfs::cid_of(b"x")),
        Err(VaultError::Unknown { .. })
    ));
    assert_eq!(vault.recordings(4).unwrap().len(), 0);
}

#[test]
fn it_is_known_who_looked_at_what() {
    let dir = tempfile::tempdir().unwrap();
    let vault = open(dir.path());
    let cid = vault
        .accept(&guest(&noise(1, 100), 1))
        .unwrap()
        .manifest
        .cid;
    let sealed = std::fs::read(dir.path().join("vault/spool").join(cid.to_string())).unwrap();
    vault.decrypt(&cid, &sealed, "manager", NOON).unwrap();
    assert!(
        vault
            .decrypt(&cid, b"other bytes", "visitor", NOON)
            .is_err()
    );
    drop(vault);
    let seen: Vec<(String, u64)> = open(dir.path())
        .accesses()
        .unwrap()
        .into_iter()
        .map(|a| (a.who, a.at_ms))
        .collect();
    assert_eq!(
        seen,
        [("manager".to_owned(), NOON), ("visitor".to_owned(), NOON)]
    );
    let year = 400 * 86_400_000;
    open(dir.path()).expire(NOON + year + 1).unwrap();
    assert!(open(dir.path()).accesses().unwrap().is_empty());
}
