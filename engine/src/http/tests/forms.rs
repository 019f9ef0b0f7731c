//! Forms are decoded, and seldom are events (SERVER §1.2).

use super::{Desk, assert_refused, json, request, with};
use crate::limits::FORM_FIELDS_MAX;
use serde_json::json;

fn post(content_type: &str, body: impl Into<Vec<u8>>) -> super::Response {
    Desk::dev().at_once(with(request("POST", "/e/key", body), "content-type", content_type))
}

#[test]
fn a_name_is_no_list_of_texts() {
    let part = "--cut\r\nContent-Disposition: form-data; name=\"name\"\r\n\r\na/b\r\n--cut--\r\n";
    for (content_type, body) in [
        ("application/x-www-form-urlencoded", "name=a%2Fb&data=x"),
        ("Application/X-WWW-Form-Urlencoded; charset=utf-8", "name=a%2Fb"),
        ("multipart/form-data; boundary=cut", part),
    ] {
        let response = post(content_type, body);
        assert_refused(&response, 400, "event_invalid");
        assert_eq!(json(&response)["details"][0]["field"], json!("name"));
        assert!(json(&response)["error"].as_str().unwrap().contains("an array"));
    }
    assert_refused(&post("application/x-www-form-urlencoded", "data=x"), 400, "event_name_missing");
}

#[test]
fn json_is_json_whatever_it_calls_itself() {
    for content_type in ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data", ""] {
        let request = with(request("POST", "/e/key", r#" {"name":"a/b"}"#), "content-type", content_type);
        super::asked(Desk::dev().open(request).start());
    }
}

#[test]
fn what_is_no_form_is_refused() {
    assert_refused(&post("multipart/form-data", "--cut"), 400, "body_invalid");
    assert_refused(&post("multipart/form-data; boundary=cut", "--cut"), 400, "body_invalid");
    assert_refused(&post("application/json", "name=a"), 400, "body_invalid");
    let fields = |count: usize| vec!["a=1"; count].join("&");
    let form = "application/x-www-form-urlencoded";
    assert_refused(&post(form, fields(FORM_FIELDS_MAX)), 400, "event_name_missing");
    assert_refused(&post(form, fields(FORM_FIELDS_MAX + 1)), 400, "body_invalid");
}
