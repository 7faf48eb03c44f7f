//! What a map says about a file, and what a file must not make of an order.

use crate::items_of;
use import::{Item, Map, Order, Preview};
use proptest::prelude::*;

/// A map with more lines before its columns, and other lines in them.
fn map_with(before: &str, columns: &str) -> Map {
    let text = format!(
        r#"
        source = "test"
        currency = "GEL"
        {before}
        [columns]
        name = ["item", "detail"]
        quantity = "qty"
        {columns}
        [[outlets]]
        id = 1
        city = "Tbilisi"
        kind = "owner_operated"
        names = ["Main"]
        [[outlets]]
        id = 2
        city = "Batumi"
        kind = "franchised"
        "#
    );
    Map::from_toml(&text).unwrap()
}

fn plain() -> Map {
    map_with("group_by = \"order\"", "line_total = \"price\"")
}

fn sales_of(items: &[Item]) -> Vec<&Order> {
    let sales = items.iter().filter_map(|item| match item {
        Item::Sale(order) => Some(order),
        _ => None,
    });
    sales.collect()
}

fn totals(text: &str, map: &Map) -> Vec<(String, u64)> {
    let items = items_of("orders.csv", text, map).unwrap();
    let sales = sales_of(&items).into_iter();
    sales.map(|order| (order.id.clone(), order.total)).collect()
}

fn refusals(text: &str, map: &Map) -> Vec<String> {
    let items = items_of("orders.csv", text, map).unwrap();
    let refused = items.iter().filter_map(|item| match item {
        Item::Rejected(refused) => Some(format!(
            "{} {} {}: {}",
            refused.order.as_deref().unwrap_or("?"),
            refused.line.unwrap_or(0),
            refused.field,
            refused.allowed
        )),
        _ => None,
    });
    refused.collect()
}

const HEADER: &str = "order,item,detail,qty,price\n";

#[test]
fn lines_of_an_order_are_joined_wherever_they_stand() {
    let text = format!("{HEADER}A,Tea,NULL,2,₾5.00\nB,Cake,,1,3.00\nA,Khinkali,Beef,3,10.00\n");
    let items = items_of("orders.csv", &text, &plain()).unwrap();
    let sales = sales_of(&items);
    let order = sales.iter().find(|order| order.id == "A").unwrap();
    assert_eq!((order.total, order.lines.len()), (1_500, 2));
    assert_eq!(order.lines[0].unit_price, 250);
    assert_eq!(order.lines[1].name, "3 × Khinkali, Beef");
    assert_eq!(order.lines[1].sku, "khinkali");
}

#[test]
fn a_bad_line_rejects_its_whole_order_with_line_field_found_and_allowed() {
    let text = format!("{HEADER}A,Tea,,2,5.00\nA,Cake,,none,3.00\nB,Cake,,1,3.00\nC,x,,1,-4\n");
    assert_eq!(totals(&text, &plain()), [("B".to_owned(), 300)]);
    let refused = refusals(&text, &plain());
    assert!(refused[0].starts_with("A 3 qty"), "{refused:?}");
    assert!(refused[1].starts_with("C 5 price"), "{refused:?}");
}

#[test]
fn a_row_that_may_belong_to_any_order_refuses_the_file() {
    for row in [",Lost,,1,1.00", "A,Tea,,1", "#REF!,Tea,,1,1.00"] {
        let text = format!("{HEADER}A,Tea,,1,3.00\n{row}\n");
        let refused = items_of("orders.csv", &text, &plain()).unwrap_err();
        assert!(refused.contains("line 3"), "{row}: {refused}");
    }
}

#[test]
fn an_id_that_a_spreadsheet_rewrote_is_refused_by_name() {
    let text = format!("{HEADER}2.02E+12,Tea,,1,3.00\n7,Tea,,1,3.00\n");
    assert_eq!(totals(&text, &plain()), [("7".to_owned(), 300)]);
    assert!(refusals(&text, &plain())[0].contains("spreadsheet"));
}

#[test]
fn outlets_and_buyers_depend_on_the_order_id_alone() {
    let map = map_with(
        "group_by = \"order\"\nbuyer = { wallet_one_in = 4, wallets = 12 }",
        "line_total = \"price\"",
    );
    let rows: String = (0..400).map(|i| format!("{i},Tea,,1,1.00\n")).collect();
    let items = items_of("orders.csv", &format!("{HEADER}{rows}"), &map).unwrap();
    let orders = sales_of(&items);
    let to_wallets = orders.iter().filter(|order| order.wallet.is_some()).count();
    assert!((60..140).contains(&to_wallets), "{to_wallets}");
    assert!(
        [1, 2]
            .iter()
            .all(|outlet| orders.iter().any(|order| order.outlet == *outlet))
    );

    let alone = items_of("orders.csv", &format!("{HEADER}7,Tea,,1,1.00\n"), &map).unwrap();
    let alone = sales_of(&alone)[0];
    assert_eq!(
        (alone.outlet, alone.sale_id),
        (orders[7].outlet, orders[7].sale_id)
    );
}

