//! Calls to small servers that misbehave.

use super::*;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};

/// What a server does with the n-th request on its m-th connection (both from 0): the bytes to send, and whether to close.
type Manner = fn(connection: usize, request: usize, text: &str) -> (Vec<u8>, bool);

struct App {
    origin: String,
    requests: Arc<AtomicUsize>,
}

async fn app(manner: Manner) -> App {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let origin = format!("http://localhost:{}", listener.local_addr().unwrap().port());
    let requests = Arc::new(AtomicUsize::new(0));
    let counted = Arc::clone(&requests);
    tokio::spawn(async move {
        for connection in 0.. {
            let (stream, _) = listener.accept().await.unwrap();
            tokio::spawn(converse(stream, connection, manner, Arc::clone(&counted)));
        }
    });
    App { origin, requests }
}

async fn converse(mut stream: TcpStream, connection: usize, manner: Manner, counted: Arc<AtomicUsize>) {
    for request in 0.. {
        let Some(text) = read_request(&mut stream).await else { return };
        counted.fetch_add(1, Ordering::SeqCst);
        let (bytes, closes) = manner(connection, request, &text);
        if stream.write_all(&bytes).await.is_err() || closes {
            return;
        }
    }
}

async fn read_request(stream: &mut TcpStream) -> Option<String> {
    let mut bytes = Vec::new();
    loop {
        let text = String::from_utf8_lossy(&bytes).into_owned();
        if let Some((head, body)) = text.split_once("\r\n\r\n") {
            let length = head.lines().find_map(|line| line.strip_prefix("content-length: ")?.parse::<usize>().ok());
            if body.len() >= length.unwrap_or(0) {
                return Some(text);
            }
        }
        let mut chunk = [0; 4096];
        match stream.read(&mut chunk).await {
            Ok(read) if read > 0 => bytes.extend_from_slice(&chunk[..read]),
            _ => return None,
        }
    }
}

fn response(status: &str, headers: &str, body: &[u8]) -> Vec<u8> {
    let mut bytes = format!("HTTP/1.1 {status}\r\ncontent-length: {}\r\n{headers}\r\n", body.len()).into_bytes();
    bytes.extend_from_slice(body);
    bytes
}

fn call_to(url: String) -> AppCall {
    AppCall {
        id: "c".to_owned(),
        kind: CallKind::App,
        method: "POST".to_owned(),
        url,
        headers: vec![("x-mark".to_owned(), "kept".to_owned())],
        body: b"the body".to_vec(),
        time_ms_max: 10_000,
        answer_bytes_max: 1_000,
        redirects_max: 3,
    }
}

async fn called(url: String) -> Result<AppAnswer, CallFailure> {
    perform(&Clients::default(), call_to(url)).await
}

#[tokio::test]
async fn a_call_carries_its_method_headers_and_body_and_brings_the_answer() {
    let app = app(|_, _, text| {
        let fine = text.starts_with("POST /x?a=1 ") && text.contains("x-mark: kept") && text.ends_with("the body");
        (response(if fine { "206 Partial" } else { "400 No" }, "X-Answer: Yes\r\n", b"[]"), false)
    })
    .await;
    let answer = called(format!("{}/x?a=1", app.origin)).await.unwrap();
    assert_eq!((answer.status, answer.body.as_slice()), (206, b"[]".as_slice()));
    assert!(answer.headers.contains(&("x-answer".to_owned(), "Yes".to_owned())));
}

#[tokio::test]
async fn redirects_send_the_same_again_and_end_somewhere() {
    let app = app(|_, _, text| {
        if text.starts_with("POST /there?fnId=f ") && text.ends_with("the body") && text.contains("x-mark: kept") {
            return (response("200 OK", "", b"there"), false);
        }
        let location = if text.starts_with("POST /loop") { "/loop" } else { "/there" };
        (response("302 Found", &format!("location: {location}\r\n"), b""), false)
    })
    .await;
    assert_eq!(called(format!("{}/here?fnId=f", app.origin)).await.unwrap().body, b"there");
    let before = app.requests.load(Ordering::SeqCst);
    assert!(matches!(called(format!("{}/loop", app.origin)).await, Err(CallFailure::Unreadable(_))));
    assert_eq!(app.requests.load(Ordering::SeqCst) - before, 4, "the call itself and three redirects");
}

#[tokio::test]
async fn answers_that_are_too_large_are_not_read_to_their_end() {
    let announced = app(|_, _, _| (b"HTTP/1.1 200 OK\r\ncontent-length: 1001\r\n\r\n".to_vec(), false)).await;
    assert!(matches!(called(announced.origin).await, Err(CallFailure::TooLarge(_))));
    let unannounced = app(|_, _, _| {
        let mut bytes = b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n".to_vec();
        for _ in 0..11 {
            bytes.extend_from_slice(b"64\r\n");
            bytes.extend_from_slice(&[b'x'; 100]);
            bytes.extend_from_slice(b"\r\n");
        }
        (bytes, false)
    })
    .await;
    assert!(matches!(called(unannounced.origin).await, Err(CallFailure::TooLarge(_))));
    let fits = app(|_, _, _| (response("200 OK", "", &[b'x'; 1_000]), false)).await;
    assert_eq!(called(fits.origin).await.unwrap().body.len(), 1_000);
}

