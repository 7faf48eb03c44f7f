//! What people scan and type: any text gives a value or a clean error.

use domain::{B256, SaleId};
use proptest::prelude::*;
use wallet::{
    ExtendedKey, ExtendedPublicKey, HdPath, Mnemonic, ReceiptCode, ReceiptCodeError, SecretKey,
    parse_key,
};

fn code() -> ReceiptCode {
    ReceiptCode {
        sidechain_id: B256::repeat_byte(0xab),
        outlet: 1,
        sale_id: SaleId([5; 16]),
        key: SecretKey::from_byte_array([7; 32]).unwrap(),
    }
}

#[test]
fn the_code_of_a_receipt_is_frozen() {
    let text = code().to_text();
    let expected = format!(
        "HOTPOT:1/{}/1/{}/{}",
        "AB".repeat(32),
        "05".repeat(16),
        "07".repeat(32)
    );
    assert_eq!(*text, expected);
    assert_eq!(text.parse::<ReceiptCode>().unwrap(), code());
    assert_eq!(text.to_lowercase().parse::<ReceiptCode>().unwrap(), code());
    assert!(!format!("{:?}", code()).contains("0707"));
}

#[test]
fn each_wrong_part_is_named_and_the_key_is_not_shown() {
    let text = code().to_text().to_string();
    let error = |text: &str| text.parse::<ReceiptCode>().unwrap_err();
    assert_eq!(error("https://example.com"), ReceiptCodeError::Prefix);
    assert_eq!(
        error(&text.replace("T:1/", "T:2/")),
        ReceiptCodeError::Prefix
    );
    assert_eq!(error(&text[..90]), ReceiptCodeError::Parts { found: 3 });
    assert_eq!(
        error(&format!("{text}/")),
        ReceiptCodeError::Parts { found: 5 }
    );
    assert!(matches!(
        error(&text.replace("ABAB/", "ABA/")),
        ReceiptCodeError::Chain { .. }
    ));
    assert!(matches!(
        error(&text.replace("/1/0", "/+1/0")),
        ReceiptCodeError::Outlet { .. }
    ));
    assert!(matches!(
        error(&text.replace("/1/05", "/1/")),
        ReceiptCodeError::Sale(_)
    ));
    let short = error(&text[..text.len() - 1]);
    assert!(
        matches!(short, ReceiptCodeError::Key(_)) && !short.to_string().contains("0707"),
        "{short}"
    );
}

proptest! {
    #[test]
    fn every_code_is_read_again(chain: [u8; 32], outlet: u64, sale: [u8; 16], key in 1u64..) {
        let mut secret = [0u8; 32];
        secret[24..].copy_from_slice(&key.to_be_bytes());
        let key = SecretKey::from_byte_array(secret).unwrap();
        let code = ReceiptCode { sidechain_id: B256::from(chain), outlet, sale_id: SaleId(sale), key };
        let text = code.to_text();
        prop_assert!(text.bytes().all(|byte| byte.is_ascii_uppercase() || byte.is_ascii_digit() || b":/".contains(&byte)));
        prop_assert_eq!(text.parse::<ReceiptCode>().unwrap(), code);
    }

    #[test]
    fn any_text_is_a_value_or_an_error(text in "\\PC{0,200}") {
        let _ = text.parse::<ReceiptCode>();
        let _ = format!("HOTPOT:1/{text}").parse::<ReceiptCode>();
        let _ = Mnemonic::from_phrase(&text);
        let _ = text.parse::<HdPath>();
        let _ = text.parse::<ExtendedKey>();
        let _ = text.parse::<ExtendedPublicKey>();
        let _ = parse_key(&text);
    }

    #[test]
    fn a_changed_letter_of_a_code_is_no_code_or_another_one(index in 0usize..173, letter in "[ -~]") {
        let mut text = code().to_text().to_string();
        text.replace_range(index..=index, &letter);
        if let Ok(read) = text.parse::<ReceiptCode>() {
            let same = text.eq_ignore_ascii_case(&code().to_text());
            prop_assert_eq!(same, read == code(), "{}", text);
        }
    }

    #[test]
    fn a_path_is_printed_as_it_is_read(steps in prop::collection::vec((0u32..1 << 31, any::<bool>()), 0..10)) {
        let step = |(index, hard): &(u32, bool)| format!("/{index}{}", if *hard { "'" } else { "" });
        let text = format!("m{}", steps.iter().map(step).collect::<String>());
        prop_assert_eq!(text.parse::<HdPath>().unwrap().to_string(), text);
    }
}
