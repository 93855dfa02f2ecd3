//! Text to nodes.

use serde_json::{Number, Value};

use super::TemplateError;

/// A part of a template.
#[derive(Debug)]
pub(super) enum Node {
    /// Text as it is.
    Text(String),
    /// `{{pipeline}}`
    Print(Pipeline),
    /// `if`, each `else if`, and `else`.
    If { branches: Vec<(Pipeline, Vec<Node>)>, otherwise: Vec<Node> },
    /// `range`
    Range { names: Vec<String>, over: Pipeline, body: Vec<Node>, otherwise: Vec<Node> },
    /// `with`
    With { over: Pipeline, body: Vec<Node>, otherwise: Vec<Node> },
    /// `break`
    Break,
    /// `continue`
    Continue,
}

/// Commands, each given the value of the one before it as its last argument.
#[derive(Debug)]
pub(super) struct Pipeline {
    pub(super) assignment: Option<Assignment>,
    pub(super) commands: Vec<Vec<Operand>>,
}

/// `$name := …` or `$name = …`
#[derive(Debug)]
pub(super) struct Assignment {
    pub(super) name: String,
    pub(super) declares: bool,
}

/// A value, and fields of it.
#[derive(Debug)]
pub(super) struct Operand {
    pub(super) base: Base,
    pub(super) fields: Vec<String>,
}

/// What an operand starts from.
#[derive(Debug)]
pub(super) enum Base {
    /// `.`
    Dot,
    /// `$name`; `$` alone is the data.
    Variable(String),
    /// A function's name.
    Function(String),
    /// A constant.
    Literal(Value),
    /// `( … )`
    Pipeline(Pipeline),
}

/// How deep parentheses and blocks may be in each other: more than a person writes, less than a
/// stack holds.
const MAX_DEPTH: usize = 100;

/// Parses a whole template.
pub(super) fn parse(text: &str) -> Result<Vec<Node>, TemplateError> {
    let pieces = pieces(text)?;
    let mut parser = Blocks { pieces: pieces.into_iter().peekable(), depth: 0, loops: 0 };
    let (nodes, end) = parser.nodes()?;
    match end {
        None => Ok(nodes),
        Some(end) => {
            let problem = format!("`{}` closes nothing", end.keyword());
            Err(TemplateError::Syntax { column: end.column(), problem })
        }
    }
}

/// Text, or the tokens of an action.
enum Piece {
    Text(String),
    Action { tokens: Vec<(Token, usize)>, column: usize },
}

#[derive(Debug, Clone, PartialEq)]
enum Token {
    /// `.a`, or `.` where the name is empty.
    Field(String),
    /// `$a`, or `$` where the name is empty.
    Variable(String),
    /// A function or keyword.
    Word(String),
    Literal(Value),
    Pipe,
    Open,
    Close,
    Comma,
    Declare,
    Assign,
    /// White space, which tells `.a .b` from `.a.b`.
    Space,
}

fn syntax<T>(column: usize, problem: impl Into<String>) -> Result<T, TemplateError> {
    Err(TemplateError::Syntax { column, problem: problem.into() })
}

fn pieces(text: &str) -> Result<Vec<Piece>, TemplateError> {
    let mut pieces = Vec::new();
    let mut rest = text;
    let mut trim = false;
    loop {
        let Some(open) = rest.find("{{") else {
            pieces.push(Piece::Text(trimmed(rest, trim, false)));
            return Ok(pieces);
        };
        // `{{-` takes off the space before it; a minus without a space is a number's sign.
        let inside = &rest[open + 2..];
        let left = inside.strip_prefix('-').filter(|rest| rest.starts_with(char::is_whitespace));
        pieces.push(Piece::Text(trimmed(&rest[..open], trim, left.is_some())));
        let column = column_of(text, rest, open);
        let body = left.unwrap_or(inside);
        let (tokens, after, right) = action(body, text, column)?;
        if let Some(tokens) = tokens {
            if tokens.iter().all(|(token, _)| *token == Token::Space) {
                return syntax(column, "the action is empty");
            }
            pieces.push(Piece::Action { tokens, column });
        }
        trim = right;
        rest = after;
    }
}

