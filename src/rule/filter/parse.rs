//! From the words of an expression to a [`Filter`].

use std::collections::HashMap;

use super::super::{Origin, dialect};
use super::{
    Filter, FilterCheck, FilterSubject, FilterTest, Order,
    lexer::{Kind, Word, words},
};

/// Deeper nesting is refused.
const MAX_DEPTH: usize = 64;

/// Reads an expression.
///
/// # Errors
/// What is not understood, with its place.
pub(super) fn parse(source: &str) -> Result<Filter, String> {
    let mut parser =
        Parser { words: words(source)?, next: 0, end: source.len(), named: HashMap::new(), depth: 0 };
    let value = parser.lets()?;
    match parser.words.get(parser.next) {
        Some(word) => Err(format!("at {}: something stands behind the end of the expression", word.at)),
        None => parser.truth(value),
    }
}

/// What a part of an expression stands for.
#[derive(Debug, Clone, PartialEq)]
enum Value {
    Truth(Filter),
    /// Something of the match or its place.
    Subject(FilterSubject),
    Text(String),
    Number(f64),
    /// Entropy or length of something.
    Entropy(FilterSubject),
    Length(FilterSubject),
    List(Vec<String>),
    /// `finding` and `attributes`.
    Finding,
    Attributes,
}

struct Parser {
    words: Vec<Word>,
    next: usize,
    end: usize,
    /// By `let`.
    named: HashMap<String, Value>,
    depth: usize,
}

type Parsed = Result<Value, String>;

impl Parser {
    fn at(&self) -> usize {
        self.words.get(self.next).map_or(self.end, |word| word.at)
    }

    fn error<T>(&self, what: &str) -> Result<T, String> {
        Err(format!("at {}: {what}", self.at()))
    }

    fn takes(&mut self, sign: &str) -> bool {
        let is_there = match self.words.get(self.next).map(|word| &word.kind) {
            Some(Kind::Sign(there)) => *there == sign,
            Some(Kind::Name(there)) => there == sign,
            _ => false,
        };
        self.next += usize::from(is_there);
        is_there
    }

    fn wants(&mut self, sign: &str) -> Result<(), String> {
        if self.takes(sign) { Ok(()) } else { self.error(&format!("`{sign}` is missing")) }
    }

    fn truth(&self, value: Value) -> Result<Filter, String> {
        match value {
            Value::Truth(filter) => Ok(filter),
            _ => self.error("what stands before is neither true nor false"),
        }
    }

    /// `let name = value; …`
    fn lets(&mut self) -> Parsed {
        while self.takes("let") {
            let Some(Kind::Name(name)) = self.words.get(self.next).map(|word| word.kind.clone()) else {
                return self.error("a name is missing");
            };
            self.next += 1;
            self.wants("=")?;
            let value = self.choice()?;
            self.wants(";")?;
            self.named.insert(name, value);
        }
        self.choice()
    }

    /// `if ? this : that`
    fn choice(&mut self) -> Parsed {
        self.depth += 1;
        if self.depth > MAX_DEPTH {
            return self.error("it is nested too deep");
        }
        let mut value = self.any()?;
        if self.takes("?") {
            let condition = self.truth(value)?;
            let this = self.choice()?;
            let this = self.truth(this)?;
            self.wants(":")?;
            let that = self.choice()?;
            let that = self.truth(that)?;
            let otherwise = Filter::Not(Box::new(condition.clone()));
            value = Value::Truth(Filter::Any(vec![
                Filter::All(vec![condition, this]),
                Filter::All(vec![otherwise, that]),
            ]));
        }
        self.depth -= 1;
        Ok(value)
    }

    fn any(&mut self) -> Parsed {
        let first = self.all()?;
        let mut parts = Vec::new();
        while self.takes("||") || self.takes("or") {
            let next = self.all()?;
            parts.push(self.truth(next)?);
        }
        if parts.is_empty() {
            return Ok(first);
        }
        parts.insert(0, self.truth(first)?);
        Ok(Value::Truth(Filter::Any(parts)))
    }

