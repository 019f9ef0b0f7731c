//! Lists of runs.

use super::{Desk, get, json};
use serde_json::json;

#[test]
fn a_full_page_says_where_the_next_one_begins() {
    let [older, newer] = ["01ARZ3NDEKTSV4RRFFQ69G5FAV", "01ARZ3NDEKTSV4RRFFQ69G5FAW"];
    let runs = json!([{"run_id": newer, "status": "Running"}, {"run_id": older, "status": "Failed"}]);
    for (limit, next) in [(2, json!(older)), (3, json!(null))] {
        let body = json(&Desk::dev().answered(get(&format!("/v1/runs?limit={limit}")), &Ok(runs.clone())));
        assert_eq!((&body["data"], &body["metadata"]["next_cursor"]), (&runs, &next));
    }
}
