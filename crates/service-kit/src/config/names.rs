//! The settings as the founders' documents name them: translated into ours, or refused with the name that is ours
//! (docs/OPERATING.md, "Names of the documents"). One file may serve all services, so a service leaves out what only
//! others read. Pure.

use ::config::{Map, Value, ValueKind};
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use std::fmt::Display;
use std::net::IpAddr;

type Table = Map<String, Value>;

/// What `[observability]` may say of logs, from most to least.
const LOG_LEVELS: [&str; 5] = ["trace", "debug", "info", "warn", "error"];
/// Networks by name, with their chain id.
const NETWORKS: [(&str, u64); 7] = [
    ("mainnet", 1),
    ("sepolia", 11_155_111),
    ("polygon", 137),
    ("amoy", 80_002),
    ("base", 8_453),
    ("base-sepolia", 84_532),
    ("local", 31_337),
];
/// How many validators have a seat; docs/PROTOCOL.md, Election.
const SEATS: (u64, u64) = (4, 7);

/// Secrets that the documents put into the environment, the section of who would read them, and where they belong.
const SECRETS: [(&str, &str, &str); 3] = [
    (
        "ENCRYPTION_KEY",
        "vault",
        "the vault makes a key for each consent, wrapped by agent.keystore_file",
    ),
    (
        "IPFS_JWT",
        "ipfs",
        "name a file that holds it in ipfs.pinata.jwt_file",
    ),
    (
        "IPFS_API_URL",
        "ipfs",
        "set ipfs.kubo_url, or ipfs.pinata.api_url",
    ),
];

/// A configuration in our names, and what concerns every service.
#[derive(Debug)]
pub(super) struct Translated {
    pub given: Table,
    /// `observability.log_level`.
    pub log_level: Option<String>,
}

/// Translates what was given on top of the defaults. `environment` are variables that are not `HOTPOT__…`; an empty one
/// is none.
///
/// # Errors
///
/// All that is wrong, one sentence each.
pub(super) fn translate(
    given: Table,
    defaults: &Table,
    environment: &dyn Fn(&str) -> Option<String>,
) -> Result<Translated, Vec<String>> {
    let mut names = Names {
        given,
        defaults,
        environment,
        mistakes: Vec::new(),
    };

    let log_level = names.read_observability();
    names.read_database();
    names.read_blockchain();
    names.read_video();
    names.refuse_elsewhere();
    names.drop_empty_sections();

    if names.mistakes.is_empty() {
        let given = names.given;
        Ok(Translated { given, log_level })
    } else {
        Err(names.mistakes)
    }
}

struct Names<'a> {
    given: Table,
    defaults: &'a Table,
    environment: &'a dyn Fn(&str) -> Option<String>,
    mistakes: Vec<String>,
}

