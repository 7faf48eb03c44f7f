//! Local servers that speak the Pinning Service API 1.0, Pinata's API 3 and Kubo's RPC, well and badly.

use crate::vectors::noise;
use axum::Router;
use axum::body::Bytes;
use axum::extract::{Path, Query, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Json, Response};
use axum::routing::{any as all_methods, delete, get, post};
use ipfs::{Backend, Cid, IpfsError, Kubo, PinState, Pinata, PinningService, unixfs};
use outbound::OutboundError;
use proptest::prelude::*;
use serde_json::{Value, json};
use service_kit::Secret;
use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, Mutex};

async fn serve(router: Router) -> String {
    let listener = tokio::net::TcpListener::bind(("127.0.0.1", 0))
        .await
        .unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    tokio::spawn(async move { axum::serve(listener, router).await.unwrap() });
    url
}

const TOKEN: &str = "the-token";

fn allowed(headers: &HeaderMap) -> bool {
    headers
        .get("authorization")
        .is_some_and(|value| value == format!("Bearer {TOKEN}").as_str())
}

/// requestid → (cid, status)
#[derive(Default)]
struct Service {
    pins: BTreeMap<String, (String, &'static str)>,
    posts: usize,
    faults: usize,
}

type Shared = Arc<Mutex<Service>>;

fn status_object(requestid: &str, cid: &str, status: &str) -> Value {
    json!({
        "requestid": requestid, "status": status, "created": "2026-11-27T10:00:00Z",
        "pin": {"cid": cid, "name": "x"}, "delegates": ["/ip4/127.0.0.1/tcp/4001"], "info": {"status_details": "because"},
    })
}

async fn list(
    State(service): State<Shared>,
    headers: HeaderMap,
    Query(query): Query<HashMap<String, String>>,
) -> Response {
    let mut service = service.lock().unwrap();
    if !allowed(&headers) {
        return (
            StatusCode::UNAUTHORIZED,
            Json(json!({"error": {"reason": "UNAUTHORIZED"}})),
        )
            .into_response();
    }
    if service.faults > 0 {
        service.faults -= 1;
        return StatusCode::SERVICE_UNAVAILABLE.into_response();
    }
    let statuses: Vec<&str> = query
        .get("status")
        .map_or(vec!["pinned"], |statuses| statuses.split(',').collect());
    let matching: Vec<Value> = service
        .pins
        .iter()
        .filter(|(_, (cid, status))| {
            query.get("cid").is_none_or(|asked| asked == cid) && statuses.contains(status)
        })
        .map(|(requestid, (cid, status))| status_object(requestid, cid, status))
        .collect();
    Json(json!({"count": matching.len(), "results": matching})).into_response()
}

async fn ask(
    State(service): State<Shared>,
    headers: HeaderMap,
    Json(pin): Json<Value>,
) -> Response {
    assert!(allowed(&headers));
    let mut service = service.lock().unwrap();
    service.posts += 1;
    let (requestid, cid) = (
        format!("request-{}", service.posts),
        pin["cid"].as_str().unwrap().to_owned(),
    );
    service
        .pins
        .insert(requestid.clone(), (cid.clone(), "queued"));
    (
        StatusCode::ACCEPTED,
        Json(status_object(&requestid, &cid, "queued")),
    )
        .into_response()
}

async fn withdraw(State(service): State<Shared>, Path(requestid): Path<String>) -> StatusCode {
    let removed = service.lock().unwrap().pins.remove(&requestid);
    if removed.is_some() {
        StatusCode::ACCEPTED
    } else {
        StatusCode::NOT_FOUND
    }
}

fn pinning_router(service: &Shared) -> Router {
    Router::new()
        .route("/pins", get(list).post(ask))
        .route("/pins/{requestid}", delete(withdraw))
        .with_state(Arc::clone(service))
}

fn set_all(service: &Shared, status: &'static str) {
    service
        .lock()
        .unwrap()
        .pins
        .values_mut()
        .for_each(|pin| pin.1 = status);
}

#[tokio::test]
async fn a_pinning_service_is_asked_once_and_believed_only_when_it_says_pinned() {
    let service = Shared::default();
    let url = serve(pinning_router(&service)).await;
    let client = PinningService::new(
        &url,
        Secret::new(TOKEN),
        vec!["/ip4/127.0.0.1/tcp/4001/p2p/x".into()],
    )
    .unwrap();
    let backend = Backend::PinningService(client);
    let cid = unixfs::cid_of(b"a segment");
    assert_eq!(backend.state(&cid).await.unwrap(), PinState::Absent);
    assert_eq!(backend.pin(&cid, "one").await.unwrap(), PinState::Pending);
    assert_eq!(backend.pin(&cid, "one").await.unwrap(), PinState::Pending);
    set_all(&service, "pinning");
    assert_eq!(backend.pin(&cid, "one").await.unwrap(), PinState::Pending);
    assert_eq!(service.lock().unwrap().posts, 1);
    // It gave up: the failed request is taken back, and one new one made.
    set_all(&service, "failed");
    assert_eq!(
        backend.state(&cid).await.unwrap(),
        PinState::Failed("because".into())
    );
    assert_eq!(backend.pin(&cid, "one").await.unwrap(), PinState::Pending);
    let (posts, pins) = {
        let service = service.lock().unwrap();
        (service.posts, service.pins.len())
    };
    assert_eq!((posts, pins), (2, 1));
    set_all(&service, "pinned");
    service.lock().unwrap().faults = 2;
    assert_eq!(backend.state(&cid).await.unwrap(), PinState::Pinned);
    // Somebody else's pin is not touched.
    service.lock().unwrap().pins.insert(
        "theirs".into(),
        (unixfs::cid_of(b"other").to_string(), "pinned"),
    );
    backend.release(&cid).await.unwrap();
    backend.release(&cid).await.unwrap();
    assert_eq!(
        service.lock().unwrap().pins.keys().collect::<Vec<_>>(),
        ["theirs"]
    );
    assert!(matches!(
        backend.add(vec![1], "x").await,
        Err(IpfsError::Unsupported { .. })
    ));
}

#[tokio::test]
async fn a_wrong_token_is_no_passing_fault_and_stands_nowhere() {
    let url = serve(pinning_router(&Shared::default())).await;
    let client = PinningService::new(&url, Secret::new("secret-123"), Vec::new()).unwrap();
    let error = client.state(&unixfs::cid_of(b"x")).await.unwrap_err();
    assert!(
        !error.is_retryable()
            && matches!(
                error,
                IpfsError::Service(OutboundError::Refused { status: 401, .. })
            )
    );
    assert!(!format!("{client:?} {error:?} {error}").contains("secret-123"));
    let with_password = Kubo::new("http://user:secret-123@127.0.0.1:5001", None).unwrap_err();
    assert!(
        !format!("{with_password:?} {with_password}").contains("secret-123"),
        "{with_password}"
    );
    for wrong in [
        "",
        "127.0.0.1:5001",
        "ftp://127.0.0.1",
        "http://127.0.0.1/?key=1",
    ] {
        assert!(Kubo::new(wrong, None).is_err(), "{wrong}");
    }
}

/// The part named `file` of a multipart body.
fn file_of(body: &[u8]) -> Vec<u8> {
    let find = |from: usize, needle: &[u8]| {
        body[from..]
            .windows(needle.len())
            .position(|window| window == needle)
            .map(|at| from + at)
    };
    let boundary = [b"\r\n", &body[..find(0, b"\r\n").unwrap()]].concat();
    let head = find(0, b"name=\"file\"").unwrap();
    let start = find(head, b"\r\n\r\n").unwrap() + 4;
    body[start..find(start, &boundary).unwrap()].to_vec()
}

#[derive(Default)]
struct Account {
    files: BTreeMap<String, String>,
    uploads: usize,
    /// Names content otherwise, as another profile does.
    other_profile: bool,
}

fn pinata_router(account: &Arc<Mutex<Account>>) -> Router {
    async fn upload(
        State(account): State<Arc<Mutex<Account>>>,
        headers: HeaderMap,
        body: Bytes,
    ) -> Response {
        assert!(allowed(&headers));
        let text = String::from_utf8_lossy(&body);
        assert!(
            text.contains("name=\"cid_version\"\r\n\r\nv1")
                && text.contains("name=\"network\"\r\n\r\npublic")
        );
        let mut account = account.lock().unwrap();
        account.uploads += 1;
        let mut content = file_of(&body);
        if account.other_profile {
            content.push(0);
        }
        let (id, cid) = (
            format!("id-{}", account.uploads),
            unixfs::cid_of(&content).to_string(),
        );
        account.files.insert(id.clone(), cid.clone());
        Json(json!({"data": {"id": id, "name": "x", "cid": cid, "size": content.len(), "network": "public"}}))
            .into_response()
    }
    async fn files(
        State(account): State<Arc<Mutex<Account>>>,
        Query(query): Query<HashMap<String, String>>,
    ) -> Json<Value> {
        let account = account.lock().unwrap();
        let matching = account
            .files
            .iter()
            .filter(|(_, cid)| **cid == query["cid"]);
        let files: Vec<Value> = matching
            .map(|(id, cid)| json!({"id": id, "cid": cid}))
            .collect();
        Json(json!({"data": {"files": files, "next_page_token": null}}))
    }
    async fn remove(
        State(account): State<Arc<Mutex<Account>>>,
        Path(id): Path<String>,
    ) -> Json<Value> {
        account.lock().unwrap().files.remove(&id);
        Json(json!({"data": null}))
    }
    async fn authenticated(headers: HeaderMap) -> StatusCode {
        if allowed(&headers) {
            StatusCode::OK
        } else {
            StatusCode::UNAUTHORIZED
        }
    }
    Router::new()
        .route("/v3/files", post(upload))
        .route("/v3/files/public", get(files))
        .route("/v3/files/public/{id}", delete(remove))
        .route("/data/testAuthentication", get(authenticated))
        .layer(axum::extract::DefaultBodyLimit::disable())
        .with_state(Arc::clone(account))
}

#[tokio::test]
async fn pinata_takes_content_once_and_a_foreign_cid_is_refused_and_deleted() {
    let account = Arc::new(Mutex::new(Account::default()));
    let url = serve(pinata_router(&account)).await;
    let pinata = Pinata::new(&url, &url, Secret::new(TOKEN)).unwrap();
    pinata.test_authentication().await.unwrap();
    let backend = Backend::Pinata(pinata);
    let content = noise(4, 700_000);
    let cid = backend.add(content.clone(), "four").await.unwrap();
    assert_eq!(backend.add(content.clone(), "four").await.unwrap(), cid);
    assert_eq!(account.lock().unwrap().uploads, 1);
    assert_eq!(backend.state(&cid).await.unwrap(), PinState::Pinned);
    backend.release(&cid).await.unwrap();
    assert_eq!(backend.state(&cid).await.unwrap(), PinState::Absent);
    account.lock().unwrap().other_profile = true;
    let error = backend.add(content, "four").await.unwrap_err();
    assert!(
        matches!(error, IpfsError::OtherCid { .. }) && !error.is_retryable(),
        "{error}"
    );
    assert!(account.lock().unwrap().files.is_empty());
}

#[tokio::test]
async fn a_kubo_that_cuts_otherwise_is_refused() {
    async fn add(body: Bytes) -> String {
        let cid = unixfs::cid_of(&[file_of(&body).as_slice(), b"!"].concat());
        format!("{{\"Name\":\"content\",\"Hash\":\"{cid}\",\"Size\":\"12\"}}\n")
    }
    let removed = Arc::new(Mutex::new(Vec::new()));
    let noted = Arc::clone(&removed);
    let rm = post(
        move |Query(query): Query<HashMap<String, String>>| async move {
            noted.lock().unwrap().push(query["arg"].clone());
            Json(json!({"Pins": []}))
        },
    );
    let router = Router::new()
        .route("/api/v0/add", post(add))
        .route("/api/v0/pin/rm", rm);
    let kubo = Kubo::new(&serve(router).await, None).unwrap();
    let error = kubo.add(b"a segment").await.unwrap_err();
    let IpfsError::OtherCid {
        found, expected, ..
    } = error
    else {
        panic!("{error}")
    };
    assert_eq!(expected, unixfs::cid_of(b"a segment"));
    assert_eq!(found, unixfs::cid_of(b"a segment!").to_string());
    assert_eq!(*removed.lock().unwrap(), [found]);
}

#[tokio::test]
async fn changed_content_and_endless_answers_are_refused() {
    let endless = all_methods(|| async { vec![b'x'; 3 << 20] });
    let changed = post(|| async { "another segment" });
    let router = Router::new()
        .route("/api/v0/cat", changed)
        .route("/api/v0/id", endless);
    let kubo = Kubo::new(&serve(router).await, None).unwrap();
    assert!(matches!(
        kubo.cat(&unixfs::cid_of(b"a segment"), 100).await,
        Err(IpfsError::OtherCid { .. })
    ));
    assert!(matches!(
        kubo.id().await,
        Err(IpfsError::Service(OutboundError::AnswerTooLarge { .. }))
    ));
}

#[tokio::test]
async fn nobody_there_is_a_passing_fault() {
    let kubo = Kubo::new(
        &format!("http://127.0.0.1:{}", local_services::free_port().unwrap()),
        None,
    )
    .unwrap();
    let error = kubo.id().await.unwrap_err();
    assert!(error.is_unreachable() && error.is_retryable(), "{error}");
}

/// Answers everything with the same bytes.
async fn parrot(body: Arc<Mutex<Vec<u8>>>) -> String {
    let answer = all_methods(move || {
        let body = body.lock().unwrap().clone();
        async move { body }
    });
    serve(Router::new().fallback(answer)).await
}

fn json_like() -> impl Strategy<Value = Vec<u8>> {
    let cid = unixfs::cid_of(b"a segment").to_string();
    let leaf = prop_oneof![
        Just(json!(null)),
        any::<i64>().prop_map(|n| json!(n)),
        ".{0,12}".prop_map(|t| json!(t)),
        Just(json!(cid))
    ];
    let key = prop::sample::select(vec![
        "data",
        "files",
        "cid",
        "id",
        "results",
        "requestid",
        "status",
        "pin",
        "Keys",
        "Hash",
        "ID",
        "Pins",
    ]);
    let value = leaf.prop_recursive(4, 24, 4, move |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(|values| json!(values)),
            prop::collection::btree_map(key.clone(), inner, 0..4).prop_map(|fields| json!(fields)),
        ]
    });
    prop_oneof![
        value.prop_map(|value| value.to_string().into_bytes()),
        prop::collection::vec(any::<u8>(), 0..300)
    ]
}

