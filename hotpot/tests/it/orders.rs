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
