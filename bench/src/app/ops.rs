//! Ops with every field that an SDK sends (PROTOCOL §3.5).

use super::function::epoch_ns;

/// The id of the `n`th step: the SHA-1 of the name that a user would have given it (PROTOCOL §3.6).
pub fn step_id(n: usize) -> String {
    sha1_smol::Sha1::from(format!("step-{n}")).digest().to_string()
}

/// The `n`th step ran.
pub fn step_run(n: usize) -> String {
    format!("[{}]", step_run_op(n))
}

/// The op of [`step_run`] alone.
pub fn step_run_op(n: usize) -> String {
    format!(
        r#"{{"id":"{}","op":"StepRun","name":"step-{n}","opts":{{}},"displayName":"step-{n}","userland":{{"id":"step-{n}"}},"data":{{"n":{n}}},"timing":{{"a":{},"b":0}}}}"#,
        step_id(n),
        epoch_ns()
    )
}

/// A sleep until `date`.
pub fn sleep(date: &str) -> String {
    format!(
        r#"[{{"displayName":"nap","op":"Sleep","id":"{}","name":"{date}","opts":{{}},"userland":{{"id":"nap"}},"data":null}}]"#,
        sha1_smol::Sha1::from("nap").digest()
    )
}

/// A wait for an event with the key of the one that started the run.
pub fn wait() -> String {
    format!(
        r#"[{{"displayName":"wake","op":"WaitForEvent","id":"{}","name":"bench/wake","opts":{{"timeout":"1h","if":"event.data.key == async.data.key"}},"userland":{{"id":"wake"}},"data":null}}]"#,
        sha1_smol::Sha1::from("wake").digest()
    )
}

/// An invocation of the function that does nothing.
pub fn invoke(key: u64) -> String {
    format!(
        r#"[{{"displayName":"ask","op":"InvokeFunction","id":"{}","opts":{{"function_id":"bench-steps","payload":{{"data":{{"key":{key},"steps":0}}}}}},"userland":{{"id":"ask"}},"data":null}}]"#,
        sha1_smol::Sha1::from("ask").digest()
    )
}

/// The function returned, in an answer that reported by checkpoint.
pub fn run_complete() -> String {
    r#"[{"op":"RunComplete","id":"0737c22d3bfae812339732d14d8c7dbd6dc4e09c","data":{"ok":true}}]"#.to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_are_sha1_as_sdks_make_them() {
        assert_eq!(sha1_smol::Sha1::from("complete").digest().to_string(), "0737c22d3bfae812339732d14d8c7dbd6dc4e09c");
        assert_ne!(step_id(1), step_id(2));
    }

    #[test]
    fn ops_are_json() {
        for op in [step_run(3), sleep("2026-01-01T00:00:00.000Z"), wait(), invoke(7), run_complete()] {
            let read: serde_json::Value = serde_json::from_str(&op).unwrap();
            assert!(read[0]["op"].is_string() && read[0]["id"].as_str().unwrap().len() == 40, "{op}");
        }
    }
}