impl Names<'_> {
    fn read_observability(&mut self) -> Option<String> {
        let level = self.take_text("observability", "log_level");
        let level = level.or_else(|| self.variable("OBSERVABILITY_LOG_LEVEL"));
        let level = level.map(|level| level.to_lowercase());
        if let Some(unknown) = level.as_ref().filter(|one| !is_log_level(one)) {
            self.refuse(format!(
                "observability.log_level: found {unknown:?}, allowed are {}",
                LOG_LEVELS.join(", ")
            ));
        }

        let metrics = self.take("observability", "enable_metrics");
        if metrics.is_some_and(|value| !matches!(value.into_bool(), Ok(true))) {
            self.refuse("observability.enable_metrics: only true is allowed, /metrics is always served, at http.metrics_listen or http.listen");
        }
        if self.take("observability", "prometheus_port").is_some() {
            self.refuse("observability.prometheus_port: remove it; each service serves /metrics at its http.metrics_listen, or at http.listen on loopback");
        }
        level
    }

    /// `host`, `port`, `database`, `username` and `password`, or `DATABASE_URL`, are `database.url`.
    fn read_database(&mut self) {
        let parts = DatabaseParts {
            host: self.take_text("database", "host"),
            port: self.take_text("database", "port"),
            database: self.take_text("database", "database"),
            username: self.take_text("database", "username"),
            password: self.take_text("database", "password"),
        };
        if !self.reads("database") {
            return;
        }

        if !self.is_table("database") {
            self.refuse("database: is a section, with url or url_file in it");
            return;
        }
        let is_given = self.is_given("database", "url") || self.is_given("database", "url_file");
        if parts.is_given() && is_given {
            self.refuse(
                "database.host: remove it, or database.url; one of them says where the database is",
            );
        } else if parts.is_given() {
            match parts.to_url(self.variable("DATABASE_PASSWORD")) {
                Ok(url) => self.set("database", "url", url),
                Err(mistake) => self.refuse(mistake),
            }
        }
        self.read_database_url(is_given);
    }

    /// Two different ones are refused: nobody could say which is meant.
    fn read_database_url(&mut self, is_given: bool) {
        let Some(url) = self.variable("DATABASE_URL") else {
            return;
        };
        match self.text_at("database", "url") {
            Some(other) if other != url => {
                self.refuse("DATABASE_URL: another database than in section database; remove one");
            }
            None if !is_given => self.set("database", "url", url),
            _ => {}
        }
    }

    /// The rules of consensus are the ledger's own: they can be stated here, not changed.
    fn read_blockchain(&mut self) {
        let algorithm = self.take_text("blockchain", "consensus_algorithm");
        if let Some(other) = algorithm.filter(|name| name != "proof_of_stake") {
            self.refuse(format!(
                "blockchain.consensus_algorithm: found {other:?}, the ledger knows proof_of_stake"
            ));
        }

        let (least, most) = SEATS;
        let rule =
            format!("the ledger seats {least} validators, or {most} when so many are electable");
        for (name, is_kept) in [
            (
                "min_validators",
                (|count| count <= SEATS.0) as fn(u64) -> bool,
            ),
            ("max_validators", |count| count >= SEATS.1),
        ] {
            let Some(value) = self.take_text("blockchain", name) else {
                continue;
            };
            if !value.parse().is_ok_and(is_kept) {
                self.refuse(format!("blockchain.{name}: found {value}; {rule}"));
            }
        }
        self.read_network();
    }

    fn read_network(&mut self) {
        if !self.reads_key("blockchain", "chain_id") {
            return;
        }
        let Some(name) = self.variable("BLOCKCHAIN_NETWORK") else {
            return;
        };

        let known = NETWORKS.iter().find(|(known, _)| *known == name);
        match (known, self.text_at("blockchain", "chain_id")) {
            (Some((_, chain_id)), None) => self.set("blockchain", "chain_id", *chain_id),
            (Some((_, chain_id)), Some(given)) if given != chain_id.to_string() => self.refuse(
                format!("BLOCKCHAIN_NETWORK: {name} is chain {chain_id}, blockchain.chain_id is {given}; remove one"),
            ),
            (Some(_), Some(_)) => {}
            (None, _) => self.refuse(format!(
                "BLOCKCHAIN_NETWORK: found {name:?}, allowed are {}; or set blockchain.chain_id",
                NETWORKS.map(|(known, _)| known).join(", ")
            )),
        }
    }

    fn read_video(&mut self) {
        let how = self.take_text("video", "default_anonymization");
        if let Some(other) = how.filter(|name| name != "face_replacement") {
            self.refuse(format!(
                "video.default_anonymization: found {other:?}; faces are replaced by a solid fill (face_replacement), \
                 what is blurred could be recognised again"
            ));
        }

        for platform in ["twitch", "youtube"] {
            let name = format!("{platform}_client_id");
            let variable = format!("VIDEO_{}", name.to_uppercase());
            let id = self.take_text("video", &name);
            if let Some(id) = id.or_else(|| self.variable(&variable)) {
                self.name_application(platform, &id);
            }
        }
    }

    /// Gives the application's id to each camera that streams to the platform and names none.
    fn name_application(&mut self, platform: &str, id: &str) {
        let Some(ValueKind::Array(cameras)) = self.given.get_mut("cameras").map(|it| &mut it.kind)
        else {
            return;
        };

        let platforms = cameras
            .iter_mut()
            .filter_map(|camera| table_of(camera)?.get_mut("platform"))
            .filter_map(table_of);
        for settings in platforms {
            let kind = settings.get("kind").map(ToString::to_string);
            if kind.as_deref() == Some(platform) {
                let unnamed = settings.entry("client_id".to_owned());
                unnamed.or_insert_with(|| Value::new(None, id));
            }
        }
    }

    /// What another place, or no service of this version, is responsible for.
    fn refuse_elsewhere(&mut self) {
        if self.given.contains_key("kyc") {
            self.refuse("kyc: remove the section; no service of this version checks persons");
        }
        for (variable, section, remedy) in SECRETS {
            if self.reads(section) && self.variable(variable).is_some() {
                self.refuse(format!(
                    "{variable}: remove it from the environment; {remedy}"
                ));
            }
        }
    }

    /// A section of which only the documents' names were given to somebody else.
    fn drop_empty_sections(&mut self) {
        for section in ["observability", "database", "blockchain", "video"] {
            let is_empty =
                |value: &Value| matches!(&value.kind, ValueKind::Table(table) if table.is_empty());
            if self.given.get(section).is_some_and(is_empty) {
                self.given.remove(section);
            }
        }
    }

    fn variable(&self, name: &str) -> Option<String> {
        (self.environment)(name).filter(|value| !value.is_empty())
    }

    /// Whether the service has such a section.
    fn reads(&self, section: &str) -> bool {
        self.defaults.contains_key(section)
    }

    fn reads_key(&self, section: &str, key: &str) -> bool {
        let found = self.defaults.get(section).map(|value| &value.kind);
        matches!(found, Some(ValueKind::Table(table)) if table.contains_key(key))
    }

    /// Also when it was not given at all.
    fn is_table(&self, section: &str) -> bool {
        let found = self.given.get(section).map(|value| &value.kind);
        matches!(found, None | Some(ValueKind::Table(_)))
    }

    /// An empty text is none.
    fn text_at(&self, section: &str, key: &str) -> Option<String> {
        let found = self.given.get(section).map(|value| &value.kind);
        let Some(ValueKind::Table(table)) = found else {
            return None;
        };
        let text = table.get(key)?.clone().into_string().ok()?;
        Some(text).filter(|text| !text.is_empty())
    }

    fn is_given(&self, section: &str, key: &str) -> bool {
        self.text_at(section, key).is_some()
    }

    fn take(&mut self, section: &str, key: &str) -> Option<Value> {
        table_of(self.given.get_mut(section)?)?.remove(key)
    }

    fn take_text(&mut self, section: &str, key: &str) -> Option<String> {
        let value = self.take(section, key)?;
        match value.into_string() {
            Ok(text) => Some(text),
            Err(_) => {
                self.refuse(format!("{section}.{key}: a text or a number is expected"));
                None
            }
        }
    }

    fn set(&mut self, section: &str, key: &str, value: impl Into<ValueKind>) {
        let empty = || Value::new(None, Table::new());
        let section = self.given.entry(section.to_owned()).or_insert_with(empty);
        if let Some(table) = table_of(section) {
            table.insert(key.to_owned(), Value::new(None, value));
        }
    }

    fn refuse(&mut self, mistake: impl Display) {
        self.mistakes.push(mistake.to_string());
    }
}

