use super::layer::{Environment, Layer, Value};
use super::setting::{self, ALL, Setting};
use super::*;
use std::collections::BTreeMap;
use std::path::Path;

/// A folder of its own for configuration files, and the environment to read them in.
struct Place {
    folder: tempfile::TempDir,
    environment: Environment,
}

impl Place {
    fn new(variables: &[(&str, &str)]) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let variables = variables.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        let environment = Environment { variables, folder: folder.path().to_owned() };
        Self { folder, environment }
    }

    fn with_file(self, name: &str, text: &str) -> Self {
        std::fs::write(self.folder.path().join(name), text).unwrap();
        self
    }

    fn dev(&self, flags: &[(Setting, &str)]) -> Result<ServeOptions, Error> {
        serve(Kind::Dev, layer(flags), None, &self.environment)
    }

    fn start(&self, flags: &[(Setting, &str)]) -> Result<ServeOptions, Error> {
        serve(Kind::Start, layer(flags), None, &self.environment)
    }
}

fn layer(flags: &[(Setting, &str)]) -> Layer {
    let mut layer = Layer::default();
    for (setting, text) in flags {
        layer.put(*setting, format!("--{}", setting.name), Value::Text((*text).to_owned()));
    }
    layer
}

const HEX: &str = "0123456789abcdef";

#[test]
fn dev_needs_nothing_and_stays_on_this_machine() {
    let place = Place::new(&[]);
    let options = place.dev(&[]).unwrap();
    let expected = ServeOptions {
        kind: Kind::Dev,
        host: "127.0.0.1".to_owned(),
        port: 8288,
        may_move_port: true,
        data: Data::Folder(place.folder.path().join(".stepwell")),
        partitions: 1,
        calls_per_app_max: 1_000,
        sdk_urls: Vec::new(),
        discovery: true,
        poll: true,
        poll_interval: Duration::from_secs(5),
        retry_interval: None,
        wait_look_back: None,
        cron_catch_up: CatchUp::Last,
        private_addresses: false,
        backlog_max: None,
        signing_keys: Vec::new(),
        event_keys: Vec::new(),
        engine_memory_bytes_max: 1 << 30,
        log: logging::Options { level: logging::Level::Info, json: false, color: true },
        config_file: None,
        warnings: Vec::new(),
    };
    assert_eq!(options, expected);
}

#[test]
fn start_needs_a_signing_key_and_an_event_key() {
    let place = Place::new(&[]);
    assert!(matches!(place.start(&[(setting::EVENT_KEY, "e")]), Err(Error::SigningKeyMissing)));
    assert!(matches!(place.start(&[(setting::SIGNING_KEY, HEX)]), Err(Error::EventKeyMissing)));
    // A fallback is no key to sign with.
    let fallback_only = [(setting::SIGNING_KEY_FALLBACK, HEX), (setting::EVENT_KEY, "e")];
    assert!(matches!(place.start(&fallback_only), Err(Error::SigningKeyMissing)));

    let options = place.start(&[(setting::SIGNING_KEY, HEX), (setting::EVENT_KEY, "e")]).unwrap();
    assert_eq!((options.host.as_str(), options.port, options.may_move_port), ("0.0.0.0", 8288, false));
    assert!(!options.discovery);
    assert!(options.poll);
}

#[test]
fn the_fallback_key_comes_after_the_current_one() {
    let place = Place::new(&[("INNGEST_SIGNING_KEY_FALLBACK", "signkey-prod-00ff"), ("INNGEST_SIGNING_KEY", HEX)]);
    assert_eq!(place.dev(&[]).unwrap().signing_keys, [HEX, "signkey-prod-00ff"]);
}

