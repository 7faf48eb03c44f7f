//! A few rows of each till's usual export, as its documentation and public files show them.

use crate::items_of;
use import::{Item, Map};

fn map_of(preset: &str, more: &str) -> Map {
    let text = format!(
        "source = \"till\"\npreset = \"{preset}\"\ncurrency = \"GEL\"\n{more}\n[[outlets]]\nid = 1\ncity = \"Tbilisi\"\nkind = \"owner_operated\"\n"
    );
    Map::from_toml(&text).unwrap()
}

/// Totals of the sales, and how many orders are refused.
fn outcome(preset: &str, more: &str, text: &str) -> (Vec<u64>, usize) {
    let items = items_of("orders.csv", text, &map_of(preset, more)).unwrap();
    let totals = items.iter().filter_map(|item| match item {
        Item::Sale(order) => Some(order.total),
        _ => None,
    });
    let refused = items
        .iter()
        .filter(|item| matches!(item, Item::Rejected(_)));
    (totals.collect(), refused.count())
}

const TBILISI: &str = "time = { zone = \"Asia/Tbilisi\" }";

#[test]
fn square_items() {
    let text = "Date,Time,Time Zone,Category,Item,Qty,Price Point Name,SKU,Modifiers Applied,Gross Sales,Discounts,Net Sales,Tax,Transaction ID,Payment ID,Device Name,Notes,Details,Event Type,Location,Dining Option,Customer ID,Customer Name,Customer Reference ID,Unit,Count,GTIN,Itemization Type,Commission,Employee,Fulfillment Note,Channel,Token,Card Brand,PAN Suffix
2026-10-03,19:42:10,Tbilisi,Khachapuri,Adjaruli khachapuri,2.0,Regular,KH-01,\"Extra egg, Extra cheese\",₾44.00,-₾4.40,₾39.60,₾6.04,TXA1,PYA1,Till 1,\"\",https://example.com/TXA1,Payment,Demo,For Here,\"\",\"\",\"\",ea,2,\"\",Physical Good,₾0.00,\"\",\"\",Demo,TOK1,Visa,0000
2026-10-03,19:42:10,Tbilisi,None,Lemonade Tarragon,1.0,\"\",\"\",\"\",₾6.00,₾0.00,₾6.00,₾0.92,TXA1,PYA1,Till 1,no ice,https://example.com/TXA1,Payment,Demo,For Here,\"\",\"\",\"\",ea,1,\"\",Physical Good,₾0.00,\"\",\"\",Demo,TOK2,Visa,0000
2026-10-03,20:05:33,Tbilisi,Khachapuri,Adjaruli khachapuri,-1.0,Regular,KH-01,\"\",-₾22.00,₾0.00,-₾22.00,-₾3.36,TXA2,PYA2,Till 1,\"\",https://example.com/TXA2,Refund,Demo,\"\",\"\",\"\",\"\",ea,-1,\"\",Physical Good,₾0.00,\"\",\"\",Demo,TOK1,Visa,0000
";
    assert_eq!(outcome("square-items", TBILISI, text), (vec![4_560], 1));
}

#[test]
fn square_transactions() {
    let text = "Date,Time,Time Zone,Gross Sales,Discounts,Service Charges,Net Sales,Tax,Tip,Total Collected,Transaction ID,Description,Event Type,Transaction Status
2026-10-03,19:42:10,Tbilisi,₾50.00,-₾4.40,₾0.00,₾45.60,₾6.96,₾5.00,₾57.56,TXA1,\"2 x Adjaruli khachapuri, Lemonade\",Payment,Complete
2026-10-03,20:05:33,Tbilisi,-₾22.00,₾0.00,₾0.00,-₾22.00,-₾3.36,₾0.00,-₾25.36,TXA2,Adjaruli khachapuri,Refund,Complete
";
    assert_eq!(
        outcome("square-transactions", TBILISI, text),
        (vec![4_560], 1)
    );
}

#[test]
fn toast_items() {
    let text = "Location,Order Id,Order #,Sent Date,Order Date,Check Id,Server,Table,Dining Area,Service,Dining Option,Item Selection Id,Item Id,Master Id,SKU,PLU,Menu Item,Menu Subgroup(s),Menu Group,Menu,Sales Category,Gross Price,Discount,Net Price,Qty,Tax,Void?,Deferred,Tax Exempt,Tax Inclusion Option,Dining Option Tax,Tab Name
Demo,130001,5001,10/3/26 7:45 PM,10/3/26 7:42 PM,1301,Staff A,6,Terrace,Dinner,Dine In,1,2,3,,,Adjaruli khachapuri,,Khachapuri,Main,Food,44.00,4.40,39.60,2.0,6.04000000,false,false,false,Tax Not Included,No Effect,
Demo,130001,5001,10/3/26 7:45 PM,10/3/26 7:42 PM,1301,Staff A,6,Terrace,Dinner,Dine In,2,3,4,,,Saperavi glass,,Wine,Drinks,Wine,14.00,0.00,14.00,1.0,2.13560000,true,false,false,Tax Not Included,No Effect,
";
    assert_eq!(outcome("toast-items", TBILISI, text), (vec![3_960], 0));
}