    fn all(&mut self) -> Parsed {
        let first = self.comparison()?;
        let mut parts = Vec::new();
        while self.takes("&&") || self.takes("and") {
            let next = self.comparison()?;
            parts.push(self.truth(next)?);
        }
        if parts.is_empty() {
            return Ok(first);
        }
        parts.insert(0, self.truth(first)?);
        Ok(Value::Truth(Filter::All(parts)))
    }

    fn comparison(&mut self) -> Parsed {
        let left = self.unary()?;
        const OPERATORS: &[&str] =
            &["==", "!=", "<=", ">=", "<", ">", "in", "contains", "startsWith", "endsWith", "matches"];
        let is_negated = self.takes("not");
        let Some(operator) = OPERATORS.iter().find(|operator| self.takes(operator)) else {
            return if is_negated { self.error("`in` is missing") } else { Ok(left) };
        };
        let right = self.unary()?;
        let filter = self.compared(left, operator, right)?;
        let filter = if is_negated { Filter::Not(Box::new(filter)) } else { filter };
        Ok(Value::Truth(filter))
    }

    fn compared(&self, left: Value, operator: &str, right: Value) -> Result<Filter, String> {
        let of = |subject, check| Ok(Filter::Test(FilterTest { subject, check }));
        let not = |filter: Filter| Filter::Not(Box::new(filter));
        match (left, operator, right) {
            (left, "!=", right) => self.compared(left, "==", right).map(not),
            (Value::Truth(one), "==", Value::Truth(Filter::Const(two))) => {
                Ok(if two { one } else { not(one) })
            }
            (Value::Subject(subject), "==", Value::Text(text))
            | (Value::Text(text), "==", Value::Subject(subject)) => {
                of(subject, FilterCheck::OneOf(vec![text]))
            }
            (Value::Text(one), "==", Value::Text(two)) => Ok(Filter::Const(one == two)),
            (Value::Subject(subject), "in", Value::List(list)) => of(subject, FilterCheck::OneOf(list)),
            (Value::Text(text), "in", Value::List(list)) => Ok(Filter::Const(list.contains(&text))),
            (Value::Subject(subject), "contains", Value::Text(text)) => {
                of(subject, FilterCheck::Contains(text))
            }
            (Value::Subject(subject), "startsWith", Value::Text(text)) => {
                of(subject, FilterCheck::StartsWith(text))
            }
            (Value::Subject(subject), "endsWith", Value::Text(text)) => {
                of(subject, FilterCheck::EndsWith(text))
            }
            (Value::Subject(subject), "matches", Value::Text(text)) => {
                of(subject, FilterCheck::MatchesAny(self.regexes(vec![text])?))
            }
            (Value::Number(number), operator, measure @ (Value::Entropy(_) | Value::Length(_))) => {
                self.measured(measure, self.order(operator)?.turned(), number)
            }
            (measure @ (Value::Entropy(_) | Value::Length(_)), operator, Value::Number(number)) => {
                self.measured(measure, self.order(operator)?, number)
            }
            _ => self.error(&format!("`{operator}` can't compare what stands before and behind it")),
        }
    }

    fn order(&self, operator: &str) -> Result<Order, String> {
        Ok(match operator {
            "<" => Order::Less,
            "<=" => Order::LessOrEqual,
            "==" => Order::Equal,
            ">=" => Order::GreaterOrEqual,
            ">" => Order::Greater,
            _ => return self.error(&format!("`{operator}` does not compare numbers")),
        })
    }

    fn measured(&self, measure: Value, order: Order, number: f64) -> Result<Filter, String> {
        let (subject, check) = match measure {
            Value::Entropy(subject) => (subject, FilterCheck::Entropy(order, number)),
            Value::Length(subject) => (subject, FilterCheck::Length(order, number)),
            _ => return self.error("a number is missing"),
        };
        Ok(Filter::Test(FilterTest { subject, check }))
    }

    fn unary(&mut self) -> Parsed {
        if self.takes("!") || self.takes("not") {
            self.depth += 1;
            if self.depth > MAX_DEPTH {
                return self.error("it is nested too deep");
            }
            let value = self.unary()?;
            self.depth -= 1;
            return Ok(Value::Truth(Filter::Not(Box::new(self.truth(value)?))));
        }
        let mut value = self.primary()?;
        while self.takes("[") {
            let Some(Kind::Text(key)) = self.words.get(self.next).map(|word| word.kind.clone()) else {
                return self.error("a text in quotes is missing");
            };
            value = self.field(value, &key, "")?;
            self.next += 1;
            self.wants("]")?;
        }
        Ok(value)
    }