#[test]
fn a_signing_key_is_hex_of_even_length_and_never_printed() {
    for key in ["signkey-test-abc", "xyzt", "signkey-test-", "signkey-abcd", "0123456789abcdeg"] {
        let error = Place::new(&[]).dev(&[(setting::SIGNING_KEY, key)]).unwrap_err();
        assert!(error.to_string().starts_with("--signing-key is no signing key: an even number"), "{error}");
        assert!(!error.to_string().contains(key), "{error}");
    }
    for key in ["signkey-test-abcd", "signkey-my_env-ABCD", "abcd"] {
        assert_eq!(Place::new(&[]).dev(&[(setting::SIGNING_KEY, key)]).unwrap().signing_keys, [key]);
    }
}

#[test]
fn flags_win_over_own_variables_over_inngests_over_the_file() {
    let port = |flags: &[(Setting, &str)], variables: &[(&str, &str)], file: Option<&str>| {
        let place = Place::new(variables);
        let place = match file {
            Some(text) => place.with_file("stepwell.yaml", text),
            None => place,
        };
        place.dev(flags).unwrap().port
    };
    let (flag, both) = ([(setting::PORT, "1")], [("STEPWELL_PORT", "2"), ("INNGEST_PORT", "3")]);
    assert_eq!(port(&flag, &both, Some("port: 4")), 1);
    assert_eq!(port(&[], &both, Some("port: 4")), 2);
    assert_eq!(port(&[], &[("STEPWELL_PORT", " "), ("INNGEST_PORT", "3")], Some("port: 4")), 3);
    assert_eq!(port(&[], &[("INNGEST_PORT", "")], Some("port: 4")), 4);
    assert_eq!(port(&[], &[], None), 8288);
}

/// What is visible of a setting in the options.
type Seen = fn(&ServeOptions) -> String;

/// Each setting: a value as a flag or variable writes it, as YAML writes it, and what the options then say.
const TABLE: &[(Setting, &str, &str, Seen, &str)] = &[
    (setting::HOST, "0.0.0.0", "0.0.0.0", |o| o.host.clone(), "0.0.0.0"),
    (setting::PORT, "9000", "9000", |o| o.port.to_string(), "9000"),
    (
        setting::SDK_URL,
        "localhost:3000/api/inngest,https://b.example/x",
        "[localhost:3000/api/inngest, 'https://b.example/x']",
        |o| o.sdk_urls.join(" "),
        "http://localhost:3000/api/inngest https://b.example/x",
    ),
    (setting::NO_DISCOVERY, "true", "true", |o| o.discovery.to_string(), "false"),
    (setting::NO_POLL, "1", "yes", |o| o.poll.to_string(), "false"),
    (setting::POLL_INTERVAL, "2", "2", |o| format!("{:?}", o.poll_interval), "2s"),
    (setting::RETRY_INTERVAL, "100ms", "100ms", |o| format!("{:?}", o.retry_interval), "Some(100ms)"),
    (setting::WAIT_LOOK_BACK, "5s", "5s", |o| format!("{:?}", o.wait_look_back), "Some(5s)"),
    (setting::CRON_CATCH_UP, "all", "ALL", |o| format!("{:?}", o.cron_catch_up), "All"),
    (setting::ALLOW_PRIVATE_ADDRESSES, "true", "true", |o| o.private_addresses.to_string(), "true"),
    (setting::BACKLOG_LIMIT, "1000", "1000", |o| format!("{:?}", o.backlog_max), "Some(1000)"),
    (setting::IN_MEMORY, "on", "true", |o| format!("{:?}", o.data), "InMemory"),
    (setting::PERSIST, "false", "false", |o| format!("{:?}", o.data), "InMemory"),
    (setting::DATA_DIR, "/var/lib/x", "/var/lib/x", |o| format!("{:?}", o.data), "Folder(\"/var/lib/x\")"),
    (setting::PARTITIONS, "4", "4", |o| o.partitions.to_string(), "4"),
    (setting::CALLS_PER_APP, "64", "64", |o| o.calls_per_app_max.to_string(), "64"),
    (setting::SIGNING_KEY, HEX, "'0123456789abcdef'", |o| o.signing_keys.join(" "), HEX),
    (setting::SIGNING_KEY_FALLBACK, HEX, "'0123456789abcdef'", |o| o.signing_keys.join(" "), HEX),
    (setting::EVENT_KEY, "a, b,", "[a, b]", |o| o.event_keys.join(" "), "a b"),
    (setting::ENGINE_MEMORY_MB, "256", "256", |o| o.engine_memory_bytes_max.to_string(), "268435456"),
    (setting::LOG_LEVEL, "warn", "WARN", |o| format!("{:?}", o.log.level), "Warn"),
    (setting::JSON, "true", "true", |o| o.log.json.to_string(), "true"),
];