#[test]
fn numbers_that_begin_anew_are_told_apart_by_day_and_outlet() {
    let map = map_with(
        "group_by = [\"order\", \"shop\", { day_of = \"at\" }]\noutlet = { column = \"shop\" }",
        "line_total = \"price\"",
    );
    let text = "order,shop,at,item,detail,qty,price\n\
        1,Main,2026-11-19 10:00,Tea,,1,3.00\n1,Main,2026-11-19 10:05,Cake,,1,7.00\n\
        1,Main,2026-11-20 10:00,Tea,,1,3.00\n1,2,2026-11-19 10:00,Tea,,1,4.00\n";
    let expected = [
        ("1 / Main / 2026-11-19", 1_000),
        ("1 / Main / 2026-11-20", 300),
        ("1 / 2 / 2026-11-19", 400),
    ];
    let expected: Vec<(String, u64)> = expected.map(|(id, total)| (id.to_owned(), total)).to_vec();
    assert_eq!(totals(text, &map), expected);
}

#[test]
fn rows_of_one_order_agree_on_day_outlet_and_currency() {
    let map = map_with(
        "group_by = \"order\"\noutlet = { column = \"shop\" }\ntime = { column = \"at\", zone = \"Asia/Tbilisi\" }",
        "line_total = \"price\"\ncurrency = \"cur\"",
    );
    let text = "order,shop,at,cur,item,detail,qty,price\n\
        A,1,2026-11-30 10:00,GEL,Tea,,1,1.00\nA,2,2026-11-30 10:00,GEL,Tea,,1,1.00\n\
        B,1,2026-11-30 23:59,GEL,Tea,,1,1.00\nB,1,2026-12-01 00:01,GEL,Tea,,1,1.00\n\
        C,1,2026-11-30 10:00,GEL,Tea,,1,1.00\nC,1,2026-11-30 10:00,USD,Tea,,1,1.00\n\
        D,1,2026-11-30 10:05,GEL,Tea,,1,1.00\nD,1,2026-11-30 10:00,gel,Tea,,1,1.00\n";
    let refused = refusals(text, &map);
    let starts: Vec<&str> = refused
        .iter()
        .map(|text| text.split(':').next().unwrap())
        .collect();
    assert_eq!(starts, ["A 3 shop", "B 5 at", "C 7 cur"]);

    let items = items_of("orders.csv", text, &map).unwrap();
    let order = sales_of(&items)[0];
    assert_eq!(
        order.occurred_at_ms,
        Some(1_796_018_400_000),
        "the first moment"
    );
}

#[test]
fn a_refund_is_one_of_the_sale_that_it_names() {
    let map = map_with(
        "group_by = \"order\"\n[[rows]]\ncolumn = \"kind\"\nvalues = [\"back\"]\nkind = \"refund\"\n",
        "line_total = \"price\"\nrefund_of = \"of\"",
    );
    let text = "order,kind,of,item,detail,qty,price\n\
        A,sale,,Tea,,1,3.00\nR,back,A,Tea,,-1,-3.00\nB,sale,,Tea,,2,6.00\nB,back,,Tea,,-1,-3.00\nS,back,,Tea,,-1,-3.00\n";
    let items = items_of("orders.csv", text, &map).unwrap();
    let sale_of = |id: &str| {
        sales_of(&items)
            .into_iter()
            .find(|order| order.id == id)
            .unwrap()
            .sale_id
    };
    let returns: Vec<_> = items
        .iter()
        .filter_map(|item| match item {
            Item::Return(refund) => Some((refund.id.as_str(), refund.sale_id, refund.amount)),
            _ => None,
        })
        .collect();
    assert_eq!(
        returns,
        [("R", sale_of("A"), 300), ("B", sale_of("B"), 300)]
    );
    assert!(refusals(text, &map)[0].starts_with("S 6 of"));
}

#[test]
fn discounts_are_spread_and_extras_included_where_the_map_says_so() {
    let text = format!(
        "{HEADER}A,Khinkali,,5,8.00\nA,Tea,,1,2.00\nA,Discount 10%,,1,-1.00\nA,Service 10%,,1,0.90\nA,Total,,1,9.90\n"
    );
    assert!(refusals(&text, &plain())[0].contains("amounts.discount"));

    let spread = map_with(
        "group_by = \"order\"\namounts = { discount = \"spread\" }",
        "line_total = \"price\"",
    );
    assert_eq!(totals(&text, &spread), [("A".to_owned(), 900)]);
    let all = map_with(
        "group_by = \"order\"\namounts = { discount = \"spread\", service = \"include\" }",
        "line_total = \"price\"",
    );
    assert_eq!(totals(&text, &all), [("A".to_owned(), 990)]);
}

