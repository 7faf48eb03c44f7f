//! The settings as the founders' documents name them: translated into ours, or refused with the name that is ours
//! (docs/OPERATING.md, "Names of the documents"). One file may serve all services, so a service leaves out what only
//! others read. Pure.

use ::config::{Map, Value, ValueKind};
use std::fmt::Display;
use url::Url;

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

/// Translates what was given on top of the defaults. `environment` are variables that are not `HOTPOT__…`.
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
        let level = level.or_else(|| (self.environment)("OBSERVABILITY_LOG_LEVEL"));
        let level = level.map(|level| level.to_lowercase());
        if let Some(unknown) = level.as_ref().filter(|one| !is_log_level(one)) {
            self.refuse(format!(
                "observability.log_level: found {unknown:?}, allowed are {}",
                LOG_LEVELS.join(", ")
            ));
        }

        let metrics = self.take("observability", "enable_metrics");
        if metrics.is_some_and(|value| !matches!(value.into_bool(), Ok(true))) {
            self.refuse("observability.enable_metrics: only true is allowed, /metrics is always served at http.listen");
        }
        if self.take("observability", "prometheus_port").is_some() {
            self.refuse("observability.prometheus_port: remove it; each service serves /metrics at its http.listen");
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

        let is_given = self.is_given("database", "url") || self.is_given("database", "url_file");
        if parts.is_given() && is_given {
            self.refuse(
                "database.host: remove it, or database.url; one of them says where the database is",
            );
        } else if parts.is_given() {
            let password = (self.environment)("DATABASE_PASSWORD");
            match parts.to_url(password) {
                Ok(url) => self.set("database", "url", url),
                Err(mistake) => self.refuse(mistake),
            }
        } else if let Some(url) = (self.environment)("DATABASE_URL").filter(|_| !is_given) {
            self.set("database", "url", url);
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
        if !self.reads_key("blockchain", "chain_id") || self.is_given("blockchain", "chain_id") {
            return;
        }
        let Some(name) = (self.environment)("BLOCKCHAIN_NETWORK") else {
            return;
        };

        match NETWORKS.iter().find(|(known, _)| *known == name) {
            Some((_, chain_id)) => self.set("blockchain", "chain_id", *chain_id),
            None => self.refuse(format!(
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
            if let Some(id) = id.or_else(|| (self.environment)(&variable)) {
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
            if self.reads(section) && (self.environment)(variable).is_some() {
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

    /// Whether the service has such a section.
    fn reads(&self, section: &str) -> bool {
        self.defaults.contains_key(section)
    }

    fn reads_key(&self, section: &str, key: &str) -> bool {
        let found = self.defaults.get(section).map(|value| &value.kind);
        matches!(found, Some(ValueKind::Table(table)) if table.contains_key(key))
    }

    fn is_given(&self, section: &str, key: &str) -> bool {
        let found = self.given.get(section).map(|value| &value.kind);
        matches!(found, Some(ValueKind::Table(table)) if table.contains_key(key))
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

    /// A URL with everything escaped that has a meaning in one. No error names the password.
    fn to_url(&self, password_elsewhere: Option<String>) -> Result<String, String> {
        let password = match (&self.password, password_elsewhere) {
            (Some(one), Some(other)) if *one != other => {
                return Err("database.password and DATABASE_PASSWORD differ; remove one".into());
            }
            (one, other) => one.clone().or(other),
        };
        let needed = |name: &str, value: &Option<String>| {
            value
                .clone()
                .ok_or_else(|| format!("database.{name}: is missing beside the others"))
        };
        let host = self.host.as_deref().unwrap_or("localhost");
        let bad_host =
            |_| format!("database.host: found {host:?}, a name or an address is expected");

        let mut url = Url::parse(&format!("postgres://{host}")).map_err(bad_host)?;
        if url.host_str() != Some(host) {
            return Err(format!(
                "database.host: found {host:?}, a name or an address is expected"
            ));
        }
        if let Some(port) = &self.port {
            let number = port.parse().ok();
            let number = number.filter(|number| *number != 0);
            let number = number
                .ok_or_else(|| format!("database.port: found {port}, 1 to 65535 are allowed"))?;
            url.set_port(Some(number))
                .map_err(|()| "database.port: does not fit the host")?;
        }
        url.set_path(&needed("database", &self.database)?);
        let user = needed("username", &self.username)?;
        url.set_username(&user)
            .and_then(|()| url.set_password(password.as_deref()))
            .map_err(|()| "database.username: does not fit the host")?;
        Ok(url.into())
    }
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

        // Our own names win, as a file wins over the environment.
        let own = "[database]\nurl = 'postgres://a/b'\n[blockchain]\nchain_id = 5\n";
        let Translated { given, .. } = translated(own, WITH_DATABASE, &environment).unwrap();
        assert_eq!(
            text_at(&given, "database", "url").as_deref(),
            Some("postgres://a/b")
        );
        assert_eq!(
            text_at(&given, "blockchain", "chain_id").as_deref(),
            Some("5")
        );
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
            ("[database]\nhost = 'a'", "database.database"),
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
        fn a_password_comes_through_whatever_it_holds(password in "\\PC{1,20}", user in "[a-z@:/ ]{1,8}") {
            let parts = DatabaseParts {
                username: Some(user.clone()),
                password: Some(password.clone()),
                database: Some("d".into()),
                ..DatabaseParts::default()
            };
            let url = Url::parse(&parts.to_url(None).unwrap()).unwrap();
            let plain = |text: &str| percent_encoding::percent_decode_str(text).decode_utf8().unwrap().into_owned();
            prop_assert_eq!(plain(url.password().unwrap()), password);
            prop_assert_eq!(plain(url.username()), user);
            prop_assert_eq!((url.host_str(), url.path()), (Some("localhost"), "/d"));
        }
    }
}