fn is_log_level(level: &str) -> bool {
    LOG_LEVELS.contains(&level)
}

fn table_of(value: &mut Value) -> Option<&mut Table> {
    match &mut value.kind {
        ValueKind::Table(table) => Some(table),
        _ => None,
    }
}

#[derive(Default)]
struct DatabaseParts {
    host: Option<String>,
    port: Option<String>,
    database: Option<String>,
    username: Option<String>,
    password: Option<String>,
}

impl DatabaseParts {
    const fn is_given(&self) -> bool {
        self.host.is_some()
            || self.port.is_some()
            || self.database.is_some()
            || self.username.is_some()
            || self.password.is_some()
    }

    /// A URL with everything escaped that has a meaning in one. No error shows the password.
    fn to_url(&self, password_elsewhere: Option<String>) -> Result<String, String> {
        let user = escape(&needed("username", &self.username)?);
        let database = needed("database", &self.database)?;
        if matches!(database.as_str(), "." | "..") {
            return Err("database.database: is no name of a database".into());
        }

        let password = match (&self.password, password_elsewhere) {
            (Some(one), Some(other)) if *one != other => {
                return Err("database.password and DATABASE_PASSWORD differ; remove one".into());
            }
            (one, other) => one.clone().or(other),
        };
        let password = password.map(|password| format!(":{}", escape(&password)));
        let (password, database) = (password.unwrap_or_default(), escape(&database));
        let port = self.port_number()?;

        let host = self.host.as_deref().unwrap_or("localhost");
        if host.starts_with('/') {
            let folder = escape(host);
            return Ok(format!(
                "postgres://{user}{password}@localhost:{port}/{database}?host={folder}"
            ));
        }
        let host = host_of_url(host)?;
        Ok(format!(
            "postgres://{user}{password}@{host}:{port}/{database}"
        ))
    }