#[tokio::test]
async fn an_app_that_never_answers_is_given_up_in_time() {
    let app = app(|_, _, _| (Vec::new(), false)).await;
    let mut call = call_to(app.origin);
    call.time_ms_max = 50;
    assert!(matches!(perform(&Clients::default(), call).await, Err(CallFailure::TimedOut(_))));
}

#[tokio::test]
async fn garbage_resets_and_empty_ports_are_unreachable() {
    let garbage = app(|_, _, _| (b"what?\r\n\r\n".to_vec(), true)).await;
    assert!(matches!(called(garbage.origin).await, Err(CallFailure::Unreachable(_))));
    let cut = app(|_, _, _| (b"HTTP/1.1 200 OK\r\ncontent-length: 10\r\n\r\nhalf".to_vec(), true)).await;
    assert!(matches!(called(cut.origin).await, Err(CallFailure::Unreachable(_))));
    let Err(CallFailure::Unreachable(why)) = called("http://127.0.0.1:1/".to_owned()).await else { panic!() };
    assert!(why.contains("refused"), "{why}");
    for nonsense in ["", "no url", "ftp://x/", "http://"] {
        assert!(matches!(called(nonsense.to_owned()).await, Err(CallFailure::Unreachable(_))), "{nonsense}");
    }
}

#[tokio::test]
async fn connections_are_used_again() {
    let app = app(|connection, _, _| (response("200 OK", "", connection.to_string().as_bytes()), false)).await;
    let clients = Clients::default();
    for _ in 0..3 {
        let answer = perform(&clients, call_to(app.origin.clone())).await.unwrap();
        assert_eq!(answer.body, b"0");
    }
}

#[tokio::test]
async fn a_request_that_a_closing_connection_swallowed_is_sent_again_on_a_fresh_one() {
    // The second request of a connection is read and never answered: as if the close had crossed it.
    let app = app(|connection, request, _| match request {
        0 => (response("200 OK", "", connection.to_string().as_bytes()), false),
        _ => (Vec::new(), true),
    })
    .await;
    let clients = Clients::default();
    for expected in ["0", "1"] {
        let answer = perform(&clients, call_to(app.origin.clone())).await.unwrap();
        assert_eq!(answer.body, expected.as_bytes());
    }
}

#[tokio::test]
async fn a_request_that_a_fresh_connection_swallowed_is_not_sent_again() {
    let app = app(|_, _, _| (Vec::new(), true)).await;
    assert!(matches!(called(app.origin).await, Err(CallFailure::Unreachable(_))));
    assert_eq!(app.requests.load(Ordering::SeqCst), 1);
}

#[tokio::test]
async fn a_packed_answer_is_unpacked_and_does_not_say_that_it_was() {
    let app = app(|_, _, _| {
        let mut packer = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
        std::io::Write::write_all(&mut packer, b"unpacked").unwrap();
        (response("200 OK", "content-encoding: gzip\r\n", &packer.finish().unwrap()), false)
    })
    .await;
    let answer = called(app.origin).await.unwrap();
    assert_eq!(answer.body, b"unpacked");
    assert!(answer.headers.iter().all(|(name, _)| name != "content-encoding" && name != "content-length"));
}

#[tokio::test]
async fn a_step_s_request_follows_redirects_as_browsers_do() {
    let server = app(|_, _, text| {
        if text.starts_with("GET /there HTTP") && !text.contains("the body") {
            (response("404 Not Found", "", b"found"), false)
        } else {
            (response("302 Found", "location: /there\r\n", b""), false)
        }
    })
    .await;
    let call = AppCall { kind: CallKind::Fetch, ..call_to(format!("{}/here?q=1", server.origin)) };
    let answer = perform(&Clients::default(), call).await.unwrap();
    assert_eq!((answer.status, answer.body.as_slice()), (404, b"found".as_slice()));
}

#[tokio::test]
async fn what_may_go_to_public_addresses_only_reaches_no_other() {
    let server = app(|_, _, _| (response("200 OK", "", b"secret"), false)).await;
    let port = server.origin.rsplit(':').next().unwrap().to_owned();
    for host in ["localhost", "127.0.0.1", "127.1", "0x7f000001", "[::1]", "[::ffff:127.0.0.1]"] {
        let call = AppCall { kind: CallKind::FetchPublic, ..call_to(format!("http://{host}:{port}/")) };
        let outcome = perform(&Clients::default(), call).await;
        let Err(CallFailure::Refused(why)) = outcome else { panic!("{host}: {outcome:?}") };
        assert!(why.contains("not a public address"), "{why}");
    }
    assert_eq!(server.requests.load(Ordering::SeqCst), 0);
    let call = AppCall { kind: CallKind::Fetch, ..call_to(format!("http://127.0.0.1:{port}/")) };
    assert_eq!(perform(&Clients::default(), call).await.unwrap().body, b"secret");
}
