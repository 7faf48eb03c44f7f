//! What a row is: goods that were sold, or one of the many other things that tills write among them.
//!
//! A map's own rules come first. Beside them the usual words of tills are understood, in English, Georgian, Russian,
//! German, French and Spanish, since the worst reading of a voided row is a sale. Whatever is left out is listed with its reason.

use crate::file::{normalise_name, words_of_name};
use serde::Deserialize;
use std::collections::HashMap;
use std::sync::LazyLock;

/// What a row is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RowKind {
    /// Goods that were sold.
    Goods,
    /// What was taken back before it was paid, or never made.
    Void,
    /// Money that was given back after it was paid.
    Refund,
    /// Sold, and given back later: its price is above zero and its state says so.
    Refunded,
    /// Makes its order cheaper.
    Discount,
    /// A tip for whoever served.
    Tip,
    /// A charge for the service, often a share of the goods.
    Service,
    /// A tax on top of the prices.
    Tax,
    /// A sum of what stands above it.
    Subtotal,
    /// What was paid for the whole order, or in the whole file.
    Total,
    /// How the order was paid: a sum of it again.
    Payment,
    /// No row of an order: a header again, a note, an empty line.
    Ignore,
    /// An order that was not paid yet.
    Unpaid,
    /// Told by a value that nobody knows.
    Unclear,
}

impl RowKind {
    /// For people, as in "left out: a voided row".
    pub const fn name(self) -> &'static str {
        match self {
            Self::Goods => "goods",
            Self::Void => "a voided row",
            Self::Refund => "a refund",
            Self::Refunded => "refunded later",
            Self::Discount => "a discount",
            Self::Tip => "a tip",
            Self::Service => "a service charge",
            Self::Tax => "a tax",
            Self::Subtotal => "a subtotal",
            Self::Total => "a total",
            Self::Payment => "a payment",
            Self::Ignore => "no row of an order",
            Self::Unpaid => "not paid yet",
            Self::Unclear => "not known",
        }
    }
}

/// A rule of the map: rows whose column has one of these values are of this kind.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RowRule {
    /// The column that tells.
    pub column: String,
    /// Its values, in any case. `*` at the end stands for any rest.
    pub values: Vec<String>,
    /// What such rows are.
    pub kind: RowKind,
}

impl RowRule {
    /// Whether a value is one of the rule's.
    pub fn fits(&self, value: &str) -> bool {
        let value = normalise_name(value);
        self.values.iter().any(|wanted| {
            let wanted = normalise_name(wanted);
            match wanted.strip_suffix('*') {
                Some(start) => value.starts_with(start),
                None => value == wanted,
            }
        })
    }
}

/// What the usual name of a column makes its values tell.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Telling {
    /// Yes means void: `Void?`.
    VoidFlag,
    /// A state, such as `Status`.
    Status,
    /// A kind of receipt or event, such as `Event Type`.
    Type,
}

const VOID_FLAGS: [&str; 12] = [
    "voided at",
    "deleted at",
    "cancelled at",
    "void?",
    "void",
    "voided",
    "is void",
    "voided?",
    "cancelled",
    "canceled",
    "is cancelled",
    "deleted",
];
const STATUS_COLUMNS: [&str; 10] = [
    "status",
    "state",
    "order status",
    "receipt status",
    "payment status",
    "transaction status",
    "order state",
    "payment state",
    "статус",
    "სტატუსი",
];
const TYPE_COLUMNS: [&str; 9] = [
    "type",
    "event type",
    "receipt type",
    "transaction type",
    "line type",
    "sale type",
    "тип",
    "тип операции",
    "ტიპი",
];
const YES: [&str; 10] = [
    "true", "yes", "y", "1", "x", "void", "voided", "да", "კი", "ja",
];
const NO: [&str; 9] = ["", "false", "no", "n", "0", "нет", "არა", "nein", "null"];
const VOID_WORDS: [&str; 16] = [
    "void",
    "voided",
    "cancelled",
    "canceled",
    "cancel",
    "deleted",
    "removed",
    "annulled",
    "отменен",
    "отменён",
    "отменено",
    "удален",
    "удалён",
    "аннулирован",
    "გაუქმებული",
    "storniert",
];
const REFUND_WORDS: [&str; 8] = [
    "refund",
    "refunded",
    "return",
    "returned",
    "sale return",
    "возврат",
    "დაბრუნება",
    "rückerstattung",
];
/// Beginnings of states in which nothing was sold.
const VOID_STEMS: [&str; 10] = [
    "void",
    "cancel",
    "delet",
    "remov",
    "annul",
    "storn",
    "сторн",
    "отмен",
    "аннул",
    "удал",
];
/// Beginnings of states in which money was given back.
const REFUND_STEMS: [&str; 5] = ["refund", "return", "возвр", "chargeback", "rückerst"];
/// Beginnings of states in which nothing was paid yet.
const UNPAID_STEMS: [&str; 12] = [
    "open",
    "pending",
    "unpaid",
    "not paid",
    "failed",
    "declin",
    "reject",
    "draft",
    "await",
    "training",
    "не оплач",
    "неоплач",
];
/// States in which goods were sold.
const SOLD_STATES: [&str; 22] = [
    "",
    "closed",
    "complete",
    "completed",
    "paid",
    "done",
    "finished",
    "approved",
    "captured",
    "settled",
    "success",
    "successful",
    "succeeded",
    "fulfilled",
    "ok",
    "sale",
    "sold",
    "null",
    "закрыт",
    "оплачен",
    "оплачено",
    "დახურული",
];

