//! `multipart/form-data` (RFC 7578), read strictly and whole. The kept crates want an async runtime around it.

use super::body::invalid;
use super::form::Fields;
use crate::error::Refusal;

/// Reads the fields between the boundaries that `parameters` of the content type names. Files count as fields of text.
pub(super) fn read(parameters: &str, body: &[u8]) -> Result<String, Refusal> {
    let Some(boundary) = parameter(parameters, "boundary").filter(|boundary| (1..=70).contains(&boundary.len())) else {
        return Err(invalid(
            "multipart/form-data needs a boundary of 1 to 70 characters in its content type".to_owned(),
        ));
    };
    let body = std::str::from_utf8(body).map_err(|_| invalid("the form holds bytes that are not UTF-8".to_owned()))?;
    // Each delimiter begins a line; the first one may begin the body.
    let delimiter = format!("\r\n--{boundary}");
    let body = format!("\r\n{body}");
    let mut parts = body.split(delimiter.as_str()).skip(1);
    let mut fields = Fields::default();
    for part in &mut parts {
        if part.starts_with("--") {
            return fields.json();
        }
        let (name, value) = field(part)?;
        fields.add(name, value)?;
    }
    Err(invalid("the form ends before its last boundary".to_owned()))
}

/// One part, from the end of its delimiter to the next: the rest of the line, headers, an empty line, the value.
fn field(part: &str) -> Result<(String, String), Refusal> {
    let malformed = || invalid("a part of the form has no headers, or no empty line after them".to_owned());
    let (rest_of_line, part) = part.split_once("\r\n").ok_or_else(malformed)?;
    if !rest_of_line.trim().is_empty() {
        return Err(malformed());
    }
    let (headers, value) = part.split_once("\r\n\r\n").ok_or_else(malformed)?;
    let disposition = headers.split("\r\n").filter_map(|line| line.split_once(':'));
    let disposition = disposition.into_iter().find(|(name, _)| name.trim().eq_ignore_ascii_case("content-disposition"));
    let name = disposition
        .and_then(|(_, value)| value.trim().split_once(';'))
        .filter(|(kind, _)| kind.trim().eq_ignore_ascii_case("form-data"))
        .and_then(|(_, parameters)| parameter(parameters, "name"));
    let name = name.ok_or_else(|| invalid("a part of the form has no name".to_owned()))?;
    Ok((name, value.to_owned()))
}

/// The value of `key` in `a=b; c="d"`. Quoted values may hold what separates, and a backslash before a quote or backslash.
fn parameter(parameters: &str, key: &str) -> Option<String> {
    let mut rest = parameters.chars().peekable();
    loop {
        while rest.next_if(|c| *c == ';' || c.is_ascii_whitespace()).is_some() {}
        let mut name = String::new();
        while let Some(c) = rest.next_if(|c| *c != '=' && *c != ';') {
            name.push(c);
        }
        let mut value = String::new();
        if rest.next_if_eq(&'=').is_some() {
            if rest.next_if_eq(&'"').is_some() {
                loop {
                    match rest.next()? {
                        '"' => break,
                        '\\' if matches!(rest.peek(), Some('"' | '\\')) => value.extend(rest.next()),
                        c => value.push(c),
                    }
                }
                while rest.next_if(|c| *c != ';').is_some() {}
            } else {
                while let Some(c) = rest.next_if(|c| *c != ';') {
                    value.push(c);
                }
                value.truncate(value.trim_end().len());
            }
        }
        if name.trim().eq_ignore_ascii_case(key) {
            return Some(value);
        }
        rest.peek()?;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_become_lists_of_strings() {
        let body = b"preamble\r\n--x y\r\nContent-Disposition: form-data; name=\"a\"\r\n\r\n1\r\n--x y\r\n\
            content-type: text/plain\r\ncontent-disposition: form-data; filename=\"b;c\"; name=\"a \\\"q\\\"\"\r\n\r\n\
            two\r\nlines\r\n--x y\r\nContent-Disposition: form-data; name=a\r\n\r\n\r\n--x y--\r\nepilogue";
        assert_eq!(
            read(" charset=utf-8; boundary=\"x y\"", body).unwrap(),
            r#"{"a":["1",""],"a \"q\"":["two\r\nlines"]}"#
        );
    }

    #[test]
    fn what_is_not_a_form_is_refused() {
        let cases: &[(&str, &[u8])] = &[
            ("", b"--x--"),
            ("boundary=", b"----"),
            ("boundary=x", b""),
            ("boundary=x", b"--x\r\nContent-Disposition: form-data; name=a\r\n\r\n1\r\n"),
            ("boundary=x", b"--x\r\n\r\n1\r\n--x--"),
            ("boundary=x", b"--xy\r\nContent-Disposition: form-data; name=a\r\n\r\n1\r\n--x--"),
            ("boundary=x", b"--x\r\nContent-Disposition: attachment; name=a\r\n\r\n1\r\n--x--"),
            ("boundary=x", b"--x\r\nContent-Disposition: form-data; name=\"a\r\n\r\n1\r\n--x--"),
            ("boundary=x", b"--x\r\nContent-Disposition: form-data; name=a\r\n\r\n\xff\r\n--x--"),
        ];
        for (parameters, body) in cases {
            assert!(read(parameters, body).is_err(), "{parameters} {}", String::from_utf8_lossy(body));
        }
    }
}