fn trimmed(text: &str, start: bool, end: bool) -> String {
    let text = if start { text.trim_start() } else { text };
    if end { text.trim_end().to_owned() } else { text.to_owned() }
}

/// The column of the byte `at` of `rest`, which is the end of `text`.
fn column_of(text: &str, rest: &str, at: usize) -> usize {
    let offset = text.len() - rest.len() + at;
    text[..offset].chars().count() + 1
}

type Action<'a> = (Option<Vec<(Token, usize)>>, &'a str, bool);

/// The tokens up to `}}` (none for a comment), what follows, and whether that loses its space.
fn action<'a>(body: &'a str, text: &str, column: usize) -> Result<Action<'a>, TemplateError> {
    if let Some(comment) = body.trim_start().strip_prefix("/*") {
        let Some(end) = comment.find("*/") else {
            return syntax(column, "the comment is not closed");
        };
        let after = &comment[end + 2..];
        let space = after.trim_start();
        return match (space.strip_prefix("-}}"), after.strip_prefix("}}")) {
            (Some(rest), _) if space.len() < after.len() => Ok((None, rest, true)),
            (_, Some(rest)) => Ok((None, rest, false)),
            _ => syntax(column, "nothing can follow a comment in its action"),
        };
    }
    let mut tokens = Vec::new();
    let mut rest = body;
    loop {
        if let Some(after) = rest.strip_prefix("}}") {
            return Ok((Some(tokens), after, false));
        }
        let spaceless = rest.trim_start();
        if spaceless.len() < rest.len() {
            if let Some(after) = spaceless.strip_prefix("-}}") {
                return Ok((Some(tokens), after, true));
            }
            tokens.push((Token::Space, column));
            rest = spaceless;
            continue;
        }
        if rest.is_empty() {
            return syntax(column, "the action is not closed by `}}`");
        }
        let here = column_of(text, rest, 0);
        let (token, after) = token(rest, here)?;
        tokens.push((token, here));
        rest = after;
    }
}

fn token(rest: &str, column: usize) -> Result<(Token, &str), TemplateError> {
    let symbols = [
        (":=", Token::Declare),
        ("=", Token::Assign),
        ("|", Token::Pipe),
        ("(", Token::Open),
        (")", Token::Close),
        (",", Token::Comma),
    ];
    for (symbol, token) in symbols {
        if let Some(after) = rest.strip_prefix(symbol) {
            return Ok((token, after));
        }
    }
    let first = rest.chars().next().unwrap_or_default();
    match first {
        '.' => {
            let (name, after) = name(&rest[1..]);
            Ok((Token::Field(name.to_owned()), after))
        }
        '$' => {
            let (name, after) = name(&rest[1..]);
            Ok((Token::Variable(name.to_owned()), after))
        }
        '"' => quoted(rest, column),
        '`' => match rest[1..].find('`') {
            Some(end) => {
                let literal = Value::String(rest[1..=end].to_owned());
                Ok((Token::Literal(literal), &rest[end + 2..]))
            }
            None => syntax(column, "the text is not closed"),
        },
        '-' | '+' | '0'..='9' => number(rest, column),
        first if first.is_alphabetic() || first == '_' => {
            let (word, after) = name(rest);
            let token = match word {
                "true" => Token::Literal(Value::Bool(true)),
                "false" => Token::Literal(Value::Bool(false)),
                "nil" => Token::Literal(Value::Null),
                word => Token::Word(word.to_owned()),
            };
            Ok((token, after))
        }
        other => syntax(column, format!("`{other}` does not belong in an action")),
    }
}

fn name(text: &str) -> (&str, &str) {
    text.split_at(text.find(|c: char| !c.is_alphanumeric() && c != '_').unwrap_or(text.len()))
}