    fn primary(&mut self) -> Parsed {
        let Some(word) = self.words.get(self.next).cloned() else {
            return self.error("the expression ends too early");
        };
        self.next += 1;
        match word.kind {
            Kind::Text(text) => Ok(Value::Text(text)),
            Kind::Number(number) => Ok(Value::Number(number)),
            Kind::Sign("-") => match self.primary()? {
                Value::Number(number) => Ok(Value::Number(-number)),
                _ => self.error("a number is missing"),
            },
            Kind::Sign("(") => {
                let value = self.choice()?;
                self.wants(")")?;
                Ok(value)
            }
            Kind::Sign("[") => self.list(),
            Kind::Name(name) => self.name(&name),
            Kind::Sign(sign) => Err(format!("at {}: `{sign}` is not understood here", word.at)),
        }
    }

    fn list(&mut self) -> Parsed {
        let mut list = Vec::new();
        while !self.takes("]") {
            match self.choice()? {
                Value::Text(text) => list.push(text),
                _ => return self.error("a list holds texts in quotes only"),
            }
            if !self.takes(",") {
                self.wants("]")?;
                break;
            }
        }
        Ok(Value::List(list))
    }

    fn name(&mut self, name: &str) -> Parsed {
        if let Some(value) = self.named.get(name) {
            return Ok(value.clone());
        }
        let function = match name {
            "true" | "false" => return Ok(Value::Truth(Filter::Const(name == "true"))),
            "finding" => return Ok(Value::Finding),
            "attributes" => return Ok(Value::Attributes),
            "filter" => {
                self.wants(".")?;
                let Some(Kind::Name(function)) = self.words.get(self.next).map(|word| word.kind.clone())
                else {
                    return self.error("the name of a function is missing");
                };
                self.next += 1;
                function
            }
            _ => name.to_owned(),
        };
        self.wants("(")?;
        let mut arguments = Vec::new();
        while !self.takes(")") {
            arguments.push(self.choice()?);
            if !self.takes(",") {
                self.wants(")")?;
                break;
            }
        }
        self.call(&function, arguments)
    }

    fn call(&self, function: &str, arguments: Vec<Value>) -> Parsed {
        let test = |subject, check| Ok(Value::Truth(Filter::Test(FilterTest { subject, check })));
        let mut arguments = arguments.into_iter();
        match (function, arguments.next(), arguments.next(), arguments.next()) {
            ("entropy", Some(Value::Subject(subject)), None, None) => Ok(Value::Entropy(subject)),
            ("len", Some(Value::Subject(subject)), None, None) => Ok(Value::Length(subject)),
            ("failsTokenEfficiency", Some(Value::Subject(subject)), None, None) => {
                test(subject, FilterCheck::ReadsLikeWords)
            }
            ("containsAny", Some(Value::Subject(subject)), Some(Value::List(list)), None) => {
                test(subject, FilterCheck::ContainsAny(list.iter().map(|word| word.to_lowercase()).collect()))
            }
            ("matchesAny", Some(Value::Subject(subject)), Some(Value::List(list)), None) => {
                test(subject, FilterCheck::MatchesAny(self.regexes(list)?))
            }
            // What nothing is known of is empty.
            ("containsAny" | "matchesAny", Some(Value::Text(text)), Some(Value::List(_)), None) if text.is_empty() => {
                Ok(Value::Truth(Filter::Const(false)))
            }
            ("get", Some(object), Some(Value::Text(key)), None) => self.field(object, &key, ""),
            ("get", Some(object), Some(Value::Text(key)), Some(Value::Text(default))) => {
                self.field(object, &key, &default)
            }
            _ => self.error(&format!(
                "`{function}` of this is not understood; known are filter.entropy, filter.containsAny, filter.matchesAny, \
                 filter.failsTokenEfficiency, len and get"
            )),
        }
    }