/// What a column tells by its usual name, if anything.
pub fn telling(column: &str) -> Option<Telling> {
    let name = words_of_name(column);
    let is_one_of = |names: &[&str]| names.contains(&name.as_str());

    if is_one_of(&VOID_FLAGS) {
        Some(Telling::VoidFlag)
    } else if is_one_of(&STATUS_COLUMNS) {
        Some(Telling::Status)
    } else if is_one_of(&TYPE_COLUMNS) {
        Some(Telling::Type)
    } else {
        None
    }
}

/// What a value in such a column makes of its row.
pub fn kind_of_value(telling: Telling, value: &str) -> Option<RowKind> {
    let value = normalise_name(value);
    let is_one_of = |words: &[&str]| words.contains(&value.as_str());

    match telling {
        Telling::VoidFlag if is_one_of(&YES) => Some(RowKind::Void),
        // Excel writes ИСТИНА and WAHR: what is neither a known yes nor a known no decides nothing.
        Telling::VoidFlag => (!is_one_of(&NO)).then_some(RowKind::Unclear),
        Telling::Status => kind_of_state(&value),
        Telling::Type if is_one_of(&VOID_WORDS) => Some(RowKind::Void),
        Telling::Type if is_one_of(&REFUND_WORDS) => Some(RowKind::Refund),
        Telling::Type => None,
    }
}

/// What a state says, by how it begins. One that nobody knows decides nothing.
fn kind_of_state(state: &str) -> Option<RowKind> {
    let state = state.trim_start_matches(|c: char| !c.is_alphanumeric());
    let begins_with = |stems: &[&str]| stems.iter().any(|stem| state.starts_with(stem));

    if SOLD_STATES.contains(&state) {
        None
    } else if begins_with(&VOID_STEMS) || state.starts_with("გაუქმ") {
        Some(RowKind::Void)
    } else if begins_with(&REFUND_STEMS) || state.starts_with("დაბრუნ") {
        Some(RowKind::Refunded)
    } else if begins_with(&UNPAID_STEMS) {
        Some(RowKind::Unpaid)
    } else {
        Some(RowKind::Unclear)
    }
}