fn quoted(rest: &str, column: usize) -> Result<(Token, &str), TemplateError> {
    let mut escaped = false;
    for (at, character) in rest.char_indices().skip(1) {
        match character {
            _ if escaped => escaped = false,
            '\\' => escaped = true,
            '\n' => break,
            '"' => {
                // Go's escapes in texts are JSON's and a few that nobody writes.
                return match serde_json::from_str(&rest[..=at].replace('\t', "\\t")) {
                    Ok(value) => Ok((Token::Literal(value), &rest[at + 1..])),
                    Err(_) => syntax(column, "the text has an unknown escape"),
                };
            }
            _ => {}
        }
    }
    syntax(column, "the text is not closed")
}

fn number(rest: &str, column: usize) -> Result<(Token, &str), TemplateError> {
    let belongs = |c: char| c.is_alphanumeric() || matches!(c, '.' | '_' | '-' | '+');
    let end = rest.find(|c| !belongs(c)).unwrap_or(rest.len());
    let (text, after) = rest.split_at(end);
    let number = match text.parse::<i64>() {
        Ok(number) => Some(Number::from(number)),
        Err(_) => text.parse::<f64>().ok().and_then(Number::from_f64),
    };
    match number {
        Some(number) => Ok((Token::Literal(Value::Number(number)), after)),
        None => syntax(column, format!("`{text}` is not a number")),
    }
}

/// Puts actions together to blocks.
struct Blocks<I: Iterator<Item = Piece>> {
    pieces: std::iter::Peekable<I>,
    depth: usize,
    loops: usize,
}

/// What ended a list of nodes.
enum End {
    End {
        column: usize,
    },
    /// `else`, with what stands after it.
    Else {
        tokens: Vec<(Token, usize)>,
        column: usize,
    },
}

impl End {
    fn keyword(&self) -> &'static str {
        match self {
            End::End { .. } => "end",
            End::Else { .. } => "else",
        }
    }

    fn column(&self) -> usize {
        match self {
            End::End { column } | End::Else { column, .. } => *column,
        }
    }
}

impl<I: Iterator<Item = Piece>> Blocks<I> {
    fn nodes(&mut self) -> Result<(Vec<Node>, Option<End>), TemplateError> {
        let mut nodes = Vec::new();
        while let Some(piece) = self.pieces.next() {
            match piece {
                Piece::Text(text) if text.is_empty() => {}
                Piece::Text(text) => nodes.push(Node::Text(text)),
                Piece::Action { tokens, column } => match self.node(tokens, column)? {
                    Ok(node) => nodes.push(node),
                    Err(end) => return Ok((nodes, Some(end))),
                },
            }
        }
        Ok((nodes, None))
    }

    fn node(
        &mut self,
        tokens: Vec<(Token, usize)>,
        column: usize,
    ) -> Result<Result<Node, End>, TemplateError> {
        let mut tokens = Tokens::new(tokens, column, self.depth);
        let Some((Token::Word(word), at)) = tokens.peek().cloned() else {
            return Ok(Ok(Node::Print(tokens.whole()?)));
        };
        Ok(Ok(match word.as_str() {
            "if" => self.branch(tokens.after_word(), column)?,
            "range" => self.range(tokens.after_word(), column)?,
            "with" => {
                let over = tokens.after_word().whole()?;
                let (body, otherwise) = self.body("with", column)?;
                Node::With { over, body, otherwise }
            }
            "end" => return Ok(Err(End::End { column })),
            "else" => return Ok(Err(End::Else { tokens: tokens.after_word().rest(), column })),
            "break" | "continue" if self.loops == 0 => {
                return syntax(at, format!("`{word}` is not in a `range`"));
            }
            "break" => Node::Break,
            "continue" => Node::Continue,
            "define" | "template" | "block" => {
                return syntax(at, format!("`{word}` is not supported"));
            }
            _ => Node::Print(tokens.whole()?),
        }))
    }