#[test]
fn any_answer_gives_a_value_or_an_error_and_never_a_pin_that_nobody_promised() {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .unwrap();
    let body = Arc::new(Mutex::new(Vec::new()));
    let url = runtime.block_on(parrot(Arc::clone(&body)));
    let kubo = Kubo::new(&url, None).unwrap();
    let service = PinningService::new(&url, Secret::new(TOKEN), Vec::new()).unwrap();
    let pinata = Pinata::new(&url, &url, Secret::new(TOKEN)).unwrap();
    let cid: Cid = unixfs::cid_of(b"a segment");
    proptest!(ProptestConfig::with_cases(200), |(answer in json_like())| {
        *body.lock().unwrap() = answer.clone();
        let text = String::from_utf8_lossy(&answer).into_owned();
        runtime.block_on(async {
            let _ = kubo.id().await;
            let _ = kubo.pins().await;
            let _ = kubo.collect_garbage().await;
            let _ = kubo.cat(&cid, 100).await;
            for pinned in [
                kubo.add(b"a segment").await.is_ok(),
                kubo.pin(&cid).await.is_ok(),
                kubo.is_pinned(&cid).await.unwrap_or(false),
                service.ask(&cid, "x").await.is_ok_and(|state| state == PinState::Pinned),
                pinata.state(&cid).await.is_ok_and(|state| state == PinState::Pinned),
            ] {
                assert!(!pinned || text.contains(&cid.to_string()), "{text}");
            }
        });
    });
}
