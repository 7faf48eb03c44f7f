//! Two runs sign the same bytes, and what is signed is what a node checks.

use crate::items_of;
use domain::eip712::DomainSeparator;
use domain::sale::check_lines;
use domain::{B256, Payload};
use import::{Item, Map, Signer};
use std::collections::BTreeMap;

const MAP: &str = r#"
    source = "test"
    group_by = "order"
    currency = "GEL"
    [columns]
    name = ["item"]
    unit_price = "price"
    [[outlets]]
    id = 1
    city = "Tbilisi"
    kind = "owner_operated"
"#;

fn signer() -> Signer {
    let key = secp256k1::SecretKey::from_byte_array([7; 32]).unwrap();
    Signer {
        domain: DomainSeparator::transactions(31_337, B256::repeat_byte(1)),
        currency: "GEL".parse().unwrap(),
        terminals: BTreeMap::from([(1, key)]),
        wallets: Vec::new(),
    }
}

#[test]
fn a_sale_is_signed_as_a_node_checks_it_and_always_alike() {
    let map = Map::from_toml(MAP).unwrap();
    let items = items_of("orders.csv", "order,item,price\nA,Tea,3.00\n", &map).unwrap();
    let [Item::Sale(order)] = items.as_slice() else {
        panic!("{items:?}");
    };

    let request = signer().sign_sale(order, 1_796_040_000_000).unwrap();
    assert_eq!(
        signer().sign_sale(order, 1_796_040_000_000).unwrap(),
        request
    );
    let sale = request.sale().unwrap();
    assert_eq!(
        check_lines(&sale, request.lines_salt, &request.lines),
        Ok(())
    );
    let digest = signer()
        .domain
        .transaction_digest(&Payload::Sale(sale.clone()));
    assert_eq!(request.signature.recover(digest), Ok(sale.terminal));
}

#[test]
fn an_outlet_without_a_key_is_named() {
    let map = Map::from_toml(MAP).unwrap();
    let items = items_of("orders.csv", "order,item,price\nA,Tea,3.00\n", &map).unwrap();
    let [Item::Sale(order)] = items.as_slice() else {
        panic!("{items:?}");
    };
    let nobody = Signer {
        terminals: BTreeMap::new(),
        ..signer()
    };
    let refused = nobody.sign_sale(order, 0).unwrap_err();
    assert_eq!(refused.to_string(), "no key here sells for outlet 1");
}