    /// A field of `finding` or `attributes`. One that hekate does not have is what it is by default.
    fn field(&self, object: Value, key: &str, default: &str) -> Parsed {
        let subject = match (object, key) {
            (Value::Finding, "secret") => FilterSubject::Secret,
            (Value::Finding, "match") => FilterSubject::Match,
            (Value::Finding, "line") => FilterSubject::Line,
            (Value::Finding, "ruleID" | "rule_id") => FilterSubject::Rule,
            (Value::Attributes, "path") => FilterSubject::Path,
            (Value::Attributes, "git.sha" | "git.commit") => FilterSubject::Commit,
            (Value::Attributes, _) => return Ok(Value::Text(default.to_owned())),
            _ => return self.error(&format!("there is no `{key}` here")),
        };
        Ok(Value::Subject(subject))
    }

    fn regexes(&self, sources: Vec<String>) -> Result<Vec<String>, String> {
        let translated = |source: String| {
            dialect::translate(&source, Origin::User)
                .map(|translated| translated.regex)
                .map_err(|error| format!("at {}: {error}", self.at()))
        };
        sources.into_iter().map(translated).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn test(subject: FilterSubject, check: FilterCheck) -> Filter {
        Filter::Test(FilterTest { subject, check })
    }

    #[test]
    fn expressions_become_questions_about_match_and_place() {
        use FilterSubject::{Commit, Path, Secret};
        let low = test(Secret, FilterCheck::Entropy(Order::LessOrEqual, 3.5));
        let words = test(Secret, FilterCheck::ContainsAny(vec!["example".into()]));
        let docs = test(Path, FilterCheck::MatchesAny(vec!["^docs/".into()]));
        for (source, filter) in [
            (r#"filter.entropy(finding["secret"]) <= 3.5"#, low.clone()),
            (r#"3.5 >= filter.entropy(finding["secret"])"#, low.clone()),
            (r#"let e = filter.entropy(finding["secret"]); e <= 3.5 // low"#, low.clone()),
            (
                r#"filter.containsAny(finding["secret"], ["EXAMPLE"]) && !(filter.matchesAny(attributes["path"], [`^docs/`]))"#,
                Filter::All(vec![words.clone(), Filter::Not(Box::new(docs.clone()))]),
            ),
            (
                r#"filter.matchesAny(get(attributes, "path", ""), ["^docs/"]) or false"#,
                Filter::Any(vec![docs, Filter::Const(false)]),
            ),
            (
                r#"get(attributes, "git.sha", "") in ["abc"]"#,
                test(Commit, FilterCheck::OneOf(vec!["abc".into()])),
            ),
            (
                r#"len(finding["secret"]) < 3 ? true : finding["secret"] not contains "x""#,
                Filter::Any(vec![
                    Filter::All(vec![
                        test(Secret, FilterCheck::Length(Order::Less, 3.0)),
                        Filter::Const(true),
                    ]),
                    Filter::All(vec![
                        Filter::Not(Box::new(test(Secret, FilterCheck::Length(Order::Less, 3.0)))),
                        Filter::Not(Box::new(test(Secret, FilterCheck::Contains("x".into())))),
                    ]),
                ]),
            ),
            (r#"get(attributes, "fs.symlink", "no") == "no""#, Filter::Const(true)),
        ] {
            assert_eq!(parse(source), Ok(filter), "{source}");
        }
    }

    #[test]
    fn what_is_not_understood_is_an_error_with_its_place() {
        for (source, error) in [
            ("nope.foo(1)", "at 4: `(` is missing"),
            ("\"x\"", "at 3: what stands before is neither true nor false"),
            ("filter.entropy(finding[\"secret\"]) <=", "at 36: the expression ends too early"),
            ("finding[\"nope\"] == \"a\"", "at 8: there is no `nope` here"),
            ("true true", "at 5: something stands behind the end of the expression"),
            ("'abc", "at 0: a text that does not end"),
            ("finding[\"secret\"] matches \"(\"", "at 29: regex parse error"),
        ] {
            let found = parse(source).unwrap_err();
            assert!(found.starts_with(error), "{source}: {found}");
        }
        assert!(parse(&"(".repeat(10_000)).unwrap_err().contains("too deep"));
        assert!(parse(&"!".repeat(10_000)).unwrap_err().contains("too deep"));
    }
}
