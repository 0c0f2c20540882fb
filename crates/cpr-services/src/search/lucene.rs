//! Lucene's classic query syntax, as far as a search of persons can use it.
//!
//! Its reading, not what one might hope for: a field is bound to the one word, phrase, range or group that follows it,
//! so `standardadresse:Akseltorv 1` is `Akseltorv` in that field and `1` in the default field, either of them. `AND`
//! makes the clauses on both sides required, `OR` changes nothing, `NOT`, `!` and `-` forbid, `+` requires; where
//! something is required, the clauses that are not are left without meaning. Boosts (`^2`) are read and passed over,
//! since rows come in the order of the numbers; fuzzy words and nearness (`~`) and regular expressions are refused.

use crate::search::query_error::QueryError;

/// A query as it is written, with where it stands in the text: bytes from the start.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(super) enum Clause {
    /// Clauses, each with what it is to the whole.
    Group(Vec<(Occur, Clause)>),
    /// What is asked of a field; none: of the default field.
    Field { field: Option<String>, at: usize, asked: Asked },
}

/// What a clause is to the whole.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Occur {
    Should,
    Must,
    MustNot,
}

/// What is asked of a field.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(super) enum Asked {
    /// A word, with its wildcards.
    Word(String),
    /// Words in quotes.
    Phrase(String),
    /// From and to; none where `*` stands. True when the end itself is meant.
    Range([Option<String>; 2], [bool; 2]),
}

/// Reads a whole query. `and` says what stands between clauses without an operator.
pub(super) fn parse(text: &str, and: bool) -> Result<Clause, QueryError> {
    let mut reader = Reader { text, at: 0, and, depth: 0 };
    let clause = reader.group(None)?;
    match reader.peek() {
        None => Ok(clause),
        Some(_) => Err(reader.unexpected("the end")),
    }
}

/// Groups within groups that are followed.
const DEEPEST: usize = 64;

struct Reader<'t> {
    text: &'t str,
    at: usize,
    and: bool,
    depth: usize,
}

