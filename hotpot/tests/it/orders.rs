//! Orders of a file become final, anchored, minted and indexed.

use crate::network::{Folder, example_orders, hotpot, processes_of, repository};
use serde_json::json;

const SALES: u64 = 60;

#[test]
fn the_example_orders_settle_and_a_second_run_finds_them_all_known() {
    let folder = Folder::new();
    let (ok, first) = folder.settle(&example_orders());
    assert!(ok, "{first}");
    assert_eq!(first["sales_final"], SALES);
    assert_eq!(first["issued"], SALES * 100 + 100);
    assert_eq!(first["minted"], first["released"]);
    assert_eq!(first["differences"], json!([]));
    assert_eq!(first["rows"]["sales"], SALES);
    assert_eq!(processes_of(folder.path()), 0, "everything is stopped");

    let (ok, second) = folder.settle(&example_orders());
    assert!(ok, "{second}");
    assert_eq!(second["imports"][0]["known"], SALES);
    assert_eq!(second["imports"][0]["new"], 0);
    for figure in ["sales_final", "issued", "released", "minted", "rows"] {
        assert_eq!(second[figure], first[figure], "{figure}");
    }
}

#[test]
fn a_bad_order_is_listed_and_the_others_go_through_unless_strict() {
    let folder = Folder::new();
    let network = folder.start(&[]);
    let file = folder.path().join("orders.csv");
    let orders = "order,outlet,code,dish,note,pieces,price\n\
        A,1,tea,Tea,,1,\"3,00\"\nB,1,tea,Tea,,1,\"3,00\"\nB,1,cake,Cake,,none,\"3,00\"\nC,9,tea,Tea,,1,\"3,00\"\n";
    std::fs::write(&file, orders).unwrap();
    let import = |strict: bool| {
        let mut command = hotpot();
        command
            .arg("import")
            .arg(&file)
            .arg("--map")
            .arg(crate::network::example("georgia.toml"));
        command.arg("--json").arg("--data-dir").arg(folder.path());
        if strict {
            command.arg("--strict");
        }
        command.output().unwrap()
    };
    let strict = import(true);
    assert!(!strict.status.success() && strict.stdout.is_empty());
    assert_eq!(network.get("/api/v1/supply")["sales"], 0);

    let output = import(false);
    assert_eq!(output.status.code(), Some(1));
    let report: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(
        (report["new"].as_u64(), report["rejected"].as_u64()),
        (Some(1), Some(2))
    );
    let listed = std::fs::read_to_string(folder.path().join("import/orders.csv.rejected")).unwrap();
    assert!(
        listed.contains(r#""order":"B","line":4,"field":"pieces","found":"none""#),
        "{listed}"
    );
    assert!(
        listed.contains(r#""order":"C","line":5,"field":"outlet","found":"9","allowed":"1, 2""#),
        "{listed}"
    );
    network.stop();
}

#[test]
fn the_real_orders_settle() {
    let data = repository().join("../shared/data/chipotle_orders.tsv");
    if !data.exists() {
        eprintln!("SKIPPED: {} is not here", data.display());
        return;
    }
    let folder = Folder::new();
    let map = crate::network::example("chipotle.toml");
    let arguments = [
        "--sales".to_owned(),
        data.display().to_string(),
        "--map".to_owned(),
        map,
    ];
    let (ok, summary) = folder.settle(&arguments);
    assert!(ok, "{summary}");
    assert_eq!(summary["sales_final"], 1834);
    assert_eq!(summary["issued"], 183_500);
    assert_eq!(summary["minted"], summary["released"]);
    assert_eq!(summary["differences"], json!([]));
}

const TILL_MAP: &str = r#"
source = "till"
group_by = "order"
currency = "GEL"
[columns]
name = ["dish"]
unit_price = "price"
refund_of = "of"
[outlet]
column = "outlet"
[[rows]]
column = "kind"
values = ["refund"]
kind = "refund"
[[outlets]]
id = 1
city = "Tbilisi"
kind = "owner_operated"
[[outlets]]
id = 2
city = "Batumi"
kind = "franchised"
"#;

/// An outlet's own till needs no other key; what it may not sell is refused by name, and a refund follows its sale.
#[test]
fn a_till_of_its_own_imports_into_a_network_elsewhere() {
    let folder = Folder::new();
    let network = folder.start(&[]);
    let map = folder.path().join("till.toml");
    std::fs::write(&map, TILL_MAP).unwrap();
    let write = |rows: &str| {
        let file = folder.path().join("orders.csv");
        std::fs::write(&file, format!("order,outlet,kind,of,dish,price\n{rows}")).unwrap();
        file
    };
    let import = |rows: &str, arguments: &[&str]| {
        let file = write(rows);
        let mut command = hotpot();
        command.arg("import").arg(&file).arg("--map").arg(&map);
        let output = command.arg("--json").args(arguments).output().unwrap();
        let report: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap_or_default();
        (report, String::from_utf8_lossy(&output.stderr).into_owned())
    };
    let data_dir = folder.path().to_str().unwrap();

    // The network's own keys register the outlets and their tills.
    let (report, said) = import("A,1,sale,,Tea,3.00\n", &["--data-dir", data_dir]);
    assert_eq!(report["new"], 1, "{said}");

    let node = network.node(0);
    let till = folder.path().join("keys/terminal-1.json");
    let till = ["--keystore", till.to_str().unwrap(), "--node", &node];
    let rows =
        "A,1,sale,,Tea,3.00\nB,1,sale,,Cake,7.00\nC,2,sale,,Tea,3.00\nR,1,refund,B,Cake,2.00\n";

    let (_, said) = import(rows, &[&till[..], &["--dry-run"]].concat());
    assert!(
        said.contains("1 orders stand in the network with other content"),
        "{said}"
    );
    assert!(
        !folder.path().join("orders.csv.import").exists(),
        "a dry run writes nothing"
    );

    let (report, said) = import(&rows[rows.find('B').unwrap()..], &till);
    assert_eq!(
        (&report["new"], &report["rejected"]),
        (&json!(2), &json!(1)),
        "{said}"
    );
    let listed =
        std::fs::read_to_string(folder.path().join("orders.csv.import/orders.csv.rejected"))
            .unwrap();
    assert!(
        listed.contains(r#""order":"C""#) && listed.contains("outlet"),
        "{listed}"
    );
    let supply = network.get("/api/v1/supply");
    assert_eq!(
        (&supply["sales"], supply["reversed"].as_u64() > Some(0)),
        (&json!(2), true),
        "{supply}"
    );

    let (report, _) = import(&rows[rows.find('B').unwrap()..], &till);
    assert_eq!((&report["new"], &report["known"]), (&json!(0), &json!(2)));
    network.stop();
}