#[test]
fn every_setting_can_be_given_in_every_source() {
    let named: Vec<&str> = TABLE.iter().map(|row| row.0.name).collect();
    assert_eq!(named, ALL.iter().map(|setting| setting.name).collect::<Vec<_>>(), "the table has every setting");
    for (setting, text, yaml, seen, expected) in TABLE {
        let capitals = setting.name.to_uppercase().replace('-', "_");
        for prefix in ["STEPWELL", "INNGEST"] {
            let options = Place::new(&[(&format!("{prefix}_{capitals}"), text)]).dev(&[]).unwrap();
            assert_eq!(seen(&options), *expected, "{prefix}_{capitals}");
        }
        for key in [setting.name.to_owned(), setting.name.replace('-', "_")] {
            let place = Place::new(&[]).with_file("inngest.yml", &format!("{key}: {yaml}\n"));
            assert_eq!(seen(&place.dev(&[]).unwrap()), *expected, "{key} in a file");
        }
        // As a flag, a list is not one text.
        if setting.arity == setting::Arity::One {
            assert_eq!(seen(&Place::new(&[]).dev(&[(*setting, text)]).unwrap()), *expected, "--{}", setting.name);
        }
    }
}

#[test]
fn every_format_of_a_file_is_read() {
    let files = [
        ("stepwell.json", "{\"port\": 9001, \"sdk-url\": [\"http://a/x\"], \"no-poll\": true}"),
        ("stepwell.yaml", "port: 9001\nsdk-url:\n  - http://a/x\nno-poll: true\n"),
        ("stepwell.yml", "port: '9001'\nsdk-url: http://a/x\nno-poll: true\n"),
        ("stepwell.toml", "port = 9001\nsdk-url = [\"http://a/x\"]\nno-poll = true\n"),
        ("inngest.json", "{\"port\": 9001, \"host\": null, \"sdk_url\": [\"http://a/x\"], \"no-poll\": true}"),
    ];
    for (name, text) in files {
        let place = Place::new(&[]).with_file(name, text);
        let options = place.dev(&[]).unwrap();
        assert_eq!(
            (options.port, options.sdk_urls, options.poll),
            (9001, vec!["http://a/x".to_owned()], false),
            "{name}"
        );
        assert_eq!(options.config_file, Some(place.folder.path().join(name)));
    }
}

#[test]
fn an_empty_file_says_nothing() {
    for name in ["stepwell.json", "stepwell.yaml", "stepwell.toml"] {
        assert_eq!(Place::new(&[]).with_file(name, " \n").dev(&[]).unwrap().port, 8288);
    }
    assert_eq!(Place::new(&[]).with_file("stepwell.yaml", "# nothing yet\n").dev(&[]).unwrap().port, 8288);
}

#[test]
fn the_nearest_file_counts_and_ours_before_inngests() {
    let place = Place::new(&[]).with_file("stepwell.toml", "port = 1").with_file("inngest.json", "{\"port\": 2}");
    assert_eq!(place.dev(&[]).unwrap().port, 1);

    let inner = place.folder.path().join("a/b");
    std::fs::create_dir_all(&inner).unwrap();
    let from_inside = Environment { folder: inner.clone(), variables: BTreeMap::new() };
    assert_eq!(serve(Kind::Dev, Layer::default(), None, &from_inside).unwrap().port, 1);

    std::fs::write(inner.join("inngest.json"), "{\"port\": 3}").unwrap();
    assert_eq!(serve(Kind::Dev, Layer::default(), None, &from_inside).unwrap().port, 3);
}