/// Names of rows that are sums of what stands above them; all of these are in lower case, without punctuation.
const SUBTOTALS: &[&str] = &[
    "subtotal",
    "sub total",
    "net subtotal",
    "zwischensumme",
    "подытог",
    "промежуточный итог",
    "sous total",
    "suma parcial",
    "შუალედური ჯამი",
    "ქვეჯამი",
];
/// Names of sums of a whole order.
const TOTALS: &[&str] = &[
    "total",
    "totals",
    "grand total",
    "total sales",
    "order total",
    "check total",
    "bill total",
    "receipt total",
    "total due",
    "total amount",
    "total paid",
    "net total",
    "gross total",
    "amount due",
    "amount paid",
    "balance due",
    "balance",
    "all items",
    "to pay",
    "sum",
    "summe",
    "gesamt",
    "gesamtsumme",
    "gesamtbetrag",
    "gesamtergebnis",
    "endbetrag",
    "zu zahlen",
    "total général",
    "total ttc",
    "total ht",
    "montant total",
    "net à payer",
    "à payer",
    "importe total",
    "importe",
    "total general",
    "a pagar",
    "total a pagar",
    "итог",
    "итого",
    "всего",
    "общий итог",
    "итого к оплате",
    "к оплате",
    "всего к оплате",
    "сумма",
    "сумма к оплате",
    "სულ",
    "ჯამი",
    "სულ ჯამი",
    "სულ გადასახდელი",
    "გადასახდელი",
    "გადასახდელი თანხა",
];
/// Names of ways to pay.
const PAYMENTS: &[&str] = &[
    "payment",
    "payments",
    "paid",
    "cash",
    "cash payment",
    "paid cash",
    "card",
    "cards",
    "card payment",
    "credit card",
    "debit card",
    "bank card",
    "bank transfer",
    "visa",
    "mastercard",
    "amex",
    "american express",
    "maestro",
    "tender",
    "tendered",
    "apple pay",
    "google pay",
    "paypal",
    "наличные",
    "наличными",
    "нал",
    "безнал",
    "безналичные",
    "карта",
    "картой",
    "банковская карта",
    "оплата",
    "оплата картой",
    "оплата наличными",
    "оплачено",
    "ნაღდი",
    "ნაღდი ანგარიშსწორება",
    "ბარათი",
    "საბანკო ბარათი",
    "გადახდა",
    "უნაღდო",
    "barzahlung",
    "bargeld",
    "karte",
    "ec karte",
    "kartenzahlung",
    "kreditkarte",
    "zahlung",
    "bezahlt",
    "espèces",
    "carte",
    "carte bancaire",
    "cb",
    "paiement",
    "efectivo",
    "tarjeta",
    "tarjeta de crédito",
    "pago",
];
/// Names of tips.
const TIPS: &[&str] = &[
    "tip",
    "tips",
    "gratuity",
    "auto gratuity",
    "tip amount",
    "чаевые",
    "trinkgeld",
    "pourboire",
    "pourboires",
    "propina",
    "propinas",
    "თიფი",
];
/// Names of service charges.
const SERVICES: &[&str] = &[
    "service",
    "service charge",
    "service fee",
    "svc charge",
    "обслуживание",
    "сервис",
    "сервисный сбор",
    "за обслуживание",
    "плата за обслуживание",
    "მომსახურება",
    "მომსახურების საკომისიო",
    "სერვისი",
    "bedienung",
    "servicegebühr",
    "frais de service",
    "servicio",
    "cargo por servicio",
];
/// Names of taxes.
const TAXES: &[&str] = &[
    "tax",
    "taxes",
    "sales tax",
    "vat",
    "gst",
    "iva",
    "tva",
    "ндс",
    "налог",
    "დღგ",
    "mwst",
    "ust",
    "mehrwertsteuer",
    "steuer",
    "impuesto",
    "impuestos",
    "taxe",
];
/// Names of discounts.
const DISCOUNTS: &[&str] = &[
    "discount",
    "discounts",
    "order discount",
    "скидка",
    "ფასდაკლება",
    "rabatt",
    "nachlass",
    "remise",
    "réduction",
    "descuento",
];
/// Names of rows that are no goods, but which tills add, take off or only mention: a person must say.
const UNCLEAR: &[&str] = &[
    "rounding",
    "rounding adjustment",
    "cash rounding",
    "округление",
    "დამრგვალება",
    "rundung",
    "arrondi",
    "redondeo",
    "change",
    "change due",
    "сдача",
    "ხურდა",
    "rückgeld",
    "wechselgeld",
    "rendu",
    "cambio",
    "gift card",
    "gift certificate",
    "voucher",
    "gutschein",
    "подарочный сертификат",
    "adjustment",
    "surcharge",
];
/// What stands beside a name of a sum and says nothing of it.
const CURRENCY_WORDS: [&str; 22] = [
    "gel",
    "usd",
    "eur",
    "gbp",
    "rub",
    "uah",
    "amd",
    "azn",
    "kzt",
    "chf",
    "pln",
    "czk",
    "ils",
    "aed",
    "try",
    "lari",
    "ლარი",
    "лари",
    "руб",
    "грн",
    "euro",
    "tl",
];
/// Ends of names of sums of some of the goods, such as `Food total`.
const SUM_ENDS: [&str; 6] = [
    " total",
    " subtotal",
    " итого",
    " всего",
    " gesamt",
    " ჯამი",
];
/// The longest name that is looked up.
const NAME_BYTES_MAX: usize = 120;