#[test]
fn a_receipt_that_does_not_add_up_is_refused() {
    let map = map_with(
        "group_by = \"order\"",
        "line_total = \"price\"\nreceipt_total = \"paid\"",
    );
    let text = "order,item,detail,qty,price,paid\nA,Tea,,1,3.00,10.00\nA,Cake,,1,7.00,10.00\nB,Tea,,1,3.00,3.50\n";
    assert_eq!(totals(text, &map), [("A".to_owned(), 1_000)]);
    assert!(refusals(text, &map)[0].starts_with("B 4 paid"));

    let text = format!("{HEADER}A,Tea,,1,3.00\nA,Total,,1,4.00\n");
    assert!(refusals(&text, &plain())[0].starts_with("A 3 price"));
}

#[test]
fn a_weight_is_one_line_with_its_measure() {
    let map = map_with(
        "group_by = \"order\"",
        "line_total = \"price\"\nunit = \"unit\"",
    );
    let text = "order,item,detail,qty,unit,price\nA,Sulguni,,0.350,kg,7.35\nA,Tea,,2.000,ea,6.00\n";
    let items = items_of("orders.csv", text, &map).unwrap();
    let lines = &sales_of(&items)[0].lines;
    assert_eq!(
        (lines[0].quantity, lines[0].name.as_str()),
        (1, "0.35 kg × Sulguni")
    );
    assert_eq!((lines[1].quantity, lines[1].unit_price), (2, 300));
}

#[test]
fn comma_and_point_never_mix_in_a_file_without_its_saying_so() {
    let text =
        "order;item;detail;qty;price\nA;Tea;;1;1.250\nB;Tea;;1;3.000,00\nC;Tea;;1;1.000,50\n";
    assert_eq!(
        totals(text, &plain()),
        [
            ("A".to_owned(), 125_000),
            ("B".to_owned(), 300_000),
            ("C".to_owned(), 100_050)
        ]
    );
    let point = map_with(
        "group_by = \"order\"\nnumbers = { decimal = \".\" }",
        "line_total = \"price\"",
    );
    assert_eq!(
        totals("order;item;detail;qty;price\nA;Tea;;1;1.250\n", &point),
        [("A".to_owned(), 125)]
    );
    assert!(refusals(text, &point)[0].starts_with("B 3 price"));
}

#[test]
fn a_price_with_two_readings_is_refused_and_a_neighbour_decides() {
    let text = format!("{HEADER}A,Tea,,1,9.000\n");
    assert!(refusals(&text, &plain())[0].contains("numbers.decimal"));
    let text = format!("{text}B,Tea,,1,0.750\n");
    assert_eq!(totals(&text, &plain()), [("B".to_owned(), 75)]);
    assert!(refusals(&text, &plain())[0].contains("numbers.decimal"));
    let text = format!("{text}C,Tea,,1,0.500\n");
    let all = [("A", 900), ("B", 75), ("C", 50)].map(|(id, total)| (id.to_owned(), total));
    assert_eq!(totals(&text, &plain()), all);
}

#[test]
fn one_cell_that_was_edited_makes_no_thousands() {
    let dear = "order;item;detail;qty;price\nA;Tea;;1;9.000\nB;Tea;;1;12.000\nC;Cake;;1;7.500\n";
    let half = format!("{dear}D;Sauce;;1;0,5\n");
    assert_eq!(totals(&half, &plain()), [("D".to_owned(), 50)]);
    let more = format!("{half}E;Sauce;;1;0,75\n");
    assert_eq!(refusals(&more, &plain()).len(), 3, "no thousands are shown");

    let map = map_with("group_by = \"order\"", "unit_price = \"price\"");
    let pieces = "order;item;detail;qty;price\nA;Tea;;9.000;1\nB;Tea;;0,5;2\nC;Tea;;0,5;2\n";
    assert_eq!(totals(pieces, &map).len(), 2);
}

#[test]
fn a_sign_between_thousands_is_none_before_decimals() {
    let map = map_with(
        "group_by = \"order\"\nnumbers = { thousands = \".\" }",
        "line_total = \"price\"",
    );
    let text = "order;item;detail;qty;price\nA;Tea;;1;9.000\nB;Tea;;1;9,50\n";
    let all = [("A".to_owned(), 900_000), ("B".to_owned(), 950)];
    assert_eq!(totals(text, &map), all);
}