    fn branch(&mut self, mut tokens: Tokens, column: usize) -> Result<Node, TemplateError> {
        let mut branches = Vec::new();
        loop {
            let condition = tokens.whole()?;
            let (body, end) = self.nested(column)?;
            branches.push((condition, body));
            match end {
                Some(End::End { .. }) => return Ok(Node::If { branches, otherwise: Vec::new() }),
                Some(End::Else { tokens: after, column: at }) => {
                    let mut after = Tokens::new(after, at, self.depth);
                    match after.peek() {
                        Some((Token::Word(word), _)) if word == "if" => tokens = after.after_word(),
                        Some((_, at)) => return syntax(*at, "only `if` can follow `else`"),
                        None => {
                            let otherwise = self.closed("if", column)?;
                            return Ok(Node::If { branches, otherwise });
                        }
                    }
                }
                None => return syntax(column, "`if` has no `end`"),
            }
        }
    }

    fn range(&mut self, mut tokens: Tokens, column: usize) -> Result<Node, TemplateError> {
        let names = tokens.loop_names();
        let over = tokens.whole()?;
        self.loops += 1;
        let parts = self.body("range", column);
        self.loops -= 1;
        let (body, otherwise) = parts?;
        Ok(Node::Range { names, over, body, otherwise })
    }

    /// A body and what stands after its `else`, up to `end`.
    fn body(
        &mut self,
        keyword: &str,
        column: usize,
    ) -> Result<(Vec<Node>, Vec<Node>), TemplateError> {
        let (body, end) = self.nested(column)?;
        match end {
            Some(End::End { .. }) => Ok((body, Vec::new())),
            Some(End::Else { tokens, column: at }) => {
                match tokens.iter().find(|(token, _)| *token != Token::Space) {
                    Some((_, at)) => syntax(*at, format!("`else` of a `{keyword}` stands alone")),
                    None => Ok((body, self.closed(keyword, at)?)),
                }
            }
            None => syntax(column, format!("`{keyword}` has no `end`")),
        }
    }

    /// Nodes up to `end`.
    fn closed(&mut self, keyword: &str, column: usize) -> Result<Vec<Node>, TemplateError> {
        match self.nested(column)? {
            (nodes, Some(End::End { .. })) => Ok(nodes),
            (_, Some(end)) => syntax(end.column(), format!("`{keyword}` has two `else`")),
            (_, None) => syntax(column, format!("`{keyword}` has no `end`")),
        }
    }

    fn nested(&mut self, column: usize) -> Result<(Vec<Node>, Option<End>), TemplateError> {
        if self.depth >= MAX_DEPTH {
            return syntax(column, "this is nested too deeply");
        }
        self.depth += 1;
        let nodes = self.nodes();
        self.depth -= 1;
        nodes
    }
}

/// The tokens of one action.
struct Tokens {
    tokens: std::collections::VecDeque<(Token, usize)>,
    column: usize,
    depth: usize,
}

impl Tokens {
    fn new(tokens: Vec<(Token, usize)>, column: usize, depth: usize) -> Self {
        Tokens { tokens: tokens.into(), column, depth }
    }

    /// The next token that is not space, which is dropped.
    fn peek(&mut self) -> Option<&(Token, usize)> {
        while matches!(self.tokens.front(), Some((Token::Space, _))) {
            self.tokens.pop_front();
        }
        self.tokens.front()
    }

    fn after_word(mut self) -> Self {
        self.peek();
        self.tokens.pop_front();
        self
    }

    fn rest(mut self) -> Vec<(Token, usize)> {
        self.peek();
        self.tokens.into()
    }

    fn here(&mut self) -> usize {
        let column = self.column;
        self.peek().map_or(column, |(_, at)| *at)
    }

    fn take(&mut self, wanted: &Token) -> bool {
        let found = self.peek().is_some_and(|(token, _)| token == wanted);
        if found {
            self.tokens.pop_front();
        }
        found
    }

