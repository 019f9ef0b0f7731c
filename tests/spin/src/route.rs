//! Which component a path belongs to.

use anyhow::{Result, bail};

/// A route of the manifest: `/`, `/a/:name/b`, `/a/...`.
#[derive(Clone, Debug)]
pub struct Route {
    written: String,
    segments: Vec<Segment>,
    /// Whether it ends with `...`.
    is_prefix: bool,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Segment {
    Text(String),
    Any,
}

impl Route {
    /// Reads a route.
    ///
    /// # Errors
    /// One that does not begin with a slash.
    pub fn parse(written: &str) -> Result<Self> {
        let Some(path) = written.strip_prefix('/') else { bail!("the route {written:?} does not begin with a slash") };
        let (path, is_prefix) = match path.strip_suffix("...") {
            Some(path) => (path, true),
            None => (path, false),
        };
        let segment = |text: &str| if text.starts_with(':') { Segment::Any } else { Segment::Text(text.to_owned()) };
        let segments = path.split('/').filter(|text| !text.is_empty()).map(segment).collect();
        Ok(Self { written: written.to_owned(), segments, is_prefix })
    }

    /// As it is written in the manifest.
    #[must_use]
    pub fn written(&self) -> &str {
        &self.written
    }

    /// What of `path` follows the route, where it fits: `/rest` for a prefix, else nothing.
    fn rest<'a>(&self, path: &'a str) -> Option<&'a str> {
        let mut rest = path;
        for segment in &self.segments {
            let after = rest.strip_prefix('/')?;
            let end = after.find('/').unwrap_or(after.len());
            let (text, beyond) = after.split_at_checked(end)?;
            if text.is_empty() || matches!(segment, Segment::Text(wanted) if wanted != text) {
                return None;
            }
            rest = beyond;
        }
        (self.is_prefix || rest.is_empty() || rest == "/").then_some(rest)
    }

    /// The more of it is text the sooner it is asked.
    fn rank(&self) -> (bool, std::cmp::Reverse<usize>, usize) {
        let open = self.segments.iter().filter(|segment| **segment == Segment::Any).count();
        (self.is_prefix, std::cmp::Reverse(self.segments.len()), open)
    }
}

/// Of several routes the one that says most of `path`, and what of the path follows it.
pub(crate) fn find<'a, T>(routes: &'a [(Route, T)], path: &'a str) -> Option<(&'a Route, &'a T, &'a str)> {
    let fitting = routes.iter().filter_map(|(route, to)| Some((route, to, route.rest(path)?)));
    fitting.min_by_key(|(route, ..)| route.rank())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_route_that_says_most_gets_the_request() {
        let written = ["/...", "/api/...", "/api/:id", "/api/health", "/"];
        let routes: Vec<_> = written.iter().map(|route| (Route::parse(route).unwrap(), ())).collect();
        let found = |path| find(&routes, path).map(|(route, (), rest)| (route.written(), rest));
        assert_eq!(found("/"), Some(("/", "/")));
        assert_eq!(found("/api/health"), Some(("/api/health", "")));
        assert_eq!(found("/api/7"), Some(("/api/:id", "")));
        assert_eq!(found("/api/7/x"), Some(("/api/...", "/7/x")));
        assert_eq!(found("/e/key"), Some(("/...", "/e/key")));
        assert!(find(&routes[2..4], "/other").is_none());
    }
}