#[test]
fn a_file_can_be_named() {
    let place =
        Place::new(&[("INNGEST_CONFIG", "b.yaml")]).with_file("a.toml", "port = 1").with_file("b.yaml", "port: 2");
    assert_eq!(place.dev(&[]).unwrap().port, 2);
    assert_eq!(serve(Kind::Dev, Layer::default(), Some(Path::new("a.toml")), &place.environment).unwrap().port, 1);
    let missing = serve(Kind::Dev, Layer::default(), Some(Path::new("c.toml")), &place.environment).unwrap_err();
    assert!(missing.to_string().contains("c.toml cannot be read"), "{missing}");
}

#[test]
fn an_unknown_key_is_named_beside_the_known_ones() {
    let error = Place::new(&[]).with_file("stepwell.yaml", "prot: 1").dev(&[]).unwrap_err().to_string();
    assert!(error.contains("stepwell.yaml has the unknown key `prot`; known are: host, port, sdk-url,"), "{error}");
}

#[test]
fn what_only_inngests_server_knows_is_accepted_with_a_warning() {
    let place = Place::new(&[("INNGEST_TICK", "10")]).with_file("inngest.yaml", "queue-workers: 50\nport: 1\n");
    let options = place.dev(&[]).unwrap();
    assert_eq!(options.port, 1);
    assert_eq!(
        options.warnings,
        [
            "INNGEST_TICK has no effect: nothing is polled: whatever becomes due is pushed",
            "`queue-workers` in inngest.yaml has no effect: there is no pool of workers to size",
        ]
    );
}

#[test]
fn files_that_are_none_are_refused() {
    let files = [
        ("stepwell.json", "{port: 1}", "is not JSON"),
        ("stepwell.yaml", "a: [", "is not YAML"),
        ("stepwell.toml", "port", "is not TOML"),
        ("stepwell.yaml", "- port", "is not a configuration"),
        ("stepwell.yaml", "port: {a: 1}", "`port` in stepwell.yaml is {\"a\":1}: a value is wanted"),
        ("stepwell.yaml", "port: [1]", "one value is wanted"),
        ("stepwell.yaml", "event-key: [1]", "a list of texts is wanted"),
    ];
    for (name, text, expected) in files {
        let error = Place::new(&[]).with_file(name, text).dev(&[]).unwrap_err().to_string();
        assert!(error.contains(expected), "{text}: {error}");
    }
    let large = " ".repeat((1 << 20) + 1);
    let error = Place::new(&[]).with_file("stepwell.yaml", &large).dev(&[]).unwrap_err().to_string();
    assert!(error.contains("larger than 1048576 bytes"), "{error}");
    assert!(Place::new(&[]).with_file("stepwell.yaml", &" ".repeat(1 << 20)).dev(&[]).is_ok());
}

#[test]
fn every_bad_value_names_its_place() {
    let bad = [
        (setting::PORT, "65536", "a port is wanted"),
        (setting::PORT, "-1", "a port is wanted"),
        (setting::NO_POLL, "maybe", "true or false is wanted"),
        (setting::POLL_INTERVAL, "fast", "seconds are wanted"),
        (setting::POLL_INTERVAL, "99ms", "at least 100ms"),
        (setting::POLL_INTERVAL, "-1", "seconds are wanted"),
        (setting::POLL_INTERVAL, "nan", "seconds are wanted"),
        (setting::RETRY_INTERVAL, "25h", "at most a day"),
        (setting::SDK_URL, "ftp://x", "an http or https URL is wanted"),
        (setting::SDK_URL, "http://", "an http or https URL is wanted"),
        (setting::ENGINE_MEMORY_MB, "127", "mebibytes are wanted"),
        (setting::ENGINE_MEMORY_MB, "99999999999999999999", "mebibytes are wanted"),
        (setting::LOG_LEVEL, "loud", "one of trace"),
    ];
    for (setting, text, expected) in bad {
        let error = Place::new(&[]).dev(&[(setting, text)]).unwrap_err().to_string();
        let place = format!("--{} is `{text}`: ", setting.name);
        assert!(error.starts_with(&place) && error.contains(expected), "{error}");
    }
}