#[test]
fn sums_that_are_no_sale_prove_nothing() {
    let text = "order,item,detail,qty,price\nA,Tea,,1,9.000\nB,Tea,,1,0.750\nZ,Summe,,1,9.75\n";
    assert_eq!(totals(text, &plain()), [("B".to_owned(), 75)]);
    let text = format!("{text}C,Tea,,1,0.500\nY,Summe,,1,\"0,50\"\n");
    assert_eq!(totals(&text, &plain()).len(), 2, "a sum may contradict");
    let footer = text.replace("Y,Summe", ",Summe");
    assert_eq!(totals(&footer, &plain()).len(), 2, "of the whole file too");
}

#[test]
fn a_number_of_json_has_a_point_in_any_file() {
    let rows = |price: &str| {
        format!(
            "[{{\"order\":\"A\",\"item\":\"Tea\",\"detail\":\"\",\"qty\":1.000,\"price\":{price}}}]"
        )
    };
    let total = |price: &str, map: &Map| match items_of("orders.json", &rows(price), map)
        .unwrap()
        .as_slice()
    {
        [Item::Sale(order)] => Some(order.total),
        _ => None,
    };
    let comma = map_with(
        "group_by = \"order\"\nnumbers = { decimal = \",\" }",
        "line_total = \"price\"",
    );
    assert_eq!(total("9.000", &plain()), Some(900));
    assert_eq!(total("9.000", &comma), Some(900));
    assert_eq!(total("\"9.000\"", &plain()), None);
    assert_eq!(total("\"9.000\"", &comma), Some(900_000));
}

#[test]
fn what_was_sold_and_refunded_later_needs_one_rule() {
    let text = "order,status,item,detail,qty,price\nA,Refunded,Tea,,1,3.00\nA,Paid,Cake,,1,7.00\n";
    let with = |rule: &str| {
        let before = format!("group_by = \"order\"\namounts = {{ refunded = \"{rule}\" }}");
        let map = map_with(&before, "line_total = \"price\"");
        let items = items_of("orders.csv", text, &map).unwrap();
        let returned = items.iter().find_map(|item| match item {
            Item::Return(refund) => Some((refund.of.clone(), refund.amount)),
            _ => None,
        });
        (sales_of(&items)[0].total, returned)
    };
    assert!(refusals(text, &plain())[0].contains("amounts.refunded"));
    assert_eq!(with("leave_out"), (700, None));
    assert_eq!(with("give_back"), (1_000, Some(("A".to_owned(), 300))));

    let below = "order,status,item,detail,qty,price\nR,Refunded,Tea,,-1,-3.00\n";
    assert!(refusals(below, &plain())[0].contains("refund_of"));
}

#[test]
fn a_state_in_the_first_row_alone_is_the_order_s() {
    let text = "order,status,item,detail,qty,price\nA,Cancelled,Tea,,1,3.00\nA,,Cake,,1,7.00\n\
        B,Paid,Tea,,1,3.00\nB,,Cake,,1,7.00\nC,,Tea,,1,3.00\nC,Void,Cake,,1,7.00\nD,Open,Tea,,1,3.00\nD,,Tea,,1,3.00\n";
    let expected = [("B".to_owned(), 1_000), ("C".to_owned(), 300)];
    assert_eq!(totals(text, &plain()), expected);
    assert!(refusals(text, &plain())[0].starts_with("D "));
}

#[test]
fn payments_and_sums_under_many_names_double_no_order() {
    for name in [
        "Cash",
        "Наличные",
        "Total GEL",
        "ბარათი",
        "Espèces",
        "Tarjeta",
    ] {
        let text = format!(
            "{HEADER}A,Tea,,1,3.00\nA,Cake,,1,7.00\nA,{name},,1,10.00\nB,Tea,,1,3.00\nB,{name},,1,3.00\n"
        );
        let all = [("A".to_owned(), 1_000), ("B".to_owned(), 300)];
        assert_eq!(totals(&text, &plain()), all, "{name}");
        let wrong = text.replace(",1,10.00", ",1,11.00");
        assert_eq!(totals(&wrong, &plain()), all[1..], "{name}");
    }
    let text = format!("{HEADER}A,Tea,,1,3.00\nA,Cake,,1,7.00\nA,Cash,,1,4.00\nA,Card,,1,6.00\n");
    assert_eq!(totals(&text, &plain()), [("A".to_owned(), 1_000)]);
    let text = format!("{HEADER}A,Tea,,1,3.00\nA,Rounding,,1,0.02\n");
    assert!(refusals(&text, &plain())[0].contains("[[rows]]"));
}

