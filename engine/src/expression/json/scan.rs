//! A cursor over JSON text that was found valid once: it finds where values begin and end, and decodes nothing.
//!
//! On text that is not JSON it stops or skips nonsense; it never goes on for ever, and never fails.

use memchr::memchr2;

/// A place in the text.
#[derive(Clone, Copy)]
pub(super) struct Scanner<'a> {
    text: &'a str,
    at: usize,
}

impl<'a> Scanner<'a> {
    /// At the beginning of the text.
    pub(super) fn new(text: &'a str) -> Self {
        Self { text, at: 0 }
    }

    /// How many bytes lie behind.
    pub(super) fn at(&self) -> usize {
        self.at
    }

    /// Steps over blanks and then over `expected`; stays before it, and says so, where something else comes.
    pub(super) fn take(&mut self, expected: u8) -> bool {
        self.skip_blanks();
        let is_next = self.peek() == Some(expected);
        if is_next {
            self.step();
        }
        is_next
    }

    /// Steps over the next value, whose text it gives.
    pub(super) fn value(&mut self) -> Option<&'a str> {
        self.skip_blanks();
        let start = self.at;
        match self.peek()? {
            b'"' => self.skip_string(),
            b'{' | b'[' => self.skip_nested(),
            _ => self.skip_word(),
        }
        self.text.get(start..self.at).filter(|value| !value.is_empty())
    }

    /// Steps over the next key and its colon.
    pub(super) fn key(&mut self) -> Option<&'a str> {
        let key = self.value()?;
        self.take(b':').then_some(key)
    }

    fn peek(&self) -> Option<u8> {
        self.text.as_bytes().get(self.at).copied()
    }

    fn rest(&self) -> &'a [u8] {
        self.text.as_bytes().get(self.at..).unwrap_or_default()
    }

    fn step(&mut self) {
        self.advance(1);
    }

    fn advance(&mut self, bytes: usize) {
        self.at = self.at.saturating_add(bytes).min(self.text.len());
    }

    fn skip_blanks(&mut self) {
        let blanks = self.rest().iter().take_while(|byte| matches!(byte, b' ' | b'\t' | b'\n' | b'\r')).count();
        self.advance(blanks);
    }

    /// `true`, `null`, a number.
    fn skip_word(&mut self) {
        let ends = |byte: &u8| matches!(byte, b',' | b']' | b'}' | b':' | b' ' | b'\t' | b'\n' | b'\r');
        let rest = self.rest();
        self.advance(rest.iter().position(ends).unwrap_or(rest.len()));
    }

    /// From the opening quote to behind the closing one.
    fn skip_string(&mut self) {
        self.step();
        while let Some(offset) = memchr2(b'"', b'\\', self.rest()) {
            self.advance(offset);
            if self.peek() == Some(b'"') {
                return self.step();
            }
            self.advance(2);
        }
        self.advance(usize::MAX);
    }

    /// From an opening bracket to behind its closing one. Brackets are not told apart: the text is JSON.
    fn skip_nested(&mut self) {
        let mut depth = 0_usize;
        loop {
            let rest = self.rest();
            let marks = |byte: &u8| matches!(byte, b'"' | b'{' | b'}' | b'[' | b']');
            self.advance(rest.iter().position(marks).unwrap_or(rest.len()));
            match self.peek() {
                Some(b'"') => self.skip_string(),
                Some(b'{' | b'[') => {
                    depth = depth.saturating_add(1);
                    self.step();
                }
                Some(_) => {
                    depth = depth.saturating_sub(1);
                    self.step();
                    if depth == 0 {
                        return;
                    }
                }
                None => return,
            }
        }
    }
}

/// The texts of an array's elements.
pub(super) struct Elements<'a> {
    scanner: Scanner<'a>,
    begun: bool,
}

impl<'a> Elements<'a> {
    /// Of the array that `text` begins with.
    pub(super) fn new(text: &'a str) -> Self {
        Self { scanner: Scanner::new(text), begun: false }
    }
}

impl<'a> Iterator for Elements<'a> {
    type Item = &'a str;

    fn next(&mut self) -> Option<&'a str> {
        let separator = if std::mem::replace(&mut self.begun, true) { b',' } else { b'[' };
        if !self.scanner.take(separator) || self.scanner.take(b']') {
            return None;
        }
        self.scanner.value()
    }
}

/// The texts of an object's keys, with the places of their values.
pub(super) struct Fields<'a> {
    scanner: Scanner<'a>,
    begun: bool,
}

impl<'a> Fields<'a> {
    /// Of the object that comes next.
    pub(super) fn new(scanner: Scanner<'a>) -> Self {
        Self { scanner, begun: false }
    }

    /// How far it has come.
    pub(super) fn at(&self) -> usize {
        self.scanner.at()
    }

    /// The next key, and the place of its value. Nothing is known of the value's end until [`Fields::step_over`].
    pub(super) fn next_key(&mut self) -> Option<(&'a str, Scanner<'a>)> {
        let separator = if std::mem::replace(&mut self.begun, true) { b',' } else { b'{' };
        if !self.scanner.take(separator) || self.scanner.take(b'}') {
            return None;
        }
        Some((self.scanner.key()?, self.scanner))
    }

    /// Steps over the value of the key that came last.
    pub(super) fn step_over(&mut self) -> Option<&'a str> {
        self.scanner.value()
    }
}