    fn port_number(&self) -> Result<u16, String> {
        let port = self.port.as_deref().unwrap_or("5432");
        let number = port.parse().ok().filter(|number| *number != 0);
        number.ok_or_else(|| format!("database.port: found {port:?}, 1 to 65535 are allowed"))
    }
}

fn needed(name: &str, value: &Option<String>) -> Result<String, String> {
    let given = value.clone().filter(|value| !value.is_empty());
    given.ok_or_else(|| format!("database.{name}: is missing beside the others"))
}

fn escape(text: &str) -> String {
    utf8_percent_encode(text, NON_ALPHANUMERIC).to_string()
}

/// A name, or an address in the form that URLs want. Anything else may hold a password, so it is not shown.
fn host_of_url(host: &str) -> Result<String, String> {
    let bare = host.trim_start_matches('[').trim_end_matches(']');
    if let Ok(address) = bare.parse::<IpAddr>() {
        return Ok(match address {
            IpAddr::V4(address) => address.to_string(),
            IpAddr::V6(address) => format!("[{address}]"),
        });
    }

    let is_of_name = |byte: u8| byte.is_ascii_alphanumeric() || b"-._".contains(&byte);
    if host.is_empty() || !host.bytes().all(is_of_name) {
        return Err(
            "database.host: a name, an address or the folder of a socket is expected, without user, port or path"
                .into(),
        );
    }
    Ok(host.to_lowercase())
}

#[cfg(test)]
mod tests {
    use super::*;
    use ::config::{Config, File, FileFormat, Source};
    use proptest::prelude::*;

    const DOCUMENT: &str = include_str!("../../tests/documents/config.toml");

    fn table(text: &str) -> Table {
        let file = File::from_str(text, FileFormat::Toml);
        Config::builder()
            .add_source(file)
            .build()
            .unwrap()
            .collect()
            .unwrap()
    }

    fn translated(
        text: &str,
        defaults: &str,
        environment: &[(&str, &str)],
    ) -> Result<Translated, Vec<String>> {
        let found = |name: &str| {
            let mut all = environment.iter();
            all.find(|(known, _)| *known == name)
                .map(|(_, value)| (*value).to_owned())
        };
        translate(table(text), &table(defaults), &found)
    }

    fn text_at(table: &Table, section: &str, key: &str) -> Option<String> {
        let mut section = table.get(section)?.clone();
        table_of(&mut section)?.get(key).map(ToString::to_string)
    }

    const WITH_DATABASE: &str = "[database]\nurl = ''\n[blockchain]\nchain_id = 0\n";

