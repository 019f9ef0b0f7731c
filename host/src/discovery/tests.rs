use super::probe::CANDIDATES;
use super::report::SyncError;
use super::*;
use std::cell::RefCell;
use std::collections::VecDeque;
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener};
use std::sync::mpsc;

/// A server that answers every request with `answer` and tells the first line of each request.
fn server(answer: &'static str) -> (u16, mpsc::Receiver<String>) {
    let listener = TcpListener::bind(SocketAddr::from(([127, 0, 0, 1], 0))).unwrap();
    let port = listener.local_addr().unwrap().port();
    let (told, heard) = mpsc::channel();
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let mut stream = stream.unwrap();
            let mut head = [0; 1_024];
            let read = stream.read(&mut head).unwrap_or(0);
            // A knock that only connects says nothing.
            if read == 0 {
                continue;
            }
            let line = String::from_utf8_lossy(&head[..read]).lines().next().unwrap_or_default().to_owned();
            let is_home = line.starts_with("GET /x/inngest ");
            let _ = told.send(line);
            let nothing = "HTTP/1.1 404 Not Found\r\ncontent-length: 0\r\n\r\n";
            let _ = stream.write_all(if is_home { answer } else { nothing }.as_bytes());
        }
    });
    (port, heard)
}

const SDK: &str = "HTTP/1.1 200 OK\r\nX-Inngest-Sdk: js:v4.0.0\r\ncontent-length: 2\r\n\r\n{}";
const STRANGER: &str = "HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\n{}";

#[tokio::test]
async fn an_app_is_found_by_the_header_that_only_sdks_send() {
    let (stranger, _keep) = server(STRANGER);
    let (app, heard) = server(SDK);
    let search = Search::of([stranger, app], 0);
    assert_eq!(search.find_app().await, Some(format!("http://localhost:{app}/x/inngest")));
    let asked: Vec<String> = heard.try_iter().collect();
    assert_eq!(asked, ["GET /api/inngest HTTP/1.1", "GET /x/inngest HTTP/1.1"]);
}

#[tokio::test]
async fn neither_strangers_nor_silence_are_apps() {
    let (stranger, _keep) = server(STRANGER);
    let (garbage, _keep_too) = server("SSH-2.0-OpenSSH_9.2\r\n");
    let free = TcpListener::bind(SocketAddr::from(([127, 0, 0, 1], 0))).unwrap().local_addr().unwrap().port();
    assert_eq!(Search::of([stranger, garbage, free], 0).find_app().await, None);
}

#[tokio::test]
async fn the_server_never_knocks_at_its_own_door() {
    let (own, heard) = server(SDK);
    assert_eq!(Search::of([own, own], own).find_app().await, None);
    assert!(heard.try_recv().is_err());
}

#[test]
fn the_port_variable_is_looked_at_first_and_once() {
    let with = |variable| Search::usual(8_288, variable);
    assert_eq!(with(None), Search::of(CANDIDATES.iter().copied(), 8_288));
    assert_eq!(with(Some("4000")), Search::of([4_000].into_iter().chain(CANDIDATES.iter().copied()), 8_288));
    assert_eq!(with(Some("8288")), with(None));
    assert_eq!(with(Some("no port")), with(None));
}

/// A server whose catalog answers from a script, and that remembers what it was asked; the test ends with the script.
struct Script {
    answers: RefCell<VecDeque<Result<SyncReport, String>>>,
    asked: RefCell<Vec<SyncRequest>>,
    over: tokio::sync::Notify,
}

impl Script {
    fn new(answers: impl IntoIterator<Item = Result<SyncReport, String>>) -> Self {
        let answers = RefCell::new(answers.into_iter().collect());
        Self { answers, asked: RefCell::default(), over: tokio::sync::Notify::new() }
    }

    /// What is asked until the script is at its end. Time is the test's: no second of it is waited for.
    async fn asked(self, options: Options) -> Vec<SyncRequest> {
        let play = keep_synced(options, |request| {
            let answer = self.answers.borrow_mut().pop_front();
            if answer.is_some() {
                self.asked.borrow_mut().push(request);
            }
            async {
                match answer {
                    Some(answer) => answer,
                    None => {
                        self.over.notify_one();
                        std::future::pending().await
                    }
                }
            }
        });
        tokio::select! {
            () = play => {}
            () = self.over.notified() => {}
        }
        self.asked.into_inner()
    }
}

fn answered(ok: bool) -> Result<SyncReport, String> {
    let error = (!ok).then(|| SyncError { code: "unreachable".to_owned(), message: "nobody there".to_owned() });
    Ok(SyncReport { apps: vec![SyncedApp { url: "http://app".to_owned(), ok, error, ..SyncedApp::default() }] })
}

fn nobody() -> Result<SyncReport, String> {
    Ok(SyncReport::default())
}

fn at_url(url: &str) -> SyncRequest {
    SyncRequest { url: Some(url.to_owned()), only_failed: false }
}

fn known(only_failed: bool) -> SyncRequest {
    SyncRequest { url: None, only_failed }
}

fn options(sdk_urls: &[&str], search: Option<Search>, poll: bool) -> Options {
    let sdk_urls = sdk_urls.iter().map(|url| (*url).to_owned()).collect();
    Options { sdk_urls, search, poll, poll_interval: Duration::from_secs(5) }
}

#[tokio::test(start_paused = true)]
async fn given_urls_are_synced_until_they_answer_and_then_polled() {
    let script = Script::new([
        Err("overloaded".to_owned()),
        nobody(),
        answered(false),
        nobody(),
        answered(true),
        answered(true),
        answered(true),
    ]);
    let asked = script.asked(options(&["http://app"], None, true)).await;
    let expected = [
        at_url("http://app"),
        known(false),
        at_url("http://app"),
        known(false),
        at_url("http://app"),
        known(false),
        known(false),
    ];
    assert_eq!(asked, expected);
}

#[tokio::test(start_paused = true)]
async fn without_polling_only_failed_apps_are_asked_again() {
    let script = Script::new([answered(true), nobody(), nobody()]);
    let asked = script.asked(options(&["http://app"], None, false)).await;
    assert_eq!(asked, [at_url("http://app"), known(true), known(true)]);
}

#[tokio::test]
async fn looking_ends_with_the_first_app_that_is_found() {
    let (port, heard) = server(SDK);
    let script = Script::new([nobody(), answered(true), answered(true)]);
    let mut options = options(&[], Some(Search::of([port], 0)), true);
    options.poll_interval = Duration::from_millis(1);
    let asked = script.asked(options).await;
    assert_eq!(asked, [known(false), at_url(&format!("http://localhost:{port}/x/inngest")), known(false)]);
    assert_eq!(heard.try_iter().count(), 2, "looked once");
}

#[tokio::test(start_paused = true)]
async fn where_an_app_is_known_already_nobody_looks() {
    let (port, heard) = server(SDK);
    let script = Script::new([answered(true), answered(true)]);
    let asked = script.asked(options(&[], Some(Search::of([port], 0)), true)).await;
    assert_eq!(asked, [known(false), known(false)]);
    assert!(heard.try_recv().is_err());
}