#[test]
fn clover_items() {
    let text = "Line Item Date,Order Employee ID,Order Employee Name,Order Employee Custom ID,Item ID,Item Product Code,Item SKU,Order ID,Item Name,Currency,Per Unit Quantity,Item Unit,Item Revenue,Modifiers,Modifiers Revenue,Total Revenue,Discounts,Total Discount,Order Discounts,Order Discount Proportion,Item Total,Item Tax Rate,Item Fee,Tax Amount,Item Total with Tax/Fee Amount,Refunded,Exchanged,Order Payment State,Service Charge
03-Oct-2026 07:42 PM GET,E1,Staff A,,I1,,KH-01,O1,Adjaruli khachapuri,GEL,,,22.00,Extra egg,2.00,24.00,,0.00,Guest (10%) -$2.20,-2.20,21.80,0.18,0.00,3.92,25.72,false,false,Paid,
03-Oct-2026 07:42 PM GET,E1,Staff A,,I2,,,O1,Cheese by weight,GEL,0.350,kg,12.25,,,12.25,,0.00,Guest (10%) -$1.23,-1.23,11.02,0.18,0.00,1.98,13.00,false,false,Paid,
03-Oct-2026 07:42 PM GET,E1,Staff A,,,,,O1,Gratuity,GEL,,,3.40,,,3.40,,0.00,,0.00,3.40,0.0,0.00,0.00,3.40,false,false,Paid,True
";
    assert_eq!(outcome("clover-items", TBILISI, text), (vec![3_282], 0));
}

#[test]
fn loyverse_items() {
    let text = "\u{feff}Date,Receipt number,Receipt type,Category,SKU,Item,Variant,Modifiers applied,Quantity,Gross sales,Discounts,Net sales,Cost of goods,Gross profit,Taxes,Dining option,POS,Store,Cashier name,Customer name,Customer contacts,Comment,Status
03/10/2026 19:42,2-1678,Sale,Khachapuri,10001,Adjaruli khachapuri,Large,,2.000,44.00,4.40,39.60,18.00,21.60,6.04,Dine in,POS 1,Demo,Staff A,,,,Closed
03/10/2026 19:42,2-1678,Sale,Drinks,10015,Lemonade Tarragon,,,1.000,6.00,0.00,6.00,2.10,3.90,0.92,Dine in,POS 1,Demo,Staff A,,,no ice,Closed
03/10/2026 20:05,2-1679,Refund,Khachapuri,10001,Adjaruli khachapuri,Large,,-1.000,-22.00,0.00,-22.00,-9.00,-13.00,-3.36,Dine in,POS 1,Demo,Staff A,,,,Closed
03/10/2026 20:10,2-1680,Sale,Drinks,10015,Lemonade Tarragon,,,1.000,6.00,0.00,6.00,2.10,3.90,0.92,Dine in,POS 1,Demo,Staff A,,,,Cancelled
";
    assert_eq!(outcome("loyverse-items", TBILISI, text), (vec![4_560], 1));
}

#[test]
fn lightspeed_items() {
    let text = "ID,Date,Type,Account,Employee,Device,SKU,Item,Quantity,Amount
S1,2026-10-03 19:42,Sale,A17,Staff A,Till 1,KH-01,Adjaruli khachapuri,2,44.00
S2,2026-10-03 19:42,Sale,A17,Staff A,Till 1,LM-02,Lemonade Tarragon,1,6.00
S3,2026-10-03 19:50,Split,A17,Staff A,Till 1,LM-02,Lemonade Tarragon,1,6.00
S4,2026-10-03 20:05,Refund,A18,Staff A,Till 1,KH-01,Adjaruli khachapuri,-1,-22.00
";
    assert_eq!(outcome("lightspeed-items", TBILISI, text), (vec![5_000], 1));
}

#[test]
fn poster_items() {
    let text = "Receipt;Waiter;Opened;Closed;Sum;Discount;Paid;Profit;Table;Guests;Status
330660;Staff A;03.10.2026 19:40;03.10.2026 20:31;50,00;4,40;45,60;25,50;5;2;Closed
330661;Staff B;03.10.2026 20:02;03.10.2026 20:05;22,00;0,00;22,00;-9,00;3;1;Deleted
";
    assert_eq!(outcome("poster-items", TBILISI, text), (vec![4_560], 0));
}

#[test]
fn iiko_items() {
    let text = "Учетный день;Торговое предприятие;Касса;Номер чека;Время закрытия;Блюдо;Блюдо удалено;Возврат чека;Количество блюд;Сумма со скидкой
03.10.2026;Demo;Касса 1;44179;03.10.2026 20:31:05;Хачапури аджарский;Не удалено;Не возврат;2;39,60
;;;;;Лимонад тархун;Не удалено;Не возврат;1;6,00
;;;44179 всего;;;;;3;45,60
03.10.2026;Demo;Касса 1;44180;03.10.2026 20:05:33;Саперави бокал;Удалено без списания;Не возврат;1;14,00
Итого;;;;;;;;4;59,60
";
    assert_eq!(outcome("iiko-items", TBILISI, text), (vec![4_560], 0));
}