    /// `$i, $e :=` or `$e :=` in front of what a `range` goes over.
    fn loop_names(&mut self) -> Vec<String> {
        let told: Vec<&Token> = self.tokens.iter().map(|(token, _)| token).collect();
        let told: Vec<&Token> = told.into_iter().filter(|token| **token != Token::Space).collect();
        let names = match told.as_slice() {
            [Token::Variable(key), Token::Comma, Token::Variable(value), Token::Declare, ..] => {
                vec![key.clone(), value.clone()]
            }
            [Token::Variable(value), Token::Declare, ..] => vec![value.clone()],
            _ => return Vec::new(),
        };
        while let Some((token, _)) = self.tokens.pop_front() {
            if token == Token::Declare {
                break;
            }
        }
        names
    }

    /// A pipeline with nothing after it.
    fn whole(&mut self) -> Result<Pipeline, TemplateError> {
        let pipeline = self.pipeline()?;
        let here = self.here();
        match self.peek() {
            None => Ok(pipeline),
            Some(_) => syntax(here, "this does not belong here"),
        }
    }

    fn pipeline(&mut self) -> Result<Pipeline, TemplateError> {
        let assignment = self.assignment();
        let mut commands = vec![self.command()?];
        while self.take(&Token::Pipe) {
            commands.push(self.command()?);
        }
        Ok(Pipeline { assignment, commands })
    }

    fn assignment(&mut self) -> Option<Assignment> {
        self.peek();
        let mut told = self.tokens.iter().map(|(token, _)| token).filter(|t| **t != Token::Space);
        let (Some(Token::Variable(name)), Some(sign)) = (told.next(), told.next()) else {
            return None;
        };
        let declares = match sign {
            Token::Declare => true,
            Token::Assign => false,
            _ => return None,
        };
        let name = name.clone();
        while let Some((token, _)) = self.tokens.pop_front() {
            if matches!(token, Token::Declare | Token::Assign) {
                break;
            }
        }
        Some(Assignment { name, declares })
    }

    fn command(&mut self) -> Result<Vec<Operand>, TemplateError> {
        let mut operands = Vec::new();
        while let Some(operand) = self.operand()? {
            operands.push(operand);
        }
        if operands.is_empty() {
            let here = self.here();
            return syntax(here, "a value is missing");
        }
        Ok(operands)
    }

    fn operand(&mut self) -> Result<Option<Operand>, TemplateError> {
        let here = self.here();
        let base = match self.peek().map(|(token, _)| token.clone()) {
            Some(Token::Field(name)) => {
                self.tokens.pop_front();
                let first = if name.is_empty() { Vec::new() } else { vec![name] };
                return Ok(Some(self.with_fields(Base::Dot, first)));
            }
            Some(Token::Variable(name)) => Base::Variable(name),
            Some(Token::Word(name)) => Base::Function(name),
            Some(Token::Literal(value)) => Base::Literal(value),
            Some(Token::Open) => {
                if self.depth >= MAX_DEPTH {
                    return syntax(here, "this is nested too deeply");
                }
                self.tokens.pop_front();
                self.depth += 1;
                let inner = self.pipeline()?;
                self.depth -= 1;
                if !self.take_closing() {
                    return syntax(here, "the parenthesis is not closed");
                }
                return Ok(Some(self.with_fields(Base::Pipeline(inner), Vec::new())));
            }
            _ => return Ok(None),
        };
        self.tokens.pop_front();
        Ok(Some(self.with_fields(base, Vec::new())))
    }

    fn take_closing(&mut self) -> bool {
        self.take(&Token::Close)
    }

    /// The fields that follow with no space in between.
    fn with_fields(&mut self, base: Base, mut fields: Vec<String>) -> Operand {
        while let Some((Token::Field(name), _)) = self.tokens.front() {
            if name.is_empty() {
                break;
            }
            fields.push(name.clone());
            self.tokens.pop_front();
        }
        Operand { base, fields }
    }
}
