//! What a person reads when the server is up.

use super::house::FILE_NAME;
use crate::config::{Data, Kind, ServeOptions};
use std::io::{IsTerminal as _, Write as _};

/// Tells where the server is and what to do next; only to people.
pub fn show(options: &ServeOptions, url: &str) {
    if !options.log.json && std::io::stdout().is_terminal() {
        // Nobody to read it, nothing lost.
        let _ = writeln!(std::io::stdout().lock(), "{}", text(options, url));
    }
}

fn text(options: &ServeOptions, url: &str) -> String {
    let kept = match &options.data {
        Data::InMemory => "in memory: gone when this stops".to_owned(),
        Data::Folder(folder) if options.partitions == 1 => folder.join(FILE_NAME).display().to_string(),
        Data::Folder(folder) => format!("{} ({} partitions)", folder.display(), options.partitions),
    };
    let apps = match (options.sdk_urls.as_slice(), options.discovery) {
        ([], true) => "looking for them on this machine".to_owned(),
        ([], false) => "those that register themselves, or: stepwell sync <URL>".to_owned(),
        (urls, _) => urls.join(", "),
    };
    let next = match options.kind {
        Kind::Dev => format!("INNGEST_DEV={url} <start your app>"),
        Kind::Start => format!("INNGEST_BASE_URL={url} INNGEST_SIGNING_KEY=… INNGEST_EVENT_KEY=… <start your app>"),
    };
    [
        String::new(),
        format!("  stepwell {}  {url}", env!("CARGO_PKG_VERSION")),
        String::new(),
        format!("  apps   {apps}"),
        format!("  data   {kept}"),
        format!("  next   {next}"),
        "         stepwell send <event> --wait".to_owned(),
        String::new(),
        "  Ctrl-C stops it; what was acknowledged is kept.".to_owned(),
        String::new(),
    ]
    .join("\n")
}