    #[test]
    fn the_file_of_the_documents_is_understood_but_for_its_port() {
        let mistakes = translated(DOCUMENT, WITH_DATABASE, &[]).unwrap_err();
        assert_eq!(mistakes.len(), 1, "{mistakes:?}");
        assert!(mistakes[0].contains("http.listen"), "{mistakes:?}");

        let rest = DOCUMENT.replace("prometheus_port = 9090", "");
        let Translated { given, log_level } = translated(&rest, WITH_DATABASE, &[]).unwrap();
        assert_eq!(log_level.as_deref(), Some("info"));
        let url = text_at(&given, "database", "url");
        assert_eq!(
            url.as_deref(),
            Some("postgres://postgres:password@localhost:5432/thehotpotspot")
        );
        assert_eq!(
            given.len(),
            1,
            "nothing is left for others to refuse: {given:?}"
        );
    }

    #[test]
    fn that_file_is_the_one_of_the_documents() {
        let document = concat!(
            env!("CARGO_MANIFEST_DIR"),
            "/../../../shared/seeds/000_vision.md"
        );
        let Ok(vision) = std::fs::read_to_string(document) else {
            println!("SKIPPED: {document} is not here");
            return;
        };
        assert!(vision.contains(DOCUMENT.trim()));
    }

    #[test]
    fn who_has_no_database_leaves_it_to_others() {
        let rest = DOCUMENT.replace("prometheus_port = 9090", "");
        let Translated { given, .. } = translated(&rest, "data_dir = 'node'", &[]).unwrap();
        assert!(given.is_empty(), "{given:?}");
    }

    #[test]
    fn what_is_no_name_of_anybody_stays_to_be_refused() {
        let Translated { given, .. } =
            translated("[observability]\nlog_levl = 'info'", WITH_DATABASE, &[]).unwrap();
        assert!(given.contains_key("observability"), "{given:?}");
    }

    #[test]
    fn the_environment_of_the_documents_is_read() {
        let environment = [
            ("DATABASE_URL", "postgresql://user:pass@localhost/db"),
            ("BLOCKCHAIN_NETWORK", "mainnet"),
            ("OBSERVABILITY_LOG_LEVEL", "debug"),
        ];
        let Translated { given, log_level } = translated("", WITH_DATABASE, &environment).unwrap();
        assert_eq!(log_level.as_deref(), Some("debug"));
        let url = text_at(&given, "database", "url");
        assert_eq!(url.as_deref(), Some("postgresql://user:pass@localhost/db"));
        assert_eq!(
            text_at(&given, "blockchain", "chain_id").as_deref(),
            Some("1")
        );

        let others = "[database]\nurl = 'postgres://a/b'\n[blockchain]\nchain_id = 5\n";
        let mistakes = translated(others, WITH_DATABASE, &environment).unwrap_err();
        assert_eq!(mistakes.len(), 2, "one of two is meant: {mistakes:?}");

        let empty = [
            ("DATABASE_URL", ""),
            ("BLOCKCHAIN_NETWORK", ""),
            ("OBSERVABILITY_LOG_LEVEL", ""),
        ];
        let Translated { given, log_level } = translated(others, WITH_DATABASE, &empty).unwrap();
        assert_eq!(
            text_at(&given, "database", "url").as_deref(),
            Some("postgres://a/b")
        );
        assert_eq!(log_level, None);
    }

    #[test]
    fn a_database_is_reached_by_name_address_or_socket() {
        let url_at = |host: &str| {
            let text = format!("[database]\nhost = '{host}'\ndatabase = 'd'\nusername = 'u'");
            let given = translated(&text, WITH_DATABASE, &[]).map(|translated| translated.given);
            given.map(|given| text_at(&given, "database", "url").unwrap())
        };
        for (host, url) in [
            ("DB.example", "postgres://u@db.example:5432/d"),
            ("10.0.0.7", "postgres://u@10.0.0.7:5432/d"),
            ("2001:DB8::1", "postgres://u@[2001:db8::1]:5432/d"),
            ("[::1]", "postgres://u@[::1]:5432/d"),
            ("/run/pg", "postgres://u@localhost:5432/d?host=%2Frun%2Fpg"),
        ] {
            assert_eq!(url_at(host).unwrap(), url);
        }
        for refused in ["", "u:s3cret@h", "postgres://u:s3cret@h/d", "h:5432", "a b"] {
            let mistakes = url_at(refused).unwrap_err().join("; ");
            assert!(
                mistakes.contains("database.host") && !mistakes.contains("s3cret"),
                "{mistakes}"
            );
        }
    }