#[test]
fn a_row_that_costs_what_the_others_cost_may_be_their_sum() {
    let text = format!(
        "{HEADER}A,Tea,,1,3.00\nA,Cake,,1,7.00\nA,Revolut,,1,10.00\nB,Tea,,1,3.00\nB,Revolut,,1,3.00\n\
        C,Tea,,1,3.00\nC,Bread,,1,3.00\n"
    );
    assert_eq!(totals(&text, &plain()), [("C".to_owned(), 600)]);
    let refused = refusals(&text, &plain());
    assert!(
        refused[0].starts_with("A 4 price") && refused[0].contains("sum"),
        "{refused:?}"
    );
    assert!(refused[1].starts_with("B 6 price"), "{refused:?}");

    let told = |before: &str| {
        let before = format!("group_by = \"order\"\n{before}");
        totals(&text, &map_with(&before, "line_total = \"price\""))
    };
    let rule = |kind: &str| {
        format!("[[rows]]\ncolumn = \"item\"\nvalues = [\"Revolut\"]\nkind = \"{kind}\"\n")
    };
    assert_eq!(told(&rule("payment"))[0].1, 1_000);
    assert_eq!(told(&rule("goods"))[0].1, 2_000);
    assert_eq!(told("sum_rows_checked = false")[0].1, 2_000);
}

#[test]
fn a_dish_that_costs_what_others_cost_is_told_by_its_other_orders() {
    let alone: String = (0..3).map(|i| format!("{i},Feast,,1,10.00\n")).collect();
    let text = format!("{HEADER}{alone}A,Tea,,1,3.00\nA,Cake,,1,7.00\nA,Feast,,1,10.00\n");
    assert_eq!(totals(&text, &plain())[3], ("A".to_owned(), 2_000));

    let twins: String = (1..4)
        .map(|i| format!("{i},Visa Electron,,1,{i}.00\n{i},Dish {i},,1,{i}.00\n"))
        .collect();
    assert_eq!(totals(&format!("{HEADER}{twins}"), &plain()), []);
}

#[test]
fn a_name_that_is_mostly_a_sum_is_none_by_chance_elsewhere() {
    let usual: String = (1..4)
        .map(|i| {
            format!(
                "{i},Tea,,1,3.00\n{i},Cake,,1,{i}.00\n{i},Revolut,,1,{}.00\n",
                3 + i
            )
        })
        .collect();
    let text = format!(
        "{HEADER}{usual}A,Tea,,1,3.00\nA,Cake,,1,7.00\nA,Revolut,,1,12.00\nB,Tea,,1,3.00\nB,Cake,,1,7.00\n"
    );
    assert_eq!(totals(&text, &plain()), [("B".to_owned(), 1_000)]);
    assert!(refusals(&text, &plain())[3].starts_with("A 13 price"));
}

#[test]
fn a_sum_may_count_all_pieces_and_a_dish_may_stand_twice() {
    let map = map_with("group_by = \"order\"", "unit_price = \"price\"");
    let text = format!("{HEADER}A,Tea,,1,3.00\nA,Cake,,2,3.50\nA,Revolut,,3,10.00\n");
    assert_eq!(totals(&text, &map), []);
    let text = format!("{HEADER}A,Tea,,1,3.00\nA,Tea,,1,3.00\nA,Tea,,2,6.00\n");
    assert_eq!(totals(&text, &plain()), [("A".to_owned(), 1_200)]);
}

#[test]
fn a_dish_with_a_name_of_a_tax_does_not_vanish() {
    let text = format!("{HEADER}A,Tea,,1,3.00\nA,VAT 69,,1,12.00\nB,Total 0%,,1,4.00\n");
    assert_eq!(totals(&text, &plain()), []);

    let (head, columns) = (
        "group_by = \"order\"",
        "line_total = \"price\"\nreceipt_total = \"paid\"",
    );
    let text = "order,item,detail,qty,price,paid\nA,Tea,,1,3.00,15.00\nA,Service,,1,12.00,15.00\n";
    let refused = refusals(text, &map_with(head, columns));
    assert!(
        refused[0].contains("3.00 GEL") && refused[0].contains("amounts"),
        "{refused:?}"
    );
    let told = map_with(
        &format!("{head}\namounts = {{ service = \"leave_out\" }}"),
        columns,
    );
    assert_eq!(totals(text, &told), [("A".to_owned(), 300)]);
}