impl<'t> Reader<'t> {
    fn rest(&self) -> &'t str {
        &self.text[self.at..]
    }

    fn peek(&self) -> Option<char> {
        self.rest().chars().next()
    }

    fn take(&mut self, text: &str) -> bool {
        let is_next = self.rest().starts_with(text);
        if is_next {
            self.at += text.len();
        }
        is_next
    }

    fn blanks(&mut self) {
        self.at += self.rest().len() - self.rest().trim_start().len();
    }

    fn unexpected(&self, wanted: &'static str) -> QueryError {
        QueryError::Syntax { at: self.at, wanted }
    }

    /// An operator that is a word of its own.
    fn operator(&mut self, name: &str) -> bool {
        let after = self.rest().strip_prefix(name).and_then(|after| after.chars().next());
        let is_next = self.rest().starts_with(name) && after.is_none_or(|c| c.is_whitespace() || c == '(');
        if is_next {
            self.at += name.len();
        }
        is_next
    }

    /// Clauses up to the end or a closing parenthesis; a field before a group is that of its clauses.
    fn group(&mut self, field: Option<&str>) -> Result<Clause, QueryError> {
        self.depth += 1;
        if self.depth > DEEPEST {
            return Err(self.unexpected("fewer groups within groups"));
        }
        let mut clauses: Vec<(Occur, Clause)> = Vec::new();
        loop {
            self.blanks();
            if matches!(self.peek(), None | Some(')')) {
                break;
            }
            let and = self.operator("AND") || self.take("&&");
            let or = !and && (self.operator("OR") || self.take("||"));
            if (and || or) && clauses.is_empty() {
                return Err(self.unexpected("something before the operator"));
            }
            self.blanks();
            let not = self.operator("NOT") || self.take("!") || self.take("-");
            let plus = !not && self.take("+");
            self.blanks();
            if and && let Some((before @ Occur::Should, _)) = clauses.last_mut() {
                *before = Occur::Must;
            }
            if or
                && self.and
                && let Some((before @ Occur::Must, _)) = clauses.last_mut()
            {
                *before = Occur::Should;
            }
            let occur = match (not, plus || and || self.and && !or) {
                (true, _) => Occur::MustNot,
                (false, true) => Occur::Must,
                (false, false) => Occur::Should,
            };
            clauses.push((occur, self.clause(field)?));
        }
        self.depth -= 1;
        if clauses.is_empty() {
            return Err(self.unexpected("something to search for"));
        }
        Ok(Clause::Group(clauses))
    }

    fn clause(&mut self, outer: Option<&str>) -> Result<Clause, QueryError> {
        let at = self.at;
        let mut field = outer.map(str::to_owned);
        let name: String = self.rest().chars().take_while(|c| c.is_alphanumeric() || matches!(c, '_' | '.')).collect();
        if !name.is_empty() && self.rest()[name.len()..].starts_with(':') {
            self.at += name.len() + 1;
            field = Some(name);
        } else if self.take("*:*") {
            return Ok(Clause::Field { field: None, at, asked: Asked::Word("*".to_owned()) });
        }
        self.blanks();
        let clause = match self.peek() {
            Some('(') => {
                self.at += 1;
                let group = self.group(field.as_deref())?;
                if !self.take(")") {
                    return Err(self.unexpected("`)`"));
                }
                group
            }
            Some('"') => Clause::Field { field, at, asked: Asked::Phrase(self.phrase()?) },
            Some('[' | '{') => Clause::Field { field, at, asked: self.range()? },
            Some('/') => return Err(self.unexpected("no regular expression")),
            _ => Clause::Field { field, at, asked: Asked::Word(self.word()?) },
        };
        if self.take("^") {
            self.at += self.rest().chars().take_while(|c| c.is_ascii_digit() || *c == '.').count();
        }
        if self.peek() == Some('~') {
            return Err(self.unexpected("no fuzzy word, and no nearness"));
        }
        Ok(clause)
    }

    fn word(&mut self) -> Result<String, QueryError> {
        let mut word = String::new();
        while let Some(c) = self.peek() {
            if c.is_whitespace() || matches!(c, '(' | ')' | '[' | ']' | '{' | '}' | '"' | '^' | '~' | ':') {
                break;
            }
            self.at += c.len_utf8();
            match c {
                '\\' => {
                    let escaped = self.peek().ok_or(self.unexpected("a character after `\\`"))?;
                    self.at += escaped.len_utf8();
                    word.push(escaped);
                }
                c => word.push(c),
            }
        }
        if word.is_empty() { Err(self.unexpected("a word")) } else { Ok(word) }
    }

    fn phrase(&mut self) -> Result<String, QueryError> {
        self.at += 1;
        let mut phrase = String::new();
        while let Some(c) = self.peek() {
            self.at += c.len_utf8();
            match c {
                '"' => return Ok(phrase),
                '\\' => {
                    phrase.extend(self.peek());
                    self.at += self.peek().map_or(0, char::len_utf8);
                }
                c => phrase.push(c),
            }
        }
        Err(self.unexpected("`\"`"))
    }

    fn range(&mut self) -> Result<Asked, QueryError> {
        let from_in = self.peek() == Some('[');
        self.at += 1;
        self.blanks();
        let from = self.bound()?;
        self.blanks();
        if !self.operator("TO") {
            return Err(self.unexpected("TO"));
        }
        self.blanks();
        let to = self.bound()?;
        self.blanks();
        let to_in = self.take("]");
        if !to_in && !self.take("}") {
            return Err(self.unexpected("`]` or `}`"));
        }
        Ok(Asked::Range([from, to], [from_in, to_in]))
    }

    /// One end of a range; a time of day may stand in it.
    fn bound(&mut self) -> Result<Option<String>, QueryError> {
        let end = |c: char| c.is_whitespace() || matches!(c, ']' | '}');
        let text = match self.peek() {
            Some('"') => self.phrase()?,
            _ => {
                let length = self.rest().find(end).unwrap_or(self.rest().len());
                let text = self.rest()[..length].to_owned();
                self.at += length;
                text
            }
        };
        match text.as_str() {
            "" => Err(self.unexpected("the end of a range")),
            "*" => Ok(None),
            _ => Ok(Some(text)),
        }
    }
}