#[test]
fn intervals_of_nothing_mean_the_default() {
    let options = Place::new(&[]).dev(&[(setting::POLL_INTERVAL, "0"), (setting::RETRY_INTERVAL, "0")]).unwrap();
    assert_eq!((options.poll_interval, options.retry_interval), (Duration::from_secs(5), None));
}

#[test]
fn the_strongest_source_says_whether_anything_is_kept() {
    let data = |flags: &[(Setting, &str)], variables: &[(&str, &str)]| Place::new(variables).dev(flags).map(|o| o.data);
    assert_eq!(data(&[(setting::IN_MEMORY, "true")], &[("STEPWELL_PERSIST", "true")]).unwrap(), Data::InMemory);
    let kept = data(&[(setting::PERSIST, "true")], &[("STEPWELL_IN_MEMORY", "true")]).unwrap();
    assert!(matches!(kept, Data::Folder(_)));
    let both = data(&[], &[("STEPWELL_IN_MEMORY", "true"), ("STEPWELL_PERSIST", "true")]).unwrap_err();
    assert_eq!(both.to_string(), "STEPWELL_IN_MEMORY and STEPWELL_PERSIST exclude each other; give one of them");
}

#[test]
fn inngests_name_of_the_data_folder_is_understood() {
    let place = Place::new(&[("INNGEST_SQLITE_DIR", "/data")]);
    assert_eq!(place.dev(&[]).unwrap().data, Data::Folder(PathBuf::from("/data")));
    let place = Place::new(&[("STEPWELL_SQLITE_DIR", "/old"), ("STEPWELL_DATA_DIR", "/new")]);
    assert_eq!(place.dev(&[]).unwrap().data, Data::Folder(PathBuf::from("/new")));
}

#[test]
fn log_level_without_a_prefix_is_the_weakest_variable() {
    let level = |variables: &[(&str, &str)]| Place::new(variables).dev(&[]).unwrap().log.level;
    assert_eq!(level(&[("LOG_LEVEL", "debug")]), logging::Level::Debug);
    assert_eq!(level(&[("LOG_LEVEL", "debug"), ("INNGEST_LOG_LEVEL", "error")]), logging::Level::Error);
}

#[test]
fn a_client_asks_this_machine_unless_told_otherwise() {
    let flags = |server: Option<&str>| ClientFlags { server: server.map(ToOwned::to_owned), ..ClientFlags::default() };
    let place = Place::new(&[]);
    assert_eq!(client(flags(None), &place.environment).unwrap().server, "http://127.0.0.1:8288");
    let place = Place::new(&[
        ("STEPWELL_URL", "https://a.example/"),
        ("INNGEST_SIGNING_KEY", HEX),
        ("INNGEST_EVENT_KEY", "k, l"),
    ]);
    let options = client(flags(None), &place.environment).unwrap();
    assert_eq!(options.server, "https://a.example");
    assert_eq!((options.signing_key.as_deref(), options.event_key.as_deref()), (Some(HEX), Some("k")));
    assert_eq!(client(flags(Some("localhost:9")), &place.environment).unwrap().server, "http://localhost:9");
    assert!(
        client(flags(Some("ftp://x")), &place.environment)
            .unwrap_err()
            .to_string()
            .starts_with("--server is `ftp://x`")
    );
}