#[test]
fn what_a_name_alone_leaves_out_is_summed_up() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("orders.csv");
    let text = format!(
        "{HEADER}A,Tea,,1,3.00\nA,10% service,,1,0.30\nB,Tea,,1,3.00\nB,10% service,,1,0.30\n"
    );
    std::fs::write(&path, text).unwrap();
    let (_, preview) = crate::look_at(&path, &plain()).unwrap();
    let ((kind, name), sum) = preview.left_out_names.first_key_value().unwrap();
    assert_eq!(
        (kind.as_str(), name.as_str()),
        ("a service charge", "10% service")
    );
    assert_eq!((sum.rows, sum.amount), (2, 60));
}

#[test]
fn a_subtotal_stands_before_or_behind_the_discount() {
    let map = map_with(
        "group_by = \"order\"\namounts = { discount = \"spread\", service = \"include\" }",
        "line_total = \"price\"",
    );
    let text = |subtotal: &str| {
        format!(
            "{HEADER}A,Khinkali,,5,8.00\nA,Tea,,1,2.00\nA,Subtotal,,1,{subtotal}\nA,Discount,,1,-1.00\n\
            A,Service,,1,0.90\nA,Total,,1,9.90\n"
        )
    };
    for subtotal in ["10.00", "9.00", "9.90"] {
        assert_eq!(
            totals(&text(subtotal), &map),
            [("A".to_owned(), 990)],
            "{subtotal}"
        );
    }
    assert_eq!(totals(&text("9.50"), &map), []);
}

#[test]
fn numbers_that_begin_anew_are_noticed_without_a_rule() {
    let text =
        "order,day,item,detail,qty,price\n1,2026-11-19,Tea,,1,3.00\n1,2026-11-20,Tea,,1,3.00\n";
    assert_eq!(totals(text, &plain()), []);
    assert!(refusals(text, &plain())[0].contains("day_of"));
}

#[test]
fn a_moment_that_the_map_does_not_speak_of_tells_days_apart() {
    let text = |first: &str, second: &str| {
        format!(
            "order,created_at,item,detail,qty,price\n1,{first},Tea,,1,3.00\n1,{second},Tea,,1,4.00\n"
        )
    };
    let apart = text("2026-11-19T10:00:00Z", "2026-11-20T10:00:00Z");
    assert!(refusals(&apart, &plain())[0].contains("day_of"));
    for (first, second) in [
        ("10:00", "10:05"),
        ("1763618400", "1763618460"),
        ("19.11.2026 10:00", "19.11.2026 10:05"),
    ] {
        assert_eq!(totals(&text(first, second), &plain()).len(), 1, "{first}");
    }
}

#[test]
fn two_outlets_have_their_own_numbers_without_a_rule() {
    let text = "order,Location,item,detail,qty,price\n1,Main,Tea,,1,3.00\n1,Old Town,Tea,,1,4.00\n2,Main,Tea,,1,3.00\n2,,Cake,,1,4.00\n";
    assert_eq!(totals(text, &plain()), [("2".to_owned(), 700)]);
    assert!(refusals(text, &plain())[0].contains("outlet.column"));
}

#[test]
fn rows_of_one_order_do_not_lie_half_a_day_apart() {
    let text = "order,at,item,detail,qty,price\n\
        1,2026-11-30T08:00:00+04:00,Tea,,1,3.00\n1,2026-11-30T22:00:00+04:00,Tea,,1,4.00\n\
        2,2026-11-30T08:00:00+04:00,Tea,,1,3.00\n2,2026-11-30T11:00:00+04:00,Tea,,1,4.00\n";
    let with = |more: &str| {
        let before = format!("group_by = \"order\"\ntime = {{ column = \"at\"{more} }}");
        map_with(&before, "line_total = \"price\"")
    };
    assert_eq!(totals(text, &with("")).len(), 1);
    assert!(refusals(text, &with(""))[0].contains("time.order_hours"));
    assert_eq!(totals(text, &with(", order_hours = 24")).len(), 2);
}

#[test]
fn a_time_that_shows_day_and_month_exchanged_refuses_the_file() {
    let map = map_with(
        "group_by = \"order\"\ntime = { column = \"at\", format = \"%d/%m/%Y %H:%M\", zone = \"Asia/Tbilisi\" }",
        "line_total = \"price\"",
    );
    let text = "order,at,item,detail,qty,price\nA,10/11/2026 10:00,Tea,,1,3.00\n";
    assert_eq!(totals(text, &map).len(), 1);
    let text = format!("{text}B,11/20/2026 10:00,Tea,,1,3.00\n");
    let refused = items_of("orders.csv", &text, &map).unwrap_err();
    assert!(
        refused.contains("line 3") && refused.contains("exchanged"),
        "{refused}"
    );
}

