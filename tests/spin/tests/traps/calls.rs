//! Calls, routes and variables.

use crate::spin::Spin;

#[test]
fn a_private_component_is_called_by_its_name_alone() {
    let spin = Spin::start();
    spin.ok("/kv/set?key=shared&value=v");
    assert_eq!(spin.ok("/call?url=http://back.spin.internal/kv/get?key=shared"), "200 v");
    let headers = spin.ok("/call?url=http://back.spin.internal/headers");
    assert!(headers.contains("http://back.spin.internal/headers"), "{headers}");
}

#[test]
fn whom_the_manifest_does_not_name_is_not_called() {
    let spin = Spin::start();
    for url in ["http://front.spin.internal/instance", "http://127.0.0.1:1/"] {
        let answer = spin.get(&format!("/call?url={url}"));
        assert_eq!(answer.status, 502);
        assert!(answer.body.contains("HttpRequestDenied"), "{answer:?}");
    }
}

#[test]
fn a_component_that_traps_is_a_500_to_whoever_called_it() {
    let spin = Spin::start();
    assert_eq!(spin.ok("/call?url=http://back.spin.internal/panic"), "500 ");
}

#[test]
fn a_component_is_told_how_the_request_came() {
    let headers = Spin::start().ok("/headers");
    assert!(headers.contains("\"spin-path-info\": \"/headers\""), "{headers}");
    assert!(headers.contains("\"spin-component-route\": \"\""), "{headers}");
}

#[test]
fn variables_are_those_of_the_component() {
    let spin = Spin::start();
    assert_eq!(spin.ok("/variable?name=secret"), "it is safe");
    assert_eq!(spin.get("/variable?name=other").status, 502);
}
