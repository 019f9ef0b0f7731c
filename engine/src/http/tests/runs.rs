//! Lists of runs.

use super::{Desk, get, json};
use serde_json::json;

#[test]
fn a_full_page_says_where_the_next_one_begins() {
    let runs = json!([{"run_id": "B", "status": "Running"}, {"run_id": "A", "status": "Failed"}]);
    for (limit, next) in [(2, json!("A")), (3, json!(null))] {
        let body = json(&Desk::dev().answered(get(&format!("/v1/runs?limit={limit}")), &Ok(runs.clone())));
        assert_eq!((&body["data"], &body["metadata"]["next_cursor"]), (&runs, &next));
    }
}