#[test]
fn all_refusals_are_counted_by_kind_and_handed_out() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("orders.csv");
    let rows: String = (0..50).map(|i| format!("{i},Tea,,1,x{i}\n")).collect();
    std::fs::write(&path, format!("{HEADER}{rows}C,Tea,,1,-3.00\n")).unwrap();
    let (plan, preview) = crate::look_at(&path, &plain()).unwrap();
    let kinds: Vec<u64> = preview.rejected_kinds.values().copied().collect();
    assert_eq!((kinds.iter().sum::<u64>(), kinds.len()), (51, 2));
    assert_eq!(preview.first_rejected.len(), 20);

    let mut listed = 0;
    let none = import::MadeTimes::default();
    let again = Preview::read_each(&plan, &none, crate::NOW_MS, |_| {
        listed += 1;
        Ok(())
    });
    assert_eq!((again.unwrap(), listed), (preview, 51));
}

#[test]
fn one_order_of_too_many_rows_is_no_scattered_file() {
    let rows = "A,Tea,,1,1.00\n".repeat(100_002);
    let refused = items_of("orders.csv", &format!("{HEADER}{rows}"), &plain()).unwrap_err();
    assert!(
        refused.contains("100002 rows") && refused.contains("group_by"),
        "{refused}"
    );
}

#[test]
fn a_currency_in_a_header_must_be_the_map_s() {
    let map = |price: &str| map_with("group_by = \"order\"", &format!("line_total = {price:?}"));
    for other in ["Price (USD)", "price_eur", "Price, $", "Цена, ₽"] {
        let text = format!("order;item;detail;qty;{other}\nA;Tea;;1;3.00\n");
        let refused = items_of("orders.csv", &text, &map(other)).unwrap_err();
        assert!(refused.contains("GEL"), "{other}: {refused}");
    }
    for own in ["Price (GEL)", "Price ₾", "price_try", "All prices"] {
        let text = format!("order;item;detail;qty;{own}\nA;Tea;;1;3.00\n");
        assert_eq!(totals(&text, &map(own)), [("A".to_owned(), 300)], "{own}");
    }
}

#[test]
fn what_comes_too_late_is_foreseen() {
    let map = map_with(
        "group_by = \"order\"\ntime = { column = \"at\" }",
        "line_total = \"price\"",
    );
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("orders.csv");
    let text = "order,at,item,detail,qty,price\n\
        A,2026-11-27T11:59:00Z,Tea,,1,1.00\nB,2026-11-27T12:01:00Z,Tea,,1,1.00\nC,2026-11-30T12:01:00Z,Tea,,1,1.00\n";
    std::fs::write(&path, text).unwrap();
    let (_, preview) = crate::look_at(&path, &map).unwrap();
    assert_eq!((preview.sales, preview.foreseen), (3, 2));
    let late = &preview.first_foreseen[0];
    assert!(late.allowed.contains("72 hours"), "{late:?}");
}

#[test]
fn an_order_that_was_not_paid_is_no_sale() {
    let text = "order,status,item,detail,qty,price\nA,Open,Tea,,1,3.00\nB,Closed,Tea,,1,3.00\n";
    assert_eq!(totals(text, &plain()), [("B".to_owned(), 300)]);
    assert!(refusals(text, &plain())[0].contains("paid"));
}

#[test]
fn the_usual_words_can_be_switched_off() {
    let map = map_with(
        "group_by = \"order\"\nusual_words = false",
        "line_total = \"price\"",
    );
    let text = format!("{HEADER}A,Total,,1,3.00\n");
    assert_eq!(totals(&text, &map), [("A".to_owned(), 300)]);
    assert_eq!(totals(&text, &plain()), []);
}

#[test]
fn a_header_that_stands_again_refuses_the_file() {
    let text = format!("{HEADER}A,Tea,,1,3.00\n{HEADER}A,Tea,,1,3.00\n");
    let refused = items_of("orders.csv", &text, &plain()).unwrap_err();
    assert!(refused.contains("the header stands again"), "{refused}");
}

#[test]
fn a_refund_takes_back_what_its_rows_say_and_from_one_order() {
    let map = map_with(
        "group_by = \"order\"",
        "line_total = \"price\"\nrefund_of = \"of\"",
    );
    let returns = |rows: &str| {
        let text = format!(
            "order,type,of,item,detail,qty,price\n1,sale,,Wine,,1,50.00\n5,sale,,Beer,,1,15.00\n{rows}"
        );
        let items = items_of("orders.csv", &text, &map).unwrap();
        let returns = items.iter().filter_map(|item| match item {
            Item::Return(refund) => Some((refund.of.clone(), refund.amount)),
            _ => None,
        });
        returns.collect::<Vec<_>>()
    };

    let total = "2,refund,1,Wine,,1,-10.00\n2,refund,1,Total,,1,-10.00\n";
    assert_eq!(returns(total), [("1".to_owned(), 1_000)]);
    assert_eq!(
        returns("5,refund,1,Wine,,1,-10.00\n"),
        [("1".to_owned(), 1_000)]
    );
    assert_eq!(
        returns("9,refund,1,Wine,,1,-10\n9,refund,5,Beer,,1,-4\n"),
        []
    );
    assert_eq!(
        returns("9,refund,1,Wine,,1,-10\n9,refund,1,Back,,1,1\n"),
        []
    );
}