    #[test]
    fn an_application_is_named_for_the_cameras_that_stream_there() {
        let cameras = "[[cameras]]\ncamera = 1\n[cameras.platform]\nkind = 'twitch'\n\
            [[cameras]]\ncamera = 2\n[cameras.platform]\nkind = 'twitch'\nclient_id = 'own'\n\
            [[cameras]]\ncamera = 3\n";
        let environment = [("VIDEO_TWITCH_CLIENT_ID", "app")];
        let Translated { given, .. } = translated(cameras, "cameras = []", &environment).unwrap();
        let shown = format!("{given:?}");
        assert!(
            shown.contains("\"app\"") && shown.contains("\"own\""),
            "{shown}"
        );
        assert_eq!(shown.matches("client_id").count(), 2, "{shown}");
    }

    #[test]
    fn what_belongs_elsewhere_is_refused_with_its_place() {
        let said = |text: &str, environment: &[(&str, &str)]| {
            let defaults = "[database]\nurl = ''\n[ipfs]\nkubo_url = ''\n[vault]\ndir = ''\n";
            translated(text, defaults, environment)
                .unwrap_err()
                .join("; ")
        };
        for (text, named) in [
            ("[kyc]\nprovider = 'onfido'", "kyc"),
            ("[blockchain]\nmin_validators = 5", "seats 4"),
            ("[blockchain]\nmax_validators = 5", "seats 4"),
            (
                "[blockchain]\nconsensus_algorithm = 'proof_of_work'",
                "proof_of_stake",
            ),
            ("[video]\ndefault_anonymization = 'blur'", "solid fill"),
            ("[observability]\nlog_level = 'loud'", "trace"),
            ("[observability]\nenable_metrics = false", "http.listen"),
            (
                "[database]\nhost = 'a'\nurl = 'postgres://b'",
                "database.url",
            ),
            ("[database]\nhost = 'a'", "database.username"),
            (
                "[database]\ndatabase = ''\nusername = 'u'",
                "database.database",
            ),
            ("database = 'postgres://u:s3cret@h/d'", "is a section"),
            (
                "[database]\nhost = 'a/b'\ndatabase = 'd'\nusername = 'u'",
                "database.host",
            ),
            (
                "[database]\nport = 70000\ndatabase = 'd'\nusername = 'u'",
                "database.port",
            ),
        ] {
            assert!(
                said(text, &[]).contains(named),
                "{text}: {}",
                said(text, &[])
            );
        }
        assert!(said("", &[("IPFS_JWT", "s3cret")]).contains("ipfs.pinata.jwt_file"));
        assert!(!said("", &[("ENCRYPTION_KEY", "s3cret")]).contains("s3cret"));

        let both = "[database]\ndatabase = 'd'\nusername = 'u'\npassword = 'one'";
        let two = said(both, &[("DATABASE_PASSWORD", "other")]);
        assert!(two.contains("differ") && !two.contains("other"), "{two}");
    }

    proptest! {
        #[test]
        fn a_password_comes_through_whatever_it_holds(password in "(\\PC|%[0-9a-f]{2}){1,20}", user in "[a-z@:/% ]{1,8}") {
            let parts = DatabaseParts {
                username: Some(user.clone()),
                password: Some(password.clone()),
                database: Some("d".into()),
                ..DatabaseParts::default()
            };
            let url = url::Url::parse(&parts.to_url(None).unwrap()).unwrap();
            let plain = |text: &str| percent_encoding::percent_decode_str(text).decode_utf8().unwrap().into_owned();
            prop_assert_eq!(plain(url.password().unwrap()), password);
            prop_assert_eq!(plain(url.username()), user);
            prop_assert_eq!((url.host_str(), url.path()), (Some("localhost"), "/d"));
        }
    }
}