static NAMED_ROWS: LazyLock<HashMap<&str, RowKind>> = LazyLock::new(|| {
    let kinds = [
        (SUBTOTALS, RowKind::Subtotal),
        (TOTALS, RowKind::Total),
        (PAYMENTS, RowKind::Payment),
        (TIPS, RowKind::Tip),
        (SERVICES, RowKind::Service),
        (TAXES, RowKind::Tax),
        (DISCOUNTS, RowKind::Discount),
        (UNCLEAR, RowKind::Unclear),
    ];
    let named =
        |(names, kind): (&'static [&str], RowKind)| names.iter().map(move |name| (*name, kind));
    kinds.into_iter().flat_map(named).collect()
});

/// A name of a row in lower case, without what tills add to it.
struct BareName {
    words: String,
    has_percent: bool,
    /// A number that is no percentage: `VAT 69` is a whisky.
    has_number: bool,
}

/// Takes punctuation, remarks in brackets, currencies and numbers off a name.
fn bare_name(name: &str) -> BareName {
    let name = drop_brackets(&name.to_lowercase());
    let is_mark = |c: char| !c.is_alphanumeric() && !matches!(c, '%' | '\'' | '’');
    let mut bare = BareName {
        words: String::new(),
        has_percent: false,
        has_number: false,
    };

    let words: Vec<&str> = name
        .split(is_mark)
        .filter(|word| !word.is_empty())
        .collect();
    for (place, word) in words.iter().enumerate() {
        let is_number = word.chars().all(|c| c.is_ascii_digit());
        // `12.5%` and `10 %` are two words of this kind.
        let rest_is_percent = words[place..]
            .iter()
            .find(|word| !word.chars().all(|c| c.is_ascii_digit()));
        let is_share = rest_is_percent.is_some_and(|word| is_percent(word));

        if is_percent(word) || (is_number && is_share) {
            bare.has_percent = true;
        } else if is_number {
            bare.has_number = true;
        } else if !CURRENCY_WORDS.contains(word) {
            let space = if bare.words.is_empty() { "" } else { " " };
            bare.words.push_str(space);
            bare.words.push_str(word);
        }
    }
    bare
}

fn is_percent(word: &str) -> bool {
    let digits = word.strip_suffix('%').or_else(|| word.strip_prefix('%'));
    digits.is_some_and(|digits| digits.chars().all(|c| c.is_ascii_digit()))
}

/// A text without what stands in brackets; one that is nothing else keeps it.
fn drop_brackets(text: &str) -> String {
    let mut depth = 0u32;
    let mut kept = String::new();
    for c in text.chars() {
        match c {
            '(' | '[' => depth += 1,
            ')' | ']' => depth = depth.saturating_sub(1),
            _ if depth == 0 => kept.push(c),
            _ => {}
        }
    }
    if kept.trim().is_empty() {
        return text.replace(['(', ')', '[', ']'], " ");
    }
    kept
}

/// What the name of a row, or what stands where its order's id should be, says that it is. With a number in it that is
/// no percentage it may be a dish all the same, as `VAT 69` and `Total 0%` are.
pub fn kind_of_name(name: &str) -> Option<RowKind> {
    let (kind, bare) = named_kind(name)?;
    let is_sum = matches!(kind, RowKind::Subtotal | RowKind::Total | RowKind::Payment);
    let may_be_dish = bare.has_number || (bare.has_percent && is_sum);
    Some(if may_be_dish { RowKind::Unclear } else { kind })
}

fn named_kind(name: &str) -> Option<(RowKind, BareName)> {
    if name.is_empty() || name.len() > NAME_BYTES_MAX {
        return None;
    }
    let bare = bare_name(name);
    let known = NAMED_ROWS.get(bare.words.as_str()).copied();
    let is_sum_of_some = SUM_ENDS.iter().any(|end| bare.words.ends_with(end));
    let kind = known.or(is_sum_of_some.then_some(RowKind::Unclear))?;
    Some((kind, bare))
}

/// What a cell that groups rows says: in pivot tables `1678 Total` stands under the rows of 1678.
pub fn kind_of_group(value: &str) -> Option<RowKind> {
    let name = normalise_name(value);
    let is_sum = [" total", " всего", " итог"]
        .iter()
        .any(|end| name.ends_with(end));

    match named_kind(value) {
        Some((RowKind::Subtotal | RowKind::Total, bare)) if !(is_sum && bare.has_number) => {
            Some(RowKind::Total)
        }
        _ if is_sum => Some(RowKind::Subtotal),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_usual_words_of_tills_are_understood() {
        assert_eq!(telling("Void?"), Some(Telling::VoidFlag));
        assert_eq!(telling(" Receipt  Type"), Some(Telling::Type));
        assert_eq!(telling("Item"), None);
        assert_eq!(telling("isVoid"), Some(Telling::VoidFlag));
        assert_eq!(telling("order_status"), Some(Telling::Status));
        assert_eq!(
            kind_of_value(Telling::VoidFlag, "TRUE"),
            Some(RowKind::Void)
        );
        assert_eq!(kind_of_value(Telling::VoidFlag, "false"), None);
        assert_eq!(
            kind_of_value(Telling::VoidFlag, "ИСТИНА"),
            Some(RowKind::Unclear)
        );
        assert_eq!(
            kind_of_value(Telling::Status, "Cancelled"),
            Some(RowKind::Void)
        );
        assert_eq!(
            kind_of_value(Telling::Type, "Refund"),
            Some(RowKind::Refund)
        );
        assert_eq!(kind_of_value(Telling::Type, "Open"), None);
        let state = |text| kind_of_value(Telling::Status, text);
        assert_eq!(state("CANCELLED_BY_CUSTOMER"), Some(RowKind::Void));
        assert_eq!(state("(void)"), Some(RowKind::Void));
        assert_eq!(state("Сторно"), Some(RowKind::Void));
        assert_eq!(state("Не оплачен"), Some(RowKind::Unpaid));
        assert_eq!(state("Partially refunded"), Some(RowKind::Unclear));
        assert_eq!(state("Refunded"), Some(RowKind::Refunded));
        assert_eq!(state("Closed"), None);
    }

    #[test]
    fn a_row_s_name_tells_only_when_it_is_the_whole_name() {
        assert_eq!(kind_of_name("Service 10%"), Some(RowKind::Service));
        assert_eq!(kind_of_name("TOTAL:"), Some(RowKind::Total));
        assert_eq!(kind_of_name("ჯამი"), Some(RowKind::Total));
        assert_eq!(kind_of_name("Discount (10%)"), Some(RowKind::Discount));
        let sums = [
            ("Total GEL", RowKind::Total),
            ("Sub Total (excl. tax)", RowKind::Subtotal),
            ("SUB-TOTAL:", RowKind::Subtotal),
            ("Итого, руб.", RowKind::Total),
            ("Total (₾)", RowKind::Total),
            ("Cash", RowKind::Payment),
            ("Наличные", RowKind::Payment),
            ("ნაღდი", RowKind::Payment),
            ("EC-Karte", RowKind::Payment),
            ("Tips (card)", RowKind::Tip),
            ("10% service", RowKind::Service),
            ("Service charge 12.5 %", RowKind::Service),
            ("TVA 20%", RowKind::Tax),
            ("Rounding", RowKind::Unclear),
            ("Food total:", RowKind::Unclear),
            ("VAT 69", RowKind::Unclear),
            ("Total 0%", RowKind::Unclear),
        ];
        for (name, kind) in sums {
            assert_eq!(kind_of_name(name), Some(kind), "{name}");
        }
        for dish in [
            "Total breakfast",
            "Tiptop cake",
            "Taxim tea",
            "Tea 2",
            "Card of wines",
            "100%",
            "",
        ] {
            assert_eq!(kind_of_name(dish), None, "{dish}");
        }
    }

    #[test]
    fn sums_of_a_pivot_table_are_told_from_its_groups() {
        assert_eq!(kind_of_group("44179 всего"), Some(RowKind::Subtotal));
        assert_eq!(kind_of_group("Grand Total"), Some(RowKind::Total));
        assert_eq!(kind_of_group("TIP"), None);
        assert_eq!(kind_of_group("44179"), None);
    }

    #[test]
    fn a_rule_of_the_map_may_end_in_a_star() {
        let rule = RowRule {
            column: "Menu Item".into(),
            values: vec!["Deposit*".into()],
            kind: RowKind::Ignore,
        };
        assert!(rule.fits("deposit (bag)") && !rule.fits("bag deposit"));
    }
}