#[test]
fn prices_of_one_are_counted_in_refunds_and_discounts_too() {
    let map = map_with(
        "group_by = \"order\"\namounts = { discount = \"spread\" }",
        "unit_price = \"price\"",
    );
    let text = "order,type,item,detail,qty,price\nA,sale,Pizza,,2,20.00\nA,sale,Discount,,2,-5.00\n\
        B,sale,Wine,,3,10.00\nB,refund,Wine,,-2,10.00\n";
    let items = items_of("orders.csv", text, &map).unwrap();
    let totals: Vec<u64> = sales_of(&items).iter().map(|order| order.total).collect();
    assert_eq!(totals, [3_000, 3_000]);
    let refund = items.iter().find_map(|item| match item {
        Item::Return(refund) => Some(refund.amount),
        _ => None,
    });
    assert_eq!(refund, Some(2_000));
}

#[test]
fn a_value_in_a_column_without_a_name_refuses_the_file() {
    let text = "order,item,detail,qty,price,\nA,Tea,,1,2,50\n";
    let refused = items_of("orders.csv", text, &plain()).unwrap_err();
    assert!(refused.contains("a column without a name"), "{refused}");
    let text = "order,item,detail,qty,price,\nA,Tea,,1,2.50,\n";
    assert_eq!(totals(text, &plain()), [("A".to_owned(), 250)]);
}

#[test]
fn a_discount_without_an_order_refuses_the_file() {
    let text = format!("{HEADER}A,Pizza,,1,20.00\n,Discount,,1,-5.00\n");
    let refused = items_of("orders.csv", &text, &plain()).unwrap_err();
    assert!(refused.contains("line 3"), "{refused}");
}

#[test]
fn a_flag_that_is_neither_yes_nor_no_refuses_its_order() {
    let text = "order,void?,item,detail,qty,price\nA,ИСТИНА,Tea,,1,3.00\nB,false,Tea,,1,3.00\nC,,Tea,,1,3.00\n";
    assert_eq!(
        totals(text, &plain()),
        [("B".to_owned(), 300), ("C".to_owned(), 300)]
    );
    assert!(refusals(text, &plain())[0].contains("[[rows]]"));
}

#[test]
fn an_order_of_sums_alone_is_listed() {
    let text = format!("{HEADER}A,Summe,,1,9.00\n");
    let items = items_of("orders.csv", &text, &plain()).unwrap();
    assert!(
        matches!(items.as_slice(), [Item::LeftOut(row)] if row.line == 2),
        "{items:?}"
    );
}

proptest! {
    /// Whatever a file holds, what is signed adds up, and no order is both sold and refused.
    #[test]
    fn hostile_files_never_make_money(
        rows in prop::collection::vec(
            ("[A-C]", "(Tea|Total|Tip|Discount)", "(|1|2|0[.]5|-1|x|1,5)", "(|3[.]00|9[.]000|-1|1,50|x|2e3|\\(4\\))"),
            0..12,
        ),
    ) {
        let text: String = rows
            .iter()
            .map(|(order, item, quantity, price)| format!("{order};{item};;{quantity};{price}\n"))
            .collect();
        let text = format!("order;item;detail;qty;price\n{text}");
        let items = items_of("orders.csv", &text, &plain()).unwrap();
        for order in sales_of(&items) {
            let sum: u64 = order.lines.iter().map(|line| u64::from(line.quantity) * line.unit_price).sum();
            prop_assert_eq!(sum, order.total);
            prop_assert!(order.total > 0);
        }
    }

    #[test]
    fn hostile_bytes_are_read_or_refused(bytes in prop::collection::vec(any::<u8>(), 0..300)) {
        let folder = tempfile::tempdir().unwrap();
        for name in ["orders.csv", "orders.jsonl", "orders.json"] {
            let path = folder.path().join(name);
            let mut content = b"order,item,detail,qty,price\n".to_vec();
            content.extend(&bytes);
            std::fs::write(&path, if name == "orders.csv" { &content } else { &bytes }).unwrap();
            let _ = import::Plan::read(&path, &plain(), &std::sync::atomic::AtomicU64::new(0));
        }
    }
}
