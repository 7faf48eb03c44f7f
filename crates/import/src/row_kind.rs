//! What a row is: goods that were sold, or one of the many other things that tills write among them.
//!
//! A map's own rules come first. Beside them the usual words of tills are understood, in English, Georgian, Russian and
//! German, since the worst reading of a voided row is a sale. Whatever is left out is listed with its reason.

use crate::file::{normalise_name, words_of_name};
use serde::Deserialize;

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
            Self::Discount => "a discount",
            Self::Tip => "a tip",
            Self::Service => "a service charge",
            Self::Tax => "a tax",
            Self::Subtotal => "a subtotal",
            Self::Total => "a total",
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
        Some(RowKind::Refund)
    } else if begins_with(&UNPAID_STEMS) {
        Some(RowKind::Unpaid)
    } else {
        Some(RowKind::Unclear)
    }
}

/// Names of rows that are no goods, with what they are. A percentage or a colon may follow.
const NAMED_ROWS: [(&str, RowKind); 57] = [
    ("subtotal", RowKind::Subtotal),
    ("sub total", RowKind::Subtotal),
    ("sub-total", RowKind::Subtotal),
    ("zwischensumme", RowKind::Subtotal),
    ("подытог", RowKind::Subtotal),
    ("промежуточный итог", RowKind::Subtotal),
    ("total", RowKind::Total),
    ("totals", RowKind::Total),
    ("grand total", RowKind::Total),
    ("total sales", RowKind::Total),
    ("summe", RowKind::Total),
    ("gesamt", RowKind::Total),
    ("итого", RowKind::Total),
    ("всего", RowKind::Total),
    ("общий итог", RowKind::Total),
    ("სულ", RowKind::Total),
    ("ჯამი", RowKind::Total),
    ("სულ ჯამი", RowKind::Total),
    ("tip", RowKind::Tip),
    ("tips", RowKind::Tip),
    ("gratuity", RowKind::Tip),
    ("чаевые", RowKind::Tip),
    ("trinkgeld", RowKind::Tip),
    ("service", RowKind::Service),
    ("service charge", RowKind::Service),
    ("service fee", RowKind::Service),
    ("обслуживание", RowKind::Service),
    ("მომსახურება", RowKind::Service),
    ("tax", RowKind::Tax),
    ("sales tax", RowKind::Tax),
    ("vat", RowKind::Tax),
    ("ндс", RowKind::Tax),
    ("დღგ", RowKind::Tax),
    ("discount", RowKind::Discount),
    ("скидка", RowKind::Discount),
    ("ფასდაკლება", RowKind::Discount),
    ("rabatt", RowKind::Discount),
    ("all items", RowKind::Total),
    ("order total", RowKind::Total),
    ("total due", RowKind::Total),
    ("total amount", RowKind::Total),
    ("net total", RowKind::Total),
    ("amount due", RowKind::Total),
    ("balance due", RowKind::Total),
    ("gesamtsumme", RowKind::Total),
    ("gesamtbetrag", RowKind::Total),
    ("gesamtergebnis", RowKind::Total),
    ("total général", RowKind::Total),
    ("итог", RowKind::Total),
    ("итого к оплате", RowKind::Total),
    ("к оплате", RowKind::Total),
    ("სულ გადასახდელი", RowKind::Total),
    ("auto-gratuity", RowKind::Tip),
    ("сервисный сбор", RowKind::Service),
    ("за обслуживание", RowKind::Service),
    ("bedienung", RowKind::Service),
    ("mwst", RowKind::Tax),
];

/// What the name of a row, or what stands where its order's id should be, says that it is.
pub fn kind_of_name(name: &str) -> Option<RowKind> {
    let name = normalise_name(name);
    let bare = name
        .trim_end_matches(|c: char| {
            c.is_ascii_digit()
                || c.is_whitespace()
                || matches!(c, '%' | ':' | '.' | ',' | '(' | ')' | '-')
        })
        .trim();

    let found = NAMED_ROWS.iter().find(|(known, _)| *known == bare);
    found.map(|(_, kind)| *kind)
}

/// What a cell that groups rows says: in pivot tables `1678 Total` stands under the rows of 1678.
pub fn kind_of_group(value: &str) -> Option<RowKind> {
    let name = normalise_name(value);
    let is_sum = [" total", " всего", " итог"]
        .iter()
        .any(|end| name.ends_with(end));

    match kind_of_name(value) {
        Some(RowKind::Subtotal | RowKind::Total) => Some(RowKind::Total),
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
        assert_eq!(state("Closed"), None);
    }

    #[test]
    fn a_row_s_name_tells_only_when_it_is_the_whole_name() {
        assert_eq!(kind_of_name("Service 10%"), Some(RowKind::Service));
        assert_eq!(kind_of_name("TOTAL:"), Some(RowKind::Total));
        assert_eq!(kind_of_name("ჯამი"), Some(RowKind::Total));
        assert_eq!(kind_of_name("Discount (10%)"), Some(RowKind::Discount));
        for dish in ["Total breakfast", "Tiptop cake", "Taxim tea", "Tea 2", ""] {
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
